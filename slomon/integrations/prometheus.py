"""
A live monitor in Prometheus, as a collector of `prometheus_client`:

    REGISTRY.register(Collector(monitor))

No label is ever a commit, nor a path: there are as many series as endpoints, times a few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from slomon.errors import ConfigurationError
from slomon.live_monitor.buffer import CLOSED, FULL, LONG
from slomon.live_monitor.monitor import LiveMonitor, check_monitor
from slomon.live_monitor.snapshot import EndpointStatus, LiveAccounting, Snapshot
from slomon.text import escape_surrogates

if TYPE_CHECKING:
    from prometheus_client import Metric


Sample: TypeAlias = tuple[Sequence[str], Sequence[float]]
"""The values of labels, and a value; of a summary the count and the sum."""


class Collector:
    """
    The figures of a monitor, read off it at each scrape, on whatever thread that comes. It can be
    registered before the monitor runs, and its counters go on after a restart where the monitor
    keeps its state.

    Raises ConfigurationError without the extra `slomon[prometheus]`, and where `monitor` is none.
    """

    def __init__(self, monitor: LiveMonitor) -> None:
        check_monitor(monitor)
        self._client = import_client()
        self._monitor = monitor

    def describe(self) -> list[Metric]:
        """The metrics without samples: a registry wants to know their names."""
        return [self._make(family) for family in _FAMILIES]

    def collect(self) -> list[Metric]:
        """All samples, of one moment."""
        snapshot = self._monitor.snapshot()
        return [self._make(family, family.look(snapshot)) for family in _FAMILIES]

    def _make(self, family: _Family, samples: Iterable[Sample] = ()) -> Metric:
        make = getattr(self._client, family.kind)
        metric: Any = make(family.name, family.meaning, labels=family.labels)
        for labels, values in samples:  # one that can't be encoded would spoil the whole scrape
            metric.add_metric(list(map(escape_surrogates, labels)), *values)
        made: Metric = metric
        return made


def import_client() -> Any:
    """The module prometheus_client.core. Raises ConfigurationError where it is not installed."""
    try:
        import prometheus_client.core as client  # noqa: PLC0415 (an extra)
    except ImportError:
        raise ConfigurationError(
            "metrics are made by prometheus_client, which is not installed; needed: "
            "pip install 'slomon[prometheus]'"
        ) from None
    return client


class _Family(NamedTuple):
    """A metric: the class of the client that it is of, and how its samples are looked up."""

    kind: str
    name: str
    meaning: str
    labels: Sequence[str]
    look: Callable[[Snapshot], Iterable[Sample]]


def _each(
    look: Callable[[EndpointStatus], Sequence[float | None]],
) -> Callable[[Snapshot], Iterable[Sample]]:
    """A sample an endpoint, and none for one of which nothing is known."""
    return lambda snapshot: [
        (_label(one), known)
        for one in snapshot.endpoints
        if (known := [value for value in look(one) if value is not None])
    ]


def _all(look: Callable[[LiveAccounting], float]) -> Callable[[Snapshot], Iterable[Sample]]:
    """One sample, of what became of all events."""
    return lambda snapshot: [((), [look(snapshot.accounting)])]


def _count_events(snapshot: Snapshot) -> Iterable[Sample]:
    for one in snapshot.endpoints:
        yield (*_label(one), "success"), [one.all_requests - one.all_failures]
        yield (*_label(one), "failure"), [one.all_failures]


def _count_dropped(snapshot: Snapshot) -> Iterable[Sample]:
    # All reasons are there from the beginning: to Prometheus a rise from nothing is none.
    counts = {**dict.fromkeys((FULL, CLOSED, LONG), 0), **snapshot.accounting.dropped}
    return [([reason], [count]) for reason, count in counts.items()]


def _label(one: EndpointStatus) -> tuple[str, str, str]:
    return one.service, one.verb, one.resource


_COUNTER: Final = "CounterMetricFamily"
_GAUGE: Final = "GaugeMetricFamily"
_SUMMARY: Final = "SummaryMetricFamily"
_ENDPOINT: Final = ("service", "method", "route")
_FAMILIES: Final = [
    _Family(
        _COUNTER,
        "slomon_events_total",
        "Requests to an endpoint that were counted.",
        (*_ENDPOINT, "result"),
        _count_events,
    ),
    _Family(
        _GAUGE,
        "slomon_sli_ratio",
        "Successes among the requests in the window as of now, where it holds any.",
        _ENDPOINT,
        _each(lambda one: [one.sli]),
    ),
    _Family(
        _GAUGE,
        "slomon_slo_ratio",
        "The least SLI that is no incident.",
        _ENDPOINT,
        _each(lambda one: [one.slo]),
    ),
    _Family(
        _GAUGE,
        "slomon_incident_open",
        "1 while an incident is open, else 0.",
        _ENDPOINT,
        _each(lambda one: [int(one.incident is not None)]),
    ),
    _Family(
        _COUNTER,
        "slomon_incidents_total",
        "Incidents that opened.",
        _ENDPOINT,
        _each(lambda one: [one.incidents]),
    ),
    _Family(
        _SUMMARY,
        "slomon_incident_duration_seconds",
        "From start to end of the incidents that were repaired.",
        _ENDPOINT,
        _each(lambda one: [one.closed, one.closed_seconds]),
    ),
    _Family(
        _COUNTER,
        "slomon_changes_total",
        "Changes of a watched service.",
        (),
        _all(lambda accounting: accounting.changes),
    ),
    _Family(
        _COUNTER,
        "slomon_events_unmatched_total",
        "Requests and changes of what nobody watches.",
        (),
        _all(lambda accounting: accounting.unmatched),
    ),
    _Family(
        _COUNTER,
        "slomon_events_rejected_total",
        "Requests and changes that are malformed.",
        (),
        _all(lambda accounting: accounting.rejected),
    ),
    _Family(
        _COUNTER,
        "slomon_events_late_total",
        "Requests that came after a newer one of their endpoint, and counted at its time.",
        (),
        _all(lambda accounting: accounting.late),
    ),
    _Family(
        _COUNTER,
        "slomon_events_dropped_total",
        "Requests and changes that were not taken in.",
        ("reason",),
        _count_dropped,
    ),
]
