"""
Ingestion of raw events: what callers report waits as it is, and becomes batches without text.

A raw event is kept as the caller reported it, so that a request costs the caller little time. It
becomes text only if it needs the parser, or if text is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeAlias

from slomon.core.batching import Batch, BatchAssembler, BatchResult, Item, StreamState
from slomon.core.events import Change, Malformed, parse_change
from slomon.core.statuses import StatusTable
from slomon.core.ticks import parse_seconds, show_tick, to_seconds
from slomon.dates import show_duration, show_span
from slomon.live_monitor.durations import DurationTable, read_seconds
from slomon.live_monitor.endpoints import LiveEndpoints
from slomon.text import quote

LONGEST: Final = 8192
"""Characters of a raw event. A longer one counts nowhere, and hostile text must not pile up."""
LONGEST_EVENT: Final = LONGEST + 128
"""Characters of an event, with its time and status, or the labels of its lines."""

MOST_COUNTED: Final = 512
"""Events that are counted together. That blocks the loop for about a millisecond."""

Request: TypeAlias = "tuple[int, str, str, int, float | None]"
"""Tick, verb, resource and status, and the seconds that it took if they are known."""


class Deploy(NamedTuple):
    """
    A change as it was reported.

    `at` is the tick of the report, or its text if it has none. It is the date if `date` is empty.
    """

    at: int | str
    service: str
    commit: str
    author: str
    date: str


class Version(Deploy):
    """The commit that runs. It is a change only if the last one of its service had another."""

    __slots__ = ()


RawEvent: TypeAlias = "Request | Deploy | str | Change | Malformed"
"""
A request, or its text if it is no `Request`, or Malformed if its time is rejected; a deploy, or
what was read of one.
"""

Stamp: TypeAlias = "int | str | Malformed"
"""The tick of a request; its text if that is malformed; Malformed if the time is rejected."""


class LiveBatcher:
    """
    Makes batches of raw events, for one shard.

    A request to a known endpoint, with a status that the rule knows, becomes a row as it is. Any
    other raw event becomes an item first, and counts as this item does for a `Batcher`; a request
    may be to an endpoint that is found then.
    """

    def __init__(
        self,
        endpoints: LiveEndpoints,
        statuses: StatusTable,
        state: StreamState | None = None,
        durations: DurationTable | None = None,
    ) -> None:
        self._add_duration = (durations or DurationTable()).add
        self._assembler = BatchAssembler(endpoints, statuses.failed, state)
        # Rows in one flat list, four items each: tick, slot, failed, position.
        self._rows: list[Any] = []
        self._slots, self._find = endpoints.slots, endpoints.find
        # A dict, since a look-up in it raises for whatever is no status, too.
        self._failed = {
            status: int(failed)
            for status, failed in enumerate(statuses.answers)
            if failed is not None
        }

    @property
    def state(self) -> StreamState:
        """What is known of the stream so far."""
        return self._assembler.state

    def cut(self, items: Sequence[RawEvent]) -> BatchResult:
        """Return the batches of the next raw events."""
        rows = self._rows
        self._add_rows(items, self.state.accounting.events)
        batches = {}
        if rows:
            batches[0] = Batch(rows[1::4], rows[0::4], rows[2::4], rows[3::4], [])
            rows.clear()
        return self._assembler.assemble(batches, len(items))

    def _add_rows(self, items: Sequence[Any], first: int) -> None:
        # Like `Batcher._add_rows`, but written again: a common loop would call a function per row.
        slots, failed, add_row = self._slots, self._failed, self._rows.extend
        add_duration = self._add_duration
        for position, raw in enumerate(items, first):
            try:
                tick, verb, resource, status, seconds = raw
                row = tick, slots[verb, resource], failed[status], position
            except (TypeError, ValueError, KeyError):
                pass  # not a request to a watched endpoint with a known status
            else:
                add_row(row)
                if seconds is not None:
                    add_duration(row[1], seconds)
                continue
            self._add(position, raw)

    def _add(self, position: int, raw: RawEvent) -> None:
        access = self._assembler.parse(position, _to_item(raw))
        if access is None:
            return
        slot = self._slots.get((access.verb, access.resource))
        if slot is None:
            slot = self._find(access.verb, access.resource)
        if slot is None:
            self._assembler.add_unmatched(position, access)
        else:
            self._rows.extend((access.tick, slot, int(access.failed), position))
            if isinstance(raw, tuple) and isinstance(raw[4], float):
                self._add_duration(slot, raw[4])


def read_stamp(at: object, now: int | str, max_ahead: int) -> Stamp:
    """
    Return the tick of seconds since the epoch, or their text if they are malformed. A time more
    than `max_ahead` ticks after `now` is rejected: all later accesses would count at that time.
    Every time is accepted if the clock is wrong, so that `now` is text.
    """
    try:
        text = f"{at}"
    except Exception:  # noqa: BLE001 (a caller's object may raise anything)
        return ""  # malformed, so the event is counted as rejected
    tick = parse_seconds(text)
    if tick is None:
        return text
    if isinstance(now, int) and tick - now > max_ahead:
        ahead, most = show_span(tick - now), show_duration(max_ahead)
        return Malformed(
            show_tick(tick),
            f"the timestamp is {quote(text)}, {ahead} after the clock; allowed: at most {most} "
            "after it (max_ahead)",
        )
    return tick


def make_request(
    at: Stamp, verb: object, resource: object, status: object, duration: object
) -> Request | str | Malformed:
    """
    Return the request; its text if an argument has not the type of a request's field; Malformed if
    its time is.
    """
    if isinstance(at, Malformed):
        return Malformed(show_request(at.text, verb, resource, status), at.reason)
    if (
        isinstance(at, int)
        and isinstance(verb, str)
        and isinstance(resource, str)
        and isinstance(status, int)
    ):  # subclasses, such as HTTPStatus, become plain values
        fields = at, str.__str__(verb), str.__str__(resource), int.__int__(status)
        return (*fields, read_seconds(duration))
    return show_request(at, verb, resource, status)


def show_request(at: int | str, verb: object, resource: object, status: object) -> str:
    """Return a request as streams write it; "" if an object cannot be shown."""
    try:
        return f"{show_tick(at) if isinstance(at, int) else at} {verb} {resource} {status}"
    except Exception:  # noqa: BLE001 (a caller's object may raise anything)
        return ""


def read_deploy(deploy: Deploy) -> Change | Malformed:
    """Return the change; Malformed if it is none, or if an object of it cannot be shown."""
    at, service, commit, author, date = deploy
    try:
        who = f"{author}"
        when = date or f"{datetime.fromtimestamp(to_seconds(int(at)), UTC):%Y-%m-%d %H:%M:%S.%fZ}"
        text = show_change(service, commit, who if "<" in who else f"<{who}>", when)
    except Exception:  # noqa: BLE001 (a caller's object may raise anything)
        text = ""
    return parse_change(text)


def drop_repeated(
    items: Sequence[RawEvent], newest: Callable[[str], Change | None]
) -> Sequence[RawEvent]:
    """The events without each Version that is no change. `newest` is the last one of a service."""
    if Version not in set(map(type, items)):
        return items
    kept: list[RawEvent] = []
    commits: dict[str, str] = {}
    for item in items:
        change = read_deploy(item) if isinstance(item, Deploy) else item
        if isinstance(change, Change):
            last = newest(change.service)
            commit = commits.get(change.service, last.commit if last else "")
            if type(item) is Version and change.commit == commit:
                continue
            commits[change.service] = change.commit
        kept.append(item)
    return kept


def show_change(service: str, commit: str, author: str, date: str) -> str:
    """Return a change as streams write it, as four lines."""
    return f"commit: {commit}\nAuthor: {author or '<>'}\nDate: {date}\nService: {service}"


def _to_item(raw: RawEvent) -> Item:
    if isinstance(raw, Deploy):
        return read_deploy(raw)
    return show_request(*raw[:4]) if isinstance(raw, tuple) else raw
