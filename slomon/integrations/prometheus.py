"""
The metrics of a live monitor for Prometheus, as a collector of `prometheus_client`:

    REGISTRY.register(Collector(monitor))

The metrics of several monitors in one registry come from one collector, with a label `monitor`:

    REGISTRY.register(Collector({"api": api, "jobs": jobs}))

No label is a commit or a path, so the number of series is a small multiple of the number of
endpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from slomon.errors import ConfigurationError, LeaderError
from slomon.live_monitor.buffer import CLOSED, FORKED, FULL, LONG
from slomon.live_monitor.monitor import LiveMonitor, check_monitor
from slomon.live_monitor.snapshot import EndpointStatus, LiveAccounting, Snapshot
from slomon.logging import RateLimitedLog
from slomon.text import escape_surrogates

if TYPE_CHECKING:
    from prometheus_client import Metric


Sample: TypeAlias = tuple[Sequence[str], Sequence[Any]]
"""
The values of the labels, and a value; for a summary, its count and its sum; for a histogram, its
buckets and its sum.
"""


class Collector:
    """
    A collector that takes a snapshot of the monitor at each scrape, in any thread. It can be
    registered before the monitor runs. If the monitor saves its state, the counters continue after
    a restart. `monitor` may be several monitors by name.

    Raises ConfigurationError if the extra `slomon[prometheus]` is not installed or if `monitor` is
    no live monitor.
    """

    def __init__(self, monitor: LiveMonitor | Mapping[str, LiveMonitor]) -> None:
        named = monitor if isinstance(monitor, Mapping) else {"": monitor}
        for one in named.values():
            check_monitor(one)
        self._client = import_client()
        self._monitors = dict(named)
        self._labels = ["monitor"] if isinstance(monitor, Mapping) else []
        self._logs = {name: RateLimitedLog(one.clock.now) for name, one in named.items()}

    def describe(self) -> list[Metric]:
        """The metrics without samples, by which a registry knows their names."""
        return [self._make(family) for family in (_UP, *_FAMILIES)]

    def collect(self) -> list[Metric]:
        """
        All samples, from one snapshot of each monitor. If another process counts and does not
        answer, `slomon_up` is 0 and the only sample.
        """
        snapshots, is_up = {}, {}
        for name, monitor in self._monitors.items():
            try:
                snapshots[name] = monitor.snapshot()
            except LeaderError as error:
                self._logs[name].warn("metrics.unknown", reason=str(error))
            is_up[name] = int(name in snapshots)
        up = [(self._name(name), [value]) for name, value in is_up.items()]
        if not snapshots:
            return [self._make(_UP, up)]
        families = [
            self._make(
                family,
                [
                    ((*self._name(name), *labels), values)
                    for name, snapshot in snapshots.items()
                    for labels, values in family.read(snapshot)
                ],
            )
            for family in _FAMILIES
        ]
        return [self._make(_UP, up), *families]

    def _name(self, monitor: str) -> Sequence[str]:
        return [monitor] if self._labels else []

    def _make(self, family: _Family, samples: Iterable[Sample] = ()) -> Metric:
        make = getattr(self._client, family.kind)
        metric: Any = make(family.name, family.help, labels=[*self._labels, *family.labels])
        for labels, values in samples:
            # A label that can't be encoded would fail the whole scrape.
            metric.add_metric(list(map(escape_surrogates, labels)), *values)
        made: Metric = metric
        return made


def import_client() -> Any:
    """The module prometheus_client.core. Raises ConfigurationError if it is not installed."""
    try:
        import prometheus_client.core as client  # noqa: PLC0415 (an extra)
    except ImportError:
        raise ConfigurationError(
            "metrics are made by prometheus_client, which is not installed; needed: "
            "pip install 'slomon[prometheus]'"
        ) from None
    return client


class _Family(NamedTuple):
    """A metric: its class in the client, its name, help and labels, and how to read its samples."""

    kind: str
    name: str
    help: str
    labels: Sequence[str]
    read: Callable[[Snapshot], Iterable[Sample]]


def _each(
    read: Callable[[EndpointStatus], Sequence[float | None]],
) -> Callable[[Snapshot], Iterable[Sample]]:
    """A sample per endpoint; none for an endpoint without a value."""
    return lambda snapshot: [
        (_label(one), known)
        for one in snapshot.endpoints
        if (known := [value for value in read(one) if value is not None])
    ]


def _all(read: Callable[[LiveAccounting], float]) -> Callable[[Snapshot], Iterable[Sample]]:
    """One sample, from the accounting of all events."""
    return lambda snapshot: [((), [read(snapshot.accounting)])]


def _count_events(snapshot: Snapshot) -> Iterable[Sample]:
    for one in snapshot.endpoints:
        yield (*_label(one), "success"), [one.all_requests - one.all_failures]
        yield (*_label(one), "failure"), [one.all_failures]


def _read_durations(snapshot: Snapshot) -> Iterable[Sample]:
    for one in snapshot.endpoints:
        if (took := one.durations) is not None:
            buckets = [(f"{bound:g}", took.count_until(bound)) for bound in _BUCKETS]
            yield _label(one), [[*buckets, ("+Inf", took.requests)], took.seconds]


def _count_dropped(snapshot: Snapshot) -> Iterable[Sample]:
    # All reasons exist from the start: Prometheus sees no increase if a series begins above 0.
    counts = {**dict.fromkeys((FULL, CLOSED, LONG, FORKED), 0), **snapshot.accounting.dropped}
    return [([reason], [count]) for reason, count in counts.items()]


def _label(one: EndpointStatus) -> tuple[str, str, str]:
    return one.service, one.verb, one.resource


_COUNTER: Final = "CounterMetricFamily"
_GAUGE: Final = "GaugeMetricFamily"
_SUMMARY: Final = "SummaryMetricFamily"
_HISTOGRAM: Final = "HistogramMetricFamily"
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds, as OpenTelemetry recommends for requests."""
_ENDPOINT: Final = ("service", "method", "route")
_UP: Final = _Family(
    _GAUGE,
    "slomon_up",
    "1 if the process that counts has answered, else 0.",
    (),
    lambda _: [((), [1])],
)
_FAMILIES: Final = [
    _Family(
        _COUNTER,
        "slomon_events_total",
        "Requests to an endpoint, by result.",
        (*_ENDPOINT, "result"),
        _count_events,
    ),
    _Family(
        _GAUGE,
        "slomon_sli_ratio",
        "Share of successes among the requests in the current window, if it has any.",
        _ENDPOINT,
        _each(lambda one: [one.sli]),
    ),
    _Family(
        _GAUGE,
        "slomon_slo_ratio",
        "The lowest SLI without an incident.",
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
        "Incidents that have opened.",
        _ENDPOINT,
        _each(lambda one: [one.incidents]),
    ),
    _Family(
        _SUMMARY,
        "slomon_incident_duration_seconds",
        "Durations of closed incidents.",
        _ENDPOINT,
        _each(lambda one: [one.closed, one.closed_seconds]),
    ),
    _Family(
        _HISTOGRAM,
        "slomon_request_duration_seconds",
        "Durations of the requests that were reported with one.",
        _ENDPOINT,
        _read_durations,
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
        "Requests and changes without a watched endpoint or service.",
        (),
        _all(lambda accounting: accounting.unmatched),
    ),
    _Family(
        _COUNTER,
        "slomon_events_rejected_total",
        "Malformed requests and changes.",
        (),
        _all(lambda accounting: accounting.rejected),
    ),
    _Family(
        _COUNTER,
        "slomon_events_late_total",
        "Requests older than the newest one of their endpoint, which count at its time.",
        (),
        _all(lambda accounting: accounting.late),
    ),
    _Family(
        _COUNTER,
        "slomon_events_dropped_total",
        "Requests and changes that were dropped, by reason.",
        ("reason",),
        _count_dropped,
    ),
]
