"""
The parts of a replay, and what is done with them before and after the logs are read.

    logs -> block -> rows -> order -> shard -> collector -> monitor

Two drivers read the logs: `run.Replay` on an event loop, with threads and queues, and
`direct.DirectReplay` on the calling thread, if the logs are small.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypedDict, Unpack

from slomon.core.endpoints import ShardEndpoints
from slomon.core.events import Change, RejectedLine
from slomon.core.incident import Incident
from slomon.core.reorder import SourceClock
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.shard import Shard
from slomon.core.totals import add_up
from slomon.core.windows import Windows
from slomon.endpoints.discovery import BY_FIELD, FoundEndpoints
from slomon.endpoints.templates import Template
from slomon.errors import ConfigurationError
from slomon.formats.format import Ambiguity, AnyLayout, Reading
from slomon.kernels.codes import UNMATCHED
from slomon.log_replay.accounts import Accounts
from slomon.log_replay.backend import Backend
from slomon.log_replay.detect import FormatDetector, OnFormatDetected, is_known
from slomon.log_replay.lines import CHANGES, Log, LogPosition, ReferenceParser
from slomon.log_replay.plan import LATENESS, Plan
from slomon.log_replay.requests import KnownRequests
from slomon.log_replay.sample import PathGroups
from slomon.log_replay.survey import LogState
from slomon.pipeline.collector import Collector
from slomon.text import excerpt


def _infer(lines: Sequence[str]) -> AnyLayout | Ambiguity | None:
    # Imported only if no known format reads a log: the import takes some milliseconds.
    from slomon.formats.inference import infer  # noqa: PLC0415

    return infer(lines)


def ignore(*_: object) -> None:
    """The default of the hooks."""


def make_detector(
    plan: Plan, requests: KnownRequests, on_format_detected: OnFormatDetected = ignore
) -> FormatDetector:
    """The detector of the formats of a plan's logs."""
    return FormatDetector(
        plan.formats,
        requests,
        on_format_detected,
        match_exactly=plan.match_exactly,
        reading=Reading(plan.is_failure, plan.zone, plan.service_from == BY_FIELD),
        infer=_infer,
    )


def choose_lateness(plan: Plan, log: Log | None) -> int:
    """How late the lines of a log may be, in ticks; None is a log that is not recognised yet."""
    if plan.lateness is not None:
        return plan.lateness
    if log is None:
        return LATENESS
    return 0 if log.format.ordered else max(LATENESS, log.lateness)


class ReadLog(Protocol):
    """A log of a replay, as far as it was read: as in `LogReader`."""

    @property
    def path(self) -> str: ...
    @property
    def log(self) -> Log | None: ...
    @property
    def place(self) -> LogPosition: ...
    @property
    def refusal(self) -> ConfigurationError | None: ...
    @property
    def copy_of(self) -> str | None: ...


class Hooks(TypedDict, total=False):
    """
    What a replay calls: `on_rejected` with each malformed line, `on_format_detected` with each
    log's name and format, and `on_paths_grouped` with the path templates once they are known.
    """

    on_rejected: Callable[[RejectedLine], None]
    on_format_detected: OnFormatDetected
    on_paths_grouped: Callable[[Sequence[Template]], None]


