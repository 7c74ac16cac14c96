"""The status of a live monitor, as JSON for people and scripts."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Final, NamedTuple

from slomon.core.incident import Incident
from slomon.core.ticks import to_seconds
from slomon.errors import LeaderError
from slomon.live_monitor.durations import Durations
from slomon.live_monitor.snapshot import EndpointStatus, Snapshot
from slomon.text import excerpt

_MAX_INCIDENTS: Final = 100  # the newest; the whole history may be long


def status_document(snapshot: Snapshot) -> dict[str, object]:
    """
    The JSON object of a snapshot:

    * `at` (seconds since the epoch), `mttr` (seconds)
    * `incidents`: the number of incidents of each service
    * `newest`: the last hundred incidents in the order in which they opened; `end` is None if an
      incident is open, `broken_by` and `fixed_by` are commits or None
    * `endpoints`: `slo`, `window` (seconds), and of the current window `requests`, `failures` and
      `sli`, which is None if there are no requests; `durations`: of how many requests they are
      known, and their `median`, `p95` and `p99` in seconds, or None
    * `accounting`: the number of events by what became of them
    * `warnings`: why the answer can't be trusted; empty if it can

    Texts are printable and cut to 80 characters. No author and no email is included.
    """
    return {
        "at": snapshot.at,
        "mttr": snapshot.mttr(),
        "incidents": {excerpt(name): count for name, count in snapshot.api_histogram().items()},
        "newest": [_incident(incident) for incident in snapshot.incidents[-_MAX_INCIDENTS:]],
        "endpoints": [_endpoint(status) for status in snapshot.endpoints],
        "accounting": asdict(snapshot.accounting),
        "warnings": [warning.text for warning in snapshot.warnings],
    }


class Page(NamedTuple):
    """The response to a request for the status: its status, its headers and its body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def answer(verb: str, read: Callable[[], Snapshot]) -> Page:
    """
    Answer GET and HEAD with the status document, other methods with 405. If another process counts
    and does not answer, the status is 503, and the document is `{"error": ...}`. The body is for
    HEAD as well, which the server or the caller must not send.
    """
    if verb not in _READING:
        return _NOT_ALLOWED
    try:
        return _show(200, status_document(read()))
    except LeaderError as error:
        return _show(503, {"error": str(error)})


async def answer_async(verb: str, read: Callable[[], Awaitable[Snapshot]]) -> Page:
    """What `answer` returns, for a `read` that is awaited."""
    if verb not in _READING:
        return _NOT_ALLOWED
    try:
        return _show(200, status_document(await read()))
    except LeaderError as error:
        return _show(503, {"error": str(error)})


def _show(status: int, document: Mapping[str, object]) -> Page:
    body = json.dumps(document, separators=(",", ":")).encode()
    return Page(status, _list_headers(("content-type", "application/json"), body), body)


def _list_headers(header: tuple[str, str], body: bytes) -> list[tuple[str, str]]:
    return [header, ("content-length", str(len(body))), ("cache-control", "no-store")]


_READING: Final = ("GET", "HEAD")
_NOT_ALLOWED: Final = Page(405, _list_headers(("allow", "GET, HEAD"), b""), b"")


def _incident(incident: Incident) -> dict[str, object]:
    broken_by, fixed_by = incident.broken_by, incident.fixed_by
    return {
        "service": excerpt(incident.endpoint.name),
        "verb": excerpt(incident.endpoint.verb),
        "resource": excerpt(incident.endpoint.resource),
        "start": to_seconds(incident.start),
        "end": None if incident.end is None else to_seconds(incident.end),
        "broken_by": excerpt(broken_by.commit) if broken_by else None,
        "fixed_by": excerpt(fixed_by.commit) if fixed_by else None,
    }


def _endpoint(status: EndpointStatus) -> dict[str, object]:
    return {
        "service": excerpt(status.service),
        "verb": excerpt(status.verb),
        "resource": excerpt(status.resource),
        "slo": status.slo,
        "window": status.window,
        "requests": status.requests,
        "failures": status.failures,
        "sli": status.sli,
        "is_open": status.incident is not None,
        "durations": None if status.durations is None else _summarize(status.durations),
    }


def _summarize(durations: Durations) -> dict[str, float]:
    return {
        "requests": durations.requests,
        "median": durations.median,
        "p95": durations.quantile(0.95),
        "p99": durations.quantile(0.99),
    }
