"""A live monitor can be scraped: the text is right, and a real Prometheus accepts it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio import run_process, sleep_forever, to_thread
from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.openmetrics import exposition, parser
from prometheus_client.parser import text_string_to_metric_families

import slomon
from slomon.errors import ConfigurationError
from slomon.files import in_use
from slomon.integrations.prometheus import Collector
from tests.servers import Servers, find_program, poll

SECOND = 1_000_000_000
USERS = {"name": "users", "email": "ana@example.com", "slo": 0.75, "window": 30}
LIST = {**USERS, "verb": "GET", "resource": "/users/{id}"}
WRITE = {**USERS, "verb": "POST", "resource": "/users"}
USER = ("users", "GET", "/users/{id}")
QUIET = ("users", "POST", "/users")
# Untyped, in a typed package.
show_openmetrics: Any = exposition.generate_latest
parse_openmetrics: Any = parser.text_string_to_metric_families
LABELS = ("service", "method", "route", "result", "reason")


class StillClock:
    """A clock that stands still until a test changes it."""

    def __init__(self) -> None:
        self.tick = 60 * SECOND

    def now(self) -> int:
        return self.tick

    async def sleep_until(self, tick: int) -> None:  # noqa: ARG002 (that time never comes)
        await sleep_forever()


def live(clock: StillClock | None = None) -> slomon.LiveMonitor:
    return slomon.live([LIST, WRITE], clock=clock or StillClock())


async def break_it(monitor: slomon.LiveMonitor) -> None:
    monitor.change(service="users", commit="c1")
    monitor.access("GET", "/users/{id}", 200, at=40)
    monitor.access("GET", "/users/{id}", 500, at=41)
    await monitor.flush()


async def break_and_fix(monitor: slomon.LiveMonitor) -> None:
    """An incident of three seconds, and an event for each other outcome."""
    await break_it(monitor)
    for at in (44, 43, 45):
        monitor.access("GET", "/users/{id}", 200, at=at)
    monitor.change(service="nobody's", commit="c1")
    monitor.access("GET", "/nowhere", 200)
    monitor.access("GET", "/users/{id}", 999)
    monitor.access("GET", "/" * 10_000, 200)
    await monitor.flush()


def make_registry(monitor: slomon.LiveMonitor) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=True)
    registry.register(Collector(monitor))
    return registry


def scrape(monitor: slomon.LiveMonitor) -> str:
    return generate_latest(make_registry(monitor)).decode()


def read(text: str) -> dict[tuple[str, ...], float]:
    """The samples: the name and the values of the labels, with the value."""
    return name_samples(text_string_to_metric_families(text))


def name_samples(families: Iterable[Any]) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(sample.labels[label] for label in LABELS if label in sample.labels)): (
            sample.value
        )
        for family in families
        for sample in family.samples
    }


async def test_durations_are_a_histogram_in_seconds() -> None:
    async with live() as monitor:
        for seconds in (0.004, 0.3, 20.0):
            monitor.access("GET", "/users/{id}", 200, duration=seconds)
        await monitor.flush()
        text = scrape(monitor)

    name = "slomon_request_duration_seconds"
    samples = [
        (sample.labels.get("le"), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name in (f"{name}_bucket", f"{name}_count", f"{name}_sum")
    ]
    assert {("0.005", 1), ("0.25", 1), ("0.5", 2), ("10", 2), ("+Inf", 3)} < set(samples)
    assert samples[-2:] == [(None, 3), (None, 20.304)]


async def test_a_scrape_has_what_the_monitor_counted() -> None:
    async with live() as monitor:
        await break_and_fix(monitor)
        samples = read(scrape(monitor))

    assert samples == {
        ("slomon_up",): 1,
        ("slomon_events_total", *USER, "success"): 4,
        ("slomon_events_total", *USER, "failure"): 1,
        ("slomon_events_total", *QUIET, "success"): 0,
        ("slomon_events_total", *QUIET, "failure"): 0,
        ("slomon_sli_ratio", *USER): 0.8,
        ("slomon_slo_ratio", *USER): 0.75,
        ("slomon_slo_ratio", *QUIET): 0.75,
        ("slomon_incident_open", *USER): 0,
        ("slomon_incident_open", *QUIET): 0,
        ("slomon_incidents_total", *USER): 1,
        ("slomon_incidents_total", *QUIET): 0,
        ("slomon_incident_duration_seconds_count", *USER): 1,
        ("slomon_incident_duration_seconds_sum", *USER): 3,
        ("slomon_incident_duration_seconds_count", *QUIET): 0,
        ("slomon_incident_duration_seconds_sum", *QUIET): 0,
        ("slomon_changes_total",): 1,
        ("slomon_events_unmatched_total",): 2,
        ("slomon_events_rejected_total",): 1,
        ("slomon_events_late_total",): 1,
        ("slomon_events_dropped_total", "full"): 0,
        ("slomon_events_dropped_total", "closed"): 0,
        ("slomon_events_dropped_total", "too long"): 1,
        ("slomon_events_dropped_total", "forked"): 0,
    }


async def test_monitors_of_one_registry_are_told_apart_by_a_label() -> None:
    registry = CollectorRegistry(auto_describe=True)
    async with live() as one, live() as other:
        await break_it(one)
        registry.register(Collector({"api": one, "jobs": other}))
        text = generate_latest(registry).decode()
    opened = {
        sample.labels["monitor"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "slomon_incidents_total" and sample.labels["method"] == "GET"
    }
    assert opened == {"api": 1, "jobs": 0}
    assert text.count("# TYPE slomon_incidents_total ") == 1


async def test_there_is_no_sli_without_a_request_in_the_window() -> None:
    clock = StillClock()
    async with live(clock) as monitor:
        await break_and_fix(monitor)
        clock.tick += 30 * SECOND

        assert "slomon_sli_ratio{" not in scrape(monitor)


async def test_an_open_incident_is_a_sample() -> None:
    async with live() as monitor:
        await break_it(monitor)
        samples = read(scrape(monitor))

    assert samples["slomon_incident_open", *USER] == 1
    assert samples["slomon_incidents_total", *USER] == 1
    assert samples["slomon_incident_duration_seconds_count", *USER] == 0


async def test_no_commit_and_no_path_is_ever_in_a_label() -> None:
    async with live() as monitor:
        await break_and_fix(monitor)
        text = scrape(monitor)

    assert "c1" not in text
    assert "nowhere" not in text


async def test_promtool_finds_no_fault() -> None:
    command = [find_program("promtool"), "check", "metrics"]
    async with live() as monitor:
        await break_and_fix(monitor)
        run = await run_process(command, input=scrape(monitor).encode(), check=False)

    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")


async def test_openmetrics_has_the_same_samples() -> None:
    async with live() as monitor:
        await break_and_fix(monitor)
        plain, text = scrape(monitor), show_openmetrics(make_registry(monitor)).decode()

    assert name_samples(parse_openmetrics(text)) == read(plain)


async def test_any_text_can_be_a_label() -> None:
    async with slomon.live([{**LIST, "name": 'a"b\\c\nd\u2028\ud800{}'}]) as monitor:
        samples = read(scrape(monitor))

    shown = 'a"b\\c\nd\u2028\\ud800{}'
    assert samples["slomon_slo_ratio", shown, "GET", "/users/{id}"] == 0.75


async def test_it_can_be_registered_before_and_read_after_the_monitor_runs() -> None:
    monitor = live()
    registry = make_registry(monitor)
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        registry.register(Collector(monitor))

    monitor.access("GET", "/users/{id}", 200)
    before = read(generate_latest(registry).decode())
    async with monitor:
        monitor.access("GET", "/users/{id}", 200)
    after = read(generate_latest(registry).decode())

    assert before["slomon_events_dropped_total", "closed"] == 1
    assert after["slomon_events_dropped_total", "closed"] == 1
    assert after["slomon_events_total", *USER, "success"] == 1


@pytest.mark.slow
async def test_counters_never_go_down() -> None:
    counters = ("_total", "_count", "_sum")
    seen: dict[tuple[str, ...], float] = {}
    async with live() as monitor:
        for number in range(300):
            monitor.access("GET", "/users/{id}", 500 if number % 60 < 20 else 200, at=number)
            await monitor.flush()
            now = read(scrape(monitor))
            assert all(now[key] >= seen[key] for key in seen if key[0].endswith(counters))
            seen = now

    assert seen["slomon_incident_duration_seconds_count", *USER] > 1


async def test_counters_continue_after_a_restart_with_saved_state(tmp_path: Path) -> None:
    for _ in range(2):
        async with slomon.live([LIST], state=tmp_path / "state") as monitor:
            monitor.access("GET", "/users/{id}", 200)

    assert read(scrape(monitor))["slomon_events_total", *USER, "success"] == 2


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client.core", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'slomon\[prometheus\]'"):
        Collector(live())


@contextmanager
def serving(registry: CollectorRegistry) -> Iterator[str]:
    """A service with `/metrics`, at this `host:port`."""
    server, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def test_a_real_prometheus_sees_an_incident_open_and_close(servers: Servers) -> None:
    async with live() as monitor:
        with serving(make_registry(monitor)) as target:
            prometheus = await to_thread.run_sync(servers.prometheus, target)

            async def wait_until(name: str, value: float) -> dict[str, str]:
                """The labels of the metric once its newest sample has that value."""
                path = f"/api/v1/query?query={name}%7Bmethod=%22GET%22%7D"

                def ask() -> dict[str, str] | None:
                    (sample,) = prometheus.get(path)["data"]["result"] or [None]
                    is_there = sample and float(sample["value"][1]) == value
                    return sample["metric"] if is_there else None

                return await to_thread.run_sync(poll, ask, f"{name} is {value}")

            await break_it(monitor)
            labels = await wait_until("slomon_incident_open", 1)
            for _ in range(4):
                monitor.access("GET", "/users/{id}", 200, at=45)
            await wait_until("slomon_incident_open", 0)
            await wait_until("slomon_incident_duration_seconds_sum", 4)
            metadata = await to_thread.run_sync(prometheus.get, "/api/v1/metadata")

    own = {name: value for name, value in labels.items() if name not in {"job", "instance"}}
    assert own == {"__name__": "slomon_incident_open", **dict(zip(LABELS, USER, strict=False))}
    types = {name: one[0]["type"] for name, one in metadata["data"].items() if "slomon" in name}
    assert types["slomon_incident_duration_seconds"] == "summary"
    assert len(types) == 13


def test_another_object_than_a_monitor_is_rejected() -> None:
    nothing: Any = None
    with pytest.raises(ConfigurationError, match=r"'monitor' is None; allowed: what slomon.live"):
        Collector(nothing)


async def test_a_scrape_says_that_the_process_that_counts_does_not_answer(tmp_path: Path) -> None:
    with in_use(tmp_path / "state"):
        async with slomon.live([LIST], state=tmp_path / "state") as monitor:
            assert read(scrape(monitor)) == {("slomon_up",): 0}


async def test_found_endpoints_have_metrics_that_continue_after_a_restart(tmp_path: Path) -> None:
    total = 'slomon_events_total{method="GET",result="success",route="/users/{id}",service="users"}'
    for count in (1.0, 2.0):
        async with slomon.live("auto", service="users", state=tmp_path / "state") as monitor:
            registry = make_registry(monitor)
            monitor.access("GET", "/users/7", 200)
            await monitor.flush()
            assert f"{total} {count}" in generate_latest(registry).decode()