class ReplayParts:
    """
    The parts of one replay, without what reads the logs: the base of its two drivers. `counts` are
    those of a saved state, as arguments of `ReferenceParser`.
    """

    logs: Sequence[ReadLog]
    """The logs, the one that begins first at the front, once the replay has begun."""

    def __init__(
        self,
        plan: Plan,
        backend: Backend,
        *,
        counts: Mapping[str, Any] | None = None,
        **hooks: Unpack[Hooks],
    ) -> None:
        on_rejected = hooks.get("on_rejected", ignore)
        self._plan = plan
        self._backend = backend
        most = plan.max_endpoints if plan.endpoints is None else 0
        self._order, self._names = backend.order(1 + len(plan.logs), plan.workers, most)
        self._order.last = plan.last
        self._reference = ReferenceParser(
            self._order, on_rejected, **counts or {}, first=plan.first, last=plan.last
        )
        self._found = FoundEndpoints(self._names, plan.defaults, plan.service_from)
        self._requests = KnownRequests(plan, self._found)
        self._accounts = Accounts(plan, self._order, self._reference, self._names)
        self._resolver = backend.reader(self._reference, plan.is_failure)
        self._groups = PathGroups(plan, backend, self._names, hooks.get("on_paths_grouped", ignore))
        self._detector = make_detector(
            plan, self._requests, hooks.get("on_format_detected", ignore)
        )
        self._shards: list[Shard] = []
        self._collector = Collector(())

    def _finish(self) -> ServiceMonitor:
        """The result. Raises ConfigurationError if no log was in a known format."""
        refusals = [log.refusal for log in self.logs if log.refusal is not None]
        if refusals and not any(is_known(log.log) for log in self.logs):
            raise refusals[0]
        shards, order, collector = self._shards, self._order, self._collector
        newest = max(clock.newest for clock in order.clocks[CHANGES + 1 :])
        collector.finish(shards, min(max(newest, order.watched_until), self._plan.last))
        incidents: Iterable[Incident] = collector.incidents.values()
        if self._plan.endpoints is None:
            endpoints = self._found
            endpoints.settle({deploy.change.service for deploy in order.deploys})
            incidents = [replace(one, endpoint=endpoints[one.key]) for one in incidents]
        deploys = [deploy for deploy in order.deploys if self.is_watched(deploy.change)]
        totals = add_up(shards, deploys, order.span)
        accounting = self._accounts.sum_up(
            late=sum(shard.late for shard in shards),
            lines=self.lines,
            deploys=len(deploys),
            grouped_paths=sum(one.replaced for one in self._groups.templates or ()),
        )
        return ServiceMonitor(incidents, accounting, (), totals)

    def list_services(self) -> list[str]:
        """The services that own endpoints, after the run; not those that each are an endpoint."""
        given = self._plan.endpoints
        return sorted({one.name for one in given.endpoints} if given else self._found.services)

    @property
    def lines(self) -> int:
        """The number of lines that were read."""
        return sum(log.place.lines for log in self.logs)

    @property
    def sources(self) -> list[tuple[str, SourceClock]]:
        """The name and the clock of each log."""
        names = [excerpt(log.path) for log in self.logs]
        return list(zip(names, self._order.clocks[CHANGES + 1 :], strict=True))

    def is_watched(self, change: Change) -> bool:
        """Does the service of a change own an endpoint?"""
        return self._requests(match_exactly=True).watches(change.service)

    def _start_clocks(self, found: Iterable[tuple[int, LogState]]) -> None:
        """Start the clock of each log at the first tick of the log."""
        clocks = [
            SourceClock(choose_lateness(self._plan, state.log), tick, ended=state.ended)
            for tick, state in found
        ]
        self._order.start([self._order.clocks[CHANGES], *clocks])

    def _enter_changes(self) -> None:
        ticks, codes = array("q"), array("q")
        for tick, change in self._plan.changes:
            watched = self.is_watched(change)
            self._reference.changes += watched
            ticks.append(tick)
            codes.append(self._order.add_change(change) if watched else UNMATCHED)
        self._order.enter(CHANGES, ticks, codes, len(ticks))
        self._order.end(CHANGES)

    def _group_paths(self) -> None:
        """Learn the path templates from several logs. The only one is read first."""
        if self._plan.endpoints is not None or not self._plan.groups_paths:
            self._groups.use([])
        elif len(self.logs) > 1:
            read = [log for log in self.logs if log.copy_of is None]
            known = {log.path: log.log for log in read if log.log is not None}
            self._groups.learn_from_files(known)

    def _make_shard(self, number: int) -> Shard:
        """A shard at the beginning of the logs."""
        plan = self._plan
        endpoints = self._requests(match_exactly=True).endpoints
        members = ShardEndpoints(endpoints, number, plan.workers)
        windows = Windows(
            members,
            min_requests=plan.min_requests,
            resolution=plan.resolution,
            sli_series=plan.sli_series,
            no_traffic=plan.no_traffic,
        )
        return Shard(members, self._backend.windows(windows))
