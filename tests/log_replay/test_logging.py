"""A replay logs its events, and text from files is harmless in the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

import slomon
from tests.histories import BROKEN, ENTRY, broken, write


def logged(paths: str, **options: Any) -> list[EventDict]:
    structlog.configure()
    with capture_logs() as entries:
        slomon.replay(paths, backend="python", **options)
    return list(entries)


def warned(paths: str, **options: Any) -> list[EventDict]:
    return [entry for entry in logged(paths, **options) if entry["log_level"] != "info"]


def test_a_replay_logs_the_format_of_each_log_and_the_accounting_of_its_lines(
    tmp_path: Path,
) -> None:
    log = broken(tmp_path)
    detected, finished = logged(log)

    assert detected == {
        "event": "log.format_detected",
        "file": f"{log[:80]}... ({len(log)} characters)" if len(log) > 80 else log,
        "format": "plain",
        "log_level": "info",
    }
    assert finished["event"] == "replay.finished"
    assert (finished["lines"], finished["accesses"]) == (3, 3)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /a 200 -", {"layout": "$time_iso8601 $request_method $request_uri $status"}),
        (
            '{"method": "GET", "path": "/a", "status": 200}',
            {"keys": "method=method,path=path,status=status"},
        ),
    ],
)
def test_what_was_found_inside_a_wrapper_is_logged_and_can_be_given(
    tmp_path: Path, text: str, shown: dict[str, str]
) -> None:
    lines = [
        json.dumps({"log": f"{text}\n", "stream": "stdout", "time": f"2025-03-10T12:00:{n:02}Z"})
        for n in range(20)
    ]
    log = write(tmp_path, "a-json.log", "\n".join(lines))
    detected, finished = logged(log)
    assert shown.items() <= detected.items()
    given = {"layout": "log_format", "keys": "json_keys"}
    ((name, value),) = shown.items()
    keys = dict(pair.split("=") for pair in value.split(",")) if name == "keys" else value
    _, again = logged(log, **{given[name]: keys})
    assert again["accesses"] == finished["accesses"] == 20


def test_a_replay_that_continues_from_a_checkpoint_is_logged(tmp_path: Path) -> None:
    log, path = broken(tmp_path), tmp_path / "saved"
    structlog.configure()
    with capture_logs() as entries:
        for _ in range(2):
            slomon.replay(
                log, backend="python", checkpoint=path, checkpoint_every=1e-9, keep_checkpoint=True
            )

    resumed = [one for one in entries if one["event"] == "replay.resumed"]
    assert resumed == [{"event": "replay.resumed", "log_level": "info", "file": str(path)}]


def test_the_format_of_many_logs_is_logged_once(tmp_path: Path) -> None:
    logs = [write(tmp_path, name, BROKEN) for name in ("a.log", "b.log", "c.log")]
    logs.append(write(tmp_path, "d.log", '- - - [01/Jan/1970:00:05:00 +0000] "GET / HTTP/1.1" 200'))
    structlog.configure()
    with capture_logs() as entries:
        slomon.replay(logs, backend="python")

    detected = [one for one in entries if one["event"] == "log.format_detected"]
    assert [one["log_level"] for one in detected] == ["info", "debug", "debug", "info"]


def test_the_first_malformed_line_is_logged_and_the_others_are_counted_at_the_end(
    tmp_path: Path,
) -> None:
    log = write(tmp_path, "a", "1 GET / 200\n" * 200 + "\x1b[2J\n" * 150)
    first, last = warned(log)

    assert (first["line"], first["text"]) == (201, "\\x1b[2J")
    assert (last["event"], last["more"]) == ("line.rejected", 149)
    assert last["like"] == "it has fields: 1"


def test_changes_of_services_that_own_no_endpoint_are_warned_of(tmp_path: Path) -> None:
    deploys = [
        {"commit": "c", "date": "1970-01-01T00:00:00Z", "service": f"\x1b{number}"}
        for number in (1, 2, 2, 3, 4, 5, 6, 7)
    ]
    changes = write(tmp_path, "deploys.json", json.dumps(deploys))
    (unmatched,) = warned(broken(tmp_path), changes=changes)

    assert (unmatched["event"], unmatched["code"]) == ("result.warning", "lost_deploys")
    shown = r"these services of deploys: \x1b1, \x1b2, \x1b3, \x1b4, \x1b5 and 2 more"
    assert shown in unmatched["text"]


@pytest.mark.parametrize("service", ["users", ""])
def test_changes_of_an_owner_or_of_every_service_are_fine(tmp_path: Path, service: str) -> None:
    deploy = {"commit": "c", "date": "1970-01-01T00:00:00Z", "service": service}
    changes = write(tmp_path, "deploys.json", json.dumps([deploy]))

    assert warned(broken(tmp_path), changes=changes, endpoints=[ENTRY]) == []


def test_accesses_to_endpoints_beyond_the_limit_are_warned_of(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "1 GET /a 200\n1 GET /b 200\n1 GET /c 200\n")
    (capped,) = warned(log, max_endpoints=1)

    assert (capped["event"], capped["code"]) == ("result.warning", "capped_endpoints")
    assert "2 accesses count for no endpoint: 1 endpoints were found before" in capped["text"]
    assert "--max-endpoints" in capped["text"]


def test_late_accesses_are_warned_of_with_a_sufficient_lateness(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "9.5 GET / 200\n8 GET / 200\n")
    (late,) = warned(log, lateness=0)

    assert (late["event"], late["code"]) == ("result.warning", "late_accesses")
    assert "--lateness 2s (lateness=) would put them in order" in late["text"]
    assert warned(log, lateness="2s") == []


def test_a_log_of_other_endpoints_is_warned_of(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", BROKEN.replace("/users", "/others"))
    (unmatched,) = warned(log, endpoints=[ENTRY])

    assert (unmatched["event"], unmatched["code"]) == ("result.warning", "unmatched_accesses")
    assert unmatched["log_level"] == "error"


def test_a_file_that_was_not_read_to_its_end_is_an_error(tmp_path: Path) -> None:
    problem, warning = warned(write(tmp_path, "\x1b.gz", b"\x1f\x8b\x08\x00"))

    assert (problem["event"], problem["log_level"]) == ("log.problem", "error")
    assert "\\x1b.gz: " in problem["problem"]
    assert warning["code"] == "empty_logs"
