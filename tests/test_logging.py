"""A run logs its events to the right place, and text from the stream is harmless in the log."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from slomon import get_service_monitor
from slomon.cli.shared_arguments import configure_logging
from slomon.example_streams import RecordedStream
from slomon.logging import RejectionLog
from tests.cli.terminal import Terminal

HOSTILE = "\x1b[2J\u202e" + "x" * 10_000


def change(commit: str, service: str) -> dict[str, str]:
    return {
        "type": "change",
        "value": f"commit: {commit}\nAuthor: <a@b>\nDate: today\nService: {service}",
    }


def consume(*events: object, name: str = "users", **options: Any) -> None:
    entry = {"name": name, "email": "a@b", "verb": "GET", "resource": "/", "slo": 1, "window": 30}
    get_service_monitor(RecordedStream(map(json.dumps, events), [entry]), **options)


def access(second: int, status: int) -> dict[str, str]:
    return {"type": "access", "value": f"{second} GET / {status}"}


def logged(*events: object, name: str = "users", **options: Any) -> list[EventDict]:
    structlog.configure()
    with capture_logs() as entries:
        consume(*events, name=name, **options)
    return list(entries)


def test_a_run_logs_its_start_its_incidents_and_its_end() -> None:
    life = logged(change("c1", "users"), access(1, 500), change("c2", "users"), access(40, 200))

    incident = {"service": "users", "endpoint": "GET /", "log_level": "info"}
    counts = {"accesses": 2, "changes": 2, "unmatched": 0, "rejected": 0, "late": 0, "missing": 0}
    counts |= {"excluded": 0, "excluded_by_reason": {}}  # type: ignore[dict-item]
    assert life == [
        {"event": "stream.started", "endpoints": 1, "log_level": "info"},
        {"event": "incident.opened", "at": 1.0, "broken_by": "c1", **incident},
        {"event": "incident.closed", "at": 40.0, "lasted": 39.0, "fixed_by": "c2", **incident},
        {"event": "stream.finished", "events": 4, **counts, "log_level": "info"},
    ]


def test_events_that_a_recorded_stream_lacks_are_a_warning_at_its_end() -> None:
    gaps = [{"type": "gap", "value": f"{number} 2.5 7"} for number in (3, 4)]
    *_, warning, finished = logged(access(1, 500), *gaps, access(9, 500))
    assert (warning["code"], warning["log_level"]) == ("missing_events", "warning")
    assert finished["missing"] == 7
    assert finished["events"] == finished["accesses"] == 2


def test_an_expired_incident_is_logged_as_expired() -> None:
    life = logged(access(1, 500), access(99, 200), close_after_no_traffic="40s")

    incident = {"service": "users", "endpoint": "GET /", "log_level": "info"}
    assert life[2] == {"event": "incident.expired", "at": 41.0, "lasted": 40.0, **incident}


@pytest.mark.parametrize("wrapper", [structlog.stdlib.BoundLogger, structlog.BoundLogger])
def test_any_logger_class_that_a_program_configures_works(
    wrapper: type[structlog.BoundLoggerBase], capsys: pytest.CaptureFixture[str]
) -> None:
    structlog.configure(wrapper_class=wrapper)
    consume(access(1, 500), access(40, 200), "what?")

    assert capsys.readouterr().out.count("incident.") == 2


def test_an_incident_without_a_change_before_it_has_no_commit() -> None:
    assert logged(access(1, 500))[1]["broken_by"] is None


def test_a_rejected_event_is_a_warning_with_its_position_reason_and_text() -> None:
    assert logged("what?")[1] == {
        "event": "event.rejected",
        "position": 0,
        "reason": "an event is a dict, not str",
        "text": "what?",
        "log_level": "warning",
    }


def test_the_first_rejection_with_a_reason_is_logged_and_the_rest_are_counted() -> None:
    wrong = [access(1, status) for status in range(600, 640)]
    events = logged(*["what?"] * 50, *wrong)

    rejected = [event for event in events if event["event"] == "event.rejected"]
    assert [event.get("text") for event in rejected[:2]] == ["what?", "1 GET / 600"]
    assert [(event["more"], event["like"]) for event in rejected[2:]] == [
        (49, "an event is a dict, not str"),
        (39, "the status is '600'"),
    ]
    assert events[-1]["rejected"] == 90


def test_rejections_of_many_kinds_are_not_listed_without_end() -> None:
    structlog.configure()
    with capture_logs() as entries:
        log = RejectionLog("event.rejected")
        for number in range(5 + 30):
            log.warn("x" * number, "")
        log.finish()
        log.finish()
    assert len(entries) == 5 + 21
    assert (entries[5]["more"], entries[5]["like"]) == (10, "another reason")


def test_a_run_with_late_accesses_warns_of_them() -> None:
    *_, warning, _ = logged(access(40, 200), access(1, 200))
    assert (warning["event"], warning["code"]) == ("result.warning", "late_accesses")
    assert "1 of 2 accesses (50.0%) are late" in warning["text"]


def test_text_from_the_stream_is_escaped_and_bounded() -> None:
    events = logged(change(HOSTILE, HOSTILE), access(1, 500), access(2, 200), HOSTILE, name=HOSTILE)

    for event in events:
        for value in event.values():
            assert str(value).isprintable()
            assert len(str(value)) < 200


def test_a_program_that_configures_nothing_sees_warnings_on_stderr_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    consume(access(1, 500), "what?")

    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split("]")[1].split()[0] for line in err.splitlines()] == ["event.rejected"]


def test_commands_log_one_plain_line_per_event_if_there_is_no_terminal() -> None:
    stderr = io.StringIO()
    configure_logging("info", stderr)
    consume(access(1, 500))

    assert len(stderr.getvalue().splitlines()) == 3
    assert stderr.getvalue().isprintable() is False  # the newlines, and nothing else:
    assert stderr.getvalue().replace("\n", "").isprintable()


@pytest.mark.parametrize("plain", ["", "1"])
def test_a_terminal_gets_colours_unless_no_color_is_set(
    plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", plain)
    terminal = Terminal()
    with terminal:
        configure_logging("info", terminal.stream)
        consume(access(1, 500))

    assert "stream.started" in terminal.text
    assert ("\x1b[" in terminal.text) == (not plain)
