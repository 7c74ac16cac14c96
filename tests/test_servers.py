"""The servers of tests are real ones: they start, die, and come back where they were."""

from __future__ import annotations

import shutil

import pytest

from tests.servers import Server, Servers, fetch, find_program, poll


def test_a_prometheus_scrapes_its_targets(servers: Servers) -> None:
    first = servers.prometheus()
    second = servers.prometheus(first.url.removeprefix("http://"))

    def find_sample() -> str | None:
        answer = second.get("/api/v1/query?query=up")["data"]["result"]
        return answer[0]["value"][1] if answer else None

    assert first.url != second.url
    assert poll(find_sample, "a sample") == "1"


def test_an_alertmanager_that_was_killed_comes_back_at_its_address(alertmanager: Server) -> None:
    alertmanager.kill()
    with pytest.raises(OSError, match="refused"):
        fetch(f"{alertmanager.url}/-/ready")
    alertmanager.start()

    assert alertmanager.get("/api/v2/alerts") == []


def test_a_server_that_cannot_start_shows_what_it_said(alertmanager: Server) -> None:
    alertmanager.stop()
    alertmanager.command.append("--nonsense")

    with pytest.raises(AssertionError, match="unknown long flag '--nonsense'"):
        alertmanager.start()


def test_what_never_happens_fails_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.servers.GUARD_SECONDS", 0.0)

    with pytest.raises(AssertionError, match="not within 0 s: the end of the world"):
        poll(lambda: None, "the end of the world")


def test_a_missing_program_skips_its_test_but_never_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="prometheus is not installed; scripts/servers"):
        find_program("prometheus")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="prometheus is not installed"):
        find_program("prometheus")
