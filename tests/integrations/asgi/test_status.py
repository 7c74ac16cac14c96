"""The status route: the state of a monitor as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from slomon import LiveMonitor
from slomon.files import in_use
from slomon.integrations.asgi import Middleware
from tests.integrations.asgi.service import Server, request, watch


async def ask(monitor: LiveMonitor, verb: str = "GET") -> Server:
    server = Server()
    app = Middleware(unused, monitor, status_path="/slomon")
    await app(request("/slomon", verb), server.receive, server.send)
    return server


async def unused(*_: object) -> None:
    raise AssertionError("the application is not asked")


def document(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(server.sent[1]["body"])
    return found


async def broken() -> LiveMonitor:
    """An endpoint that broke and was fixed, at known times, and one without requests."""
    monitor = watch("/users/{id}", "/quiet")
    async with monitor:
        monitor.change(service="users", commit="6d0080a", author="ana@example.com")
        monitor.access("GET", "/users/{id}", 500, at=1000)
        monitor.change(service="users", commit="191b6ce")
        for _ in range(9):
            monitor.access("GET", "/users/{id}", 200, at=1030.5)
        monitor.access("GET", "-", 200, at=1031)
    return monitor


async def test_it_has_the_state_of_the_endpoints_and_the_incidents() -> None:
    monitor = await broken()
    found = document(await ask(monitor))

    assert found.pop("at") > 1031
    assert found == {
        "mttr": 30.5,
        "incidents": {"users": 1},
        "newest": [
            {
                "service": "users",
                "verb": "GET",
                "resource": "/users/{id}",
                "start": 1000.0,
                "end": 1030.5,
                "broken_by": "6d0080a",
                "fixed_by": "191b6ce",
            }
        ],
        "endpoints": [
            {
                "service": "users",
                "verb": "GET",
                "resource": resource,
                "slo": 0.9,
                "window": 3600.0,
                "requests": 0,
                "failures": 0,
                "sli": None,
                "is_open": False,
                "durations": None,
            }
            for resource in ("/users/{id}", "/quiet")
        ],
        "accounting": {
            "events": 13,
            "accesses": 10,
            "changes": 2,
            "unmatched": 1,
            "rejected": 0,
            "excluded": 0,
            "late": 0,
            "missing": 0,
            "excluded_by_reason": {},
            "dropped": {},
        },
        "warnings": [],
    }


async def test_an_open_incident_has_no_end_and_may_have_no_known_cause() -> None:
    monitor = watch("/users/{id}")
    async with monitor:
        monitor.access("GET", "/users/{id}", 500)
        await monitor.flush()
        found = document(await ask(monitor))

    assert [(one["end"], one["broken_by"], one["fixed_by"]) for one in found["newest"]] == [
        (None, None, None)
    ]
    assert [(one["sli"], one["is_open"]) for one in found["endpoints"]] == [(0.0, True)]


async def test_no_author_is_named_and_no_text_is_long() -> None:
    monitor = watch("/users/{id}")
    async with monitor:
        monitor.change(service="users", commit="c" * 5000, author="eve@example.com")
        monitor.access("GET", "/users/{id}", 500)
    (message,) = (await ask(monitor)).sent[1:]

    assert b"@" not in message["body"]
    assert len(message["body"]) < 2000


async def test_the_response_must_not_be_cached() -> None:
    server = await ask(watch("/a"))
    assert server.sent[0]["status"] == 200
    assert dict(server.sent[0]["headers"]) == {
        b"content-type": b"application/json",
        b"content-length": b"%d" % len(server.sent[1]["body"]),
        b"cache-control": b"no-store",
    }


async def test_head_has_the_headers_alone() -> None:
    monitor = watch("/a")
    head, got = await ask(monitor, "HEAD"), await ask(monitor)
    names = [[name for name, _ in server.sent[0]["headers"]] for server in (head, got)]

    assert head.sent[0]["status"] == 200
    assert names[0] == names[1]
    assert head.sent[1]["body"] == b""


async def test_other_methods_are_rejected() -> None:
    server = await ask(watch("/a"), "POST")
    assert server.sent[0]["status"] == 405
    assert (b"allow", b"GET, HEAD") in server.sent[0]["headers"]
    assert server.sent[1]["body"] == b""


async def test_it_says_that_the_process_that_counts_does_not_answer(tmp_path: Path) -> None:
    with in_use(tmp_path / "state"):
        async with watch("/users", state=tmp_path / "state") as monitor:
            server = await ask(monitor)
    assert server.sent[0]["status"] == 503
    assert "does not answer" in document(server)["error"]
