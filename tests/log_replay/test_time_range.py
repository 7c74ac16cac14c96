"""Only what happened from --from to --to counts, and all else is accounted for."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

import slomon
from slomon.core.endpoints import Endpoint
from slomon.core.events import Access, Change
from slomon.errors import OptionError
from slomon.log_replay.checkpoint import Checkpoint
from slomon.log_replay.run import Replay
from tests.formats.lines import SCANNED, random_lines
from tests.histories import write
from tests.log_replay.replays import BACKENDS, FORMATS, SECOND, Opened, make_plan, told

LOG = "".join(
    f"{second} GET /users {500 if second == 130 else 200}\n" for second in range(100, 200)
)


def replay(log: str, **options: Any) -> slomon.ReplayMonitor:
    return slomon.replay(log, backend="python", slo="90%", window="5s", **options)


def test_the_range_is_half_open_and_the_rest_is_excluded(tmp_path: Path) -> None:
    monitor = replay(write(tmp_path, "a.log", LOG), from_=110, to="150")
    assert monitor.accounting.accesses == 40
    assert monitor.accounting.excluded == 60
    assert monitor.accounting.excluded_by_reason == {"out_of_range": 60}
    assert (monitor.totals.span.began, monitor.totals.span.ended) == (110 * SECOND, 149 * SECOND)


@pytest.mark.parametrize(
    ("first", "end"),
    [
        ("1970-01-01T00:01:50Z", "1970-01-01T00:02:30Z"),
        ("1970-01-01T02:01:50", "1970-01-01 02:02:30"),
        (110.0, datetime(1970, 1, 1, 0, 2, 30, tzinfo=UTC)),
        (datetime(1970, 1, 1, 2, 1, 50), 150),
    ],
)
def test_a_time_is_a_date_with_a_time_or_seconds(tmp_path: Path, first: Any, end: Any) -> None:
    monitor = replay(write(tmp_path, "a.log", LOG), from_=first, to=end, zone="+02:00")
    assert monitor.accounting.accesses == 40


def test_a_day_begins_in_the_zone_given_or_else_in_utc(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "86399 GET / 200\n86400 GET / 200\n")
    assert replay(log, from_="1970-01-02").accounting.accesses == 1
    assert replay(log, to=date(1970, 1, 2)).accounting.accesses == 1
    assert replay(log, from_="1970-01-02", zone="+01:00").accounting.accesses == 2


def test_a_request_outside_the_range_makes_no_endpoint_known(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "1 GET /old 200\n5 GET /new 500\n9 GET /later 200\n")
    monitor = replay(log, from_=5, to=6, max_endpoints=1)
    assert [one.resource for one in monitor.summary().endpoints] == ["/new"]
    assert (monitor.accounting.capped, monitor.accounting.excluded) == (0, 2)


def test_a_malformed_line_is_rejected_wherever_it_stands(tmp_path: Path) -> None:
    monitor = replay(write(tmp_path, "a.log", "1 GET / 200\n1 GET / 999\n9 GET / 200\n"), from_=5)
    assert (monitor.accounting.rejected, monitor.accounting.excluded) == (1, 1)


def deploys(folder: Path, *at: int) -> str:
    records = [{"commit": f"c{second}", "deployed_at": second, "service": ""} for second in at]
    return write(folder, "deploys.json", "".join(json.dumps(record) + "\n" for record in records))


def test_deploys_before_the_range_are_known_and_those_after_it_excluded(tmp_path: Path) -> None:
    monitor = replay(
        write(tmp_path, "a.log", LOG), from_=120, to=150, changes=deploys(tmp_path, 105, 149, 150)
    )
    (incident,) = monitor.incidents
    assert incident.broken_by is not None
    assert incident.broken_by.commit == "c105"
    assert monitor.accounting.changes == 2
    assert monitor.accounting.excluded_by_reason == {"out_of_range": 71}
    assert [one.commit for one in monitor.summary().deploys] == ["c105", "c149"]


def test_a_change_in_a_recorded_stream_has_the_time_of_the_access_before_it() -> None:
    def change(commit: str) -> str:
        value = f"commit: {commit}\nAuthor: <a>\nDate: today\nService: shop"
        return json.dumps({"type": "change", "value": value})

    def access(second: int) -> str:
        return json.dumps({"type": "access", "value": f"{second} GET /a 200"})

    lines = [access(1), change("a"), access(5), change("b"), access(9), change("c")]
    log = "".join(line + "\n" for line in lines).encode()
    for backend in BACKENDS:
        found = told(
            *(backend, [log], "events"),
            first=2 * SECOND,
            last=8 * SECOND,
            defaults=Endpoint("shop", "-", "", "", slo=0.9, window=300),
        )
        counted = found.accounting
        assert [one.change.commit for one in found.monitor.totals.deploys] == ["a", "b"]
        assert (counted.accesses, counted.changes, counted.excluded) == (1, 2, 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCANNED)
def test_each_backend_excludes_the_same_lines(name: str) -> None:
    lines = b"\n".join(random_lines(random.Random(name), name, 1000)) + b"\n"
    read = (FORMATS[name].parse(line) for line in lines.decode(errors="replace").split("\n"))
    ticks = sorted(access.tick for access in read if isinstance(access, Access))
    limits = {"first": ticks[len(ticks) // 4], "last": ticks[len(ticks) * 3 // 4]}
    reports = [told(backend, [lines], name, **limits) for backend in BACKENDS]
    assert reports[0].accounting.excluded > 0
    assert reports[0].accounting.accesses > 0
    assert len({one.report() for one in reports}) == 1


def test_an_incident_expires_by_what_came_until_the_end_of_the_range(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "100 GET /a 500\n101 GET /b 200\n900 GET /a 200\n")
    (still_open,) = replay(log, to=110, close_after_no_traffic="60s").incidents
    assert still_open.end is None
    (expired,) = replay(log, to=800, close_after_no_traffic="60s").incidents
    assert expired.end == 160 * SECOND


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"from_": "soon"}, "option 'from_': the time is 'soon'; allowed: a day, such as"),
        ({"from_": "2025-02-30"}, "option 'from_': the time is '2025-02-30'; allowed: a day"),
        ({"to": []}, "option 'to' is []; allowed: text such as"),
        ({"to": 0}, "option 'to' is '0'; allowed: a time after 1970-01-01T00:00:00Z"),
        ({"from_": 5.5, "to": 5.5}, "is '5.5'; allowed: a time after 1970-01-01T00:00:05.5Z"),
    ],
)
def test_a_wrong_time_is_named_with_what_is_allowed(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(OptionError) as caught:
        replay(write(tmp_path, "a.log", LOG), **options)
    assert message in str(caught.value)


@pytest.mark.parametrize("open_backend", BACKENDS)
def test_a_resumed_replay_counts_what_is_excluded_as_if_it_had_not_stopped(
    tmp_path: Path, open_backend: Opened
) -> None:
    gone = '[1970-01-01T00:01:45Z] "GET /a HTTP/1.1" 0 DC 1\n'
    lines = [
        f'[1970-01-01T00:{second // 60:02}:{second % 60:02}Z] "GET /a HTTP/1.1" 200 - 1\n'
        for second in range(100, 1000)
    ]
    log = write(tmp_path, "a.log", gone.join(lines))
    changes = [(second * SECOND, Change(f"c{second}", "", "", "")) for second in (90, 400, 700)]
    plan = make_plan(
        [log],
        changes=changes,
        first=200 * SECOND,
        last=500 * SECOND,
        block_bytes=1 << 12,
        max_line=1000,
        excluded_records={"environment is staging": 2},
    )
    state = tmp_path / "state"

    def run(saved: Any = None) -> Any:
        ticks = iter(range(10**9))
        checkpoint = Checkpoint(state, 1, {}, lambda: next(ticks))
        with open_backend() as backend:
            if saved is not None:
                saved = checkpoint.load()
            engine = Replay(plan, backend, checkpoint=checkpoint, saved=saved)
            return anyio.run(engine.run).accounting

    whole = run()
    assert run(saved=True) == whole
    assert whole.excluded_by_reason == {
        "no_status": 899,
        "environment is staging": 2,
        "out_of_range": 600,
    }
    assert whole.events == 900 + 899 + 5
    assert whole.excluded == sum(whole.excluded_by_reason.values())
    assert whole.accesses + whole.changes + whole.excluded == whole.events
