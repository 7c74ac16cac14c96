"""A monitor in a thread of its own, for programs without an event loop."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

import slomon
from slomon import IncidentOpened
from slomon.live_monitor.clock import SystemClock
from tests.live_monitor.clock import ManualClock
from tests.live_monitor.services import ENTRIES


def test_its_methods_are_those_of_a_live_monitor(tmp_path: Path) -> None:
    with slomon.live_in_thread(ENTRIES, state=tmp_path / "state") as monitor:
        events = monitor.subscribe()
        assert monitor.change(service="users", commit="c1")
        assert monitor.access("GET", "/users", 500)
        assert monitor.send("GET", "/users", 500)
        assert monitor.counter("GET", "/users")(500)
        monitor.flush()
        opened = next(iter(events))
        assert isinstance(opened, IncidentOpened)
        assert opened.incident.broken_by is not None
        assert monitor.mttr() == monitor.snapshot().mttr() == 0.0
        assert monitor.api_histogram() == {"users": 1}
        assert monitor.incident_details()["users"][0]["break"] == "c1"
    assert not monitor.running
    assert not monitor.send("GET", "/users", 500)
    assert monitor.snapshot().accounting.events == 4
    assert not (tmp_path / "state.journal").exists()


def test_its_options_are_those_of_a_live_monitor() -> None:
    assert inspect.signature(slomon.live_in_thread) == inspect.signature(slomon.live)
    with pytest.raises(slomon.ConfigurationError, match="'buffer'"):
        slomon.live_in_thread(ENTRIES, buffer=-1)


def test_threads_report_at_the_same_time_and_nothing_is_lost() -> None:
    with slomon.live_in_thread(ENTRIES) as monitor:

        def report() -> None:
            for _ in range(1000):
                monitor.send("GET", "/users", 200)

        threads = [threading.Thread(target=report) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    accounting = monitor.snapshot().accounting
    assert (accounting.events, dict(accounting.dropped)) == (4000, {})


def test_a_subscriber_in_a_thread_gets_everything_and_ends_with_the_monitor() -> None:
    monitor = slomon.live_in_thread(ENTRIES, clock=ManualClock())
    found: list[Any] = []
    with monitor:
        events = monitor.subscribe()
        late = monitor.subscribe()
        reader = threading.Thread(target=lambda: found.extend(events))
        reader.start()
        monitor.access("GET", "/users", 500)
    reader.join()
    assert [type(event) for event in found] == [IncidentOpened]
    assert [type(event) for event in late] == [IncidentOpened]


def test_it_starts_once_at_a_time_and_again_after_it_was_stopped() -> None:
    monitor = slomon.live_in_thread(ENTRIES, clock=ManualClock())
    monitor.stop()
    for events in (1, 2):
        monitor.start()
        with pytest.raises(RuntimeError, match="this live monitor is running"):
            monitor.start()
        monitor.access("GET", "/users", 200)
        monitor.stop()
        assert monitor.snapshot().accounting.events == events
    with pytest.raises(RuntimeError, match="is not running"):
        monitor.flush()


def test_what_prevents_the_start_is_raised_and_leaves_no_thread(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    monitor = slomon.live_in_thread(ENTRIES, state=tmp_path / "state")
    before = threading.active_count()
    with pytest.raises(slomon.StateFileError):
        monitor.start()
    assert threading.active_count() == before
    (tmp_path / "state").rmdir()
    with monitor:
        assert monitor.running


class BrokenWaitError(Exception):
    pass


def test_a_failure_is_raised_by_stop(tmp_path: Path) -> None:
    class FailingClock(SystemClock):
        async def sleep_until(self, _: int) -> None:
            raise BrokenWaitError

    monitor = slomon.live_in_thread(ENTRIES, clock=FailingClock(), state=tmp_path / "state")
    monitor.start()
    with pytest.raises(BrokenWaitError):
        monitor.stop()
    assert not monitor.running


def test_a_program_that_never_stops_it_ends_and_has_saved(tmp_path: Path) -> None:
    script = f"""
        import slomon
        monitor = slomon.live_in_thread({ENTRIES!r}, state={str(tmp_path / "state")!r})
        monitor.start()
        monitor.access("GET", "/users", 500)
    """
    subprocess.run([sys.executable, "-c", dedent(script)], check=True, timeout=60)
    assert not (tmp_path / "state.journal").exists()
    with slomon.live_in_thread(ENTRIES, state=tmp_path / "state") as following:
        assert following.snapshot().accounting.events == 1


def test_it_counts_the_requests_of_flask() -> None:
    flask = pytest.importorskip("flask")
    application = flask.Flask("users")
    with slomon.live_in_thread(ENTRIES) as monitor:

        def count(response: Any) -> Any:
            rule = flask.request.url_rule
            monitor.access(flask.request.method, rule.rule if rule else "-", response.status_code)
            return response

        application.add_url_rule("/users", view_func=lambda: ("no", 500), endpoint="users")
        application.after_request(count)
        client = application.test_client()
        assert client.get("/users").status_code == 500
        assert client.get("/other").status_code == 404
        monitor.flush()
        assert monitor.snapshot().accounting.unmatched == 1
        assert monitor.api_histogram() == {"users": 1}


def test_it_does_not_start_where_threads_are_greenlets(monkeypatch: pytest.MonkeyPatch) -> None:
    gevent = ModuleType("gevent.monkey")
    monkeypatch.setattr(gevent, "is_module_patched", "threading".__eq__, raising=False)
    monkeypatch.setitem(sys.modules, "gevent.monkey", gevent)
    monitor = slomon.live_in_thread(ENTRIES)
    with pytest.raises(RuntimeError, match="gevent has replaced threads; allowed: real threads"):
        monitor.start()
    assert not monitor.running
