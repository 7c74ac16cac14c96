"""
Batches: what travels through the pipeline.

A `Batch` holds the accesses of one shard as columns, and the few changes among them. A batcher
makes batches of the events of a stream, and accounts for every event.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, cast

from slomon.core.endpoints import Sharding
from slomon.core.events import (
    Access,
    Accounting,
    Change,
    Malformed,
    PositionedChange,
    Rejection,
    parse_access,
)
from slomon.core.statuses import StatusRule
from slomon.core.ticks import parse_column, parse_seconds

Item: TypeAlias = str | Change | Malformed
"""What `read_event` returned: the text of an access, a Change, or a Malformed."""

Column: TypeAlias = "list[int] | array[int]"
"""Lists are faster for Python; compiled kernels need arrays of 64-bit numbers."""

_REMEMBERED: Final = 2**18  # request texts: a stream with ever new texts must not fill the memory

# Rows of a shard in one flat list, four items each: stamp, slot, failed, position. One call adds a
# row, so one function is all to remember of a known request, and a slice returns a column.
_Rows: TypeAlias = list[Any]
_AddRow: TypeAlias = Callable[[tuple[str, int, int, int]], None]


@dataclass(slots=True)
class Batch:
    """Accesses in stream order, as columns, and the changes among them."""

    slots: Column
    ticks: Column
    failures: Column
    positions: Column
    changes: list[PositionedChange]


@dataclass(slots=True)
class TimeRange:
    """The ticks of the first counted access (None before there is one) and of the newest one."""

    began: int | None = None
    ended: int = 0

    def widen(self, batches: Iterable[Batch], newest: int) -> None:
        """Add the next batches of the stream, of which `newest` is the newest tick."""
        if self.began is None:
            firsts = [(batch.positions[0], batch.ticks[0]) for batch in batches if batch.slots]
            self.began = min(firsts)[1] if firsts else None
        self.ended = max(self.ended, newest)


class BatchResult(NamedTuple):
    """A batch for each shard that has one, in order of the shards, and the rejected events."""

    batches: list[tuple[int, Batch]]
    rejections: list[Rejection]


@dataclass(slots=True)
class StreamState:
    """
    What is known of a stream so far. It passes from one batcher to the next if the backend changes.

    * `accounting`: of all events; the windows count the late ones
    * `deploys`: all changes to watched services
    * `span`: of the accesses to watched endpoints
    * `newest`: the newest tick of any access, watched or not
    """

    accounting: Accounting = field(default_factory=Accounting)
    deploys: list[PositionedChange] = field(default_factory=list)
    span: TimeRange = field(default_factory=TimeRange)
    newest: int = 0


class AnyBatcher(Protocol):
    """A batcher of either backend. Both make the same batches of the same items."""

    @property
    def state(self) -> StreamState: ...
    def cut(self, items: Sequence[Item]) -> BatchResult: ...


class Owners(Protocol):
    """Says which shards own an endpoint of a service; `Sharding` does."""

    def owners(self, service: str) -> tuple[int, ...]: ...


class BatchAssembler:
    """
    What batchers share if they build their rows in Python.

    A batcher finds the accesses of the next items itself, and leaves every other item, with its
    position, to its assembler. `assemble` then completes the batches of these items.
    """

    def __init__(
        self, owners: Owners, is_failure: StatusRule, state: StreamState | None = None
    ) -> None:
        self.state = state or StreamState()
        self._owners = owners.owners
        self._is_failure = is_failure
        self._changes: list[tuple[int, Change]] = []
        self._unmatched: list[tuple[int, int]] = []  # positions and ticks of accesses
        self._rejections: list[Rejection] = []

    def parse(self, position: int, item: Item) -> Access | None:
        """Return the access of an item; None if the item is another event, which is added."""
        read = parse_access(item, self._is_failure) if isinstance(item, str) else item
        match read:
            case Access():
                return read
            case Change():
                self._add_change(position, read)
            case malformed:
                self.state.accounting.rejected += 1
                self._rejections.append(Rejection(position, malformed.text, malformed.reason))
        return None

    def add_unmatched(self, position: int, access: Access) -> None:
        """Add an access to an endpoint that is not watched."""
        self.state.accounting.unmatched += 1
        self._unmatched.append((position, access.tick))

    def assemble(self, batches: dict[int, Batch], items: int) -> BatchResult:
        """Return the batches of the last `items` items, given those of their accesses by shard."""
        state = self.state
        newest = max((max(batch.ticks, default=0) for batch in batches.values()), default=0)
        state.span.widen(batches.values(), newest)
        state.accounting.accesses += sum(len(batch.ticks) for batch in batches.values())
        state.accounting.events += items
        if self._changes:
            self._place_changes(batches)
        state.newest = max([state.newest, state.span.ended, *(tick for _, tick in self._unmatched)])
        self._unmatched.clear()
        rejections, self._rejections = self._rejections, []
        rejections.sort(key=lambda rejection: rejection.position)
        return BatchResult(sorted(batches.items(), key=itemgetter(0)), rejections)

    def _add_change(self, position: int, change: Change) -> None:
        if self._owners(change.service):
            self.state.accounting.changes += 1
            self._changes.append((position, change))
        else:
            self.state.accounting.unmatched += 1

    def _place_changes(self, batches: dict[int, Batch]) -> None:
        """Give each change the newest time before it, and to every shard that owns its service."""
        state = self.state
        columns = [(batch.positions, batch.ticks) for batch in batches.values()]
        columns.append(([at for at, _ in self._unmatched], [tick for _, tick in self._unmatched]))
        seen = [0] * len(columns)
        for position, change in self._changes:
            for number, (positions, ticks) in enumerate(columns):
                end = bisect_left(positions, position, seen[number])
                state.newest = max([state.newest, *ticks[seen[number] : end]])
                seen[number] = end
            positioned = PositionedChange(position, state.newest, change)
            state.deploys.append(positioned)
            for shard in self._owners(change.service):
                batches.setdefault(shard, Batch([], [], [], [], [])).changes.append(positioned)
        self._changes.clear()


class Batcher:
    """
    Makes batches of a stream's items.

    A request that was seen before is known by its text, and timestamps are read a column at a
    time. `parse_access` decides about every other item.
    """

    def __init__(self, sharding: Sharding, is_failure: StatusRule) -> None:
        self._sharding = sharding
        self._assembler = BatchAssembler(sharding, is_failure)
        self._rows: list[_Rows] = [[] for _ in sharding.members]
        # '<verb> <resource> <status>' -> what adds its rows, its slot, and whether it failed
        self._known: dict[str, tuple[_AddRow, int, int]] = {}

    @property
    def state(self) -> StreamState:
        """What is known of the stream so far."""
        return self._assembler.state

    def cut(self, items: Sequence[Item]) -> BatchResult:
        """Return the batches of the stream's next items."""
        first = self.state.accounting.events
        self._add_rows(items, first)
        batches = {
            shard: self._make_batch(rows, items, first)
            for shard, rows in enumerate(self._rows)
            if rows
        }
        return self._assembler.assemble(batches, len(items))

    def _add_rows(self, items: Sequence[Any], first: int) -> None:
        known = self._known
        for position, item in enumerate(items, first):
            try:
                stamp, _, request = item.partition(" ")
                add_row, slot, failed = known[request]
            except (KeyError, AttributeError):
                pass  # not an access whose request is known
            else:
                add_row((stamp, slot, failed, position))
                continue
            self._add(position, item)

    def _add(self, position: int, item: Item) -> None:
        access = self._assembler.parse(position, item)
        if access is None:
            return
        place = self._sharding.place(access.verb, access.resource)
        if place is None:
            self._assembler.add_unmatched(position, access)
            return
        shard, slot = place
        stamp, _, request = cast(str, item).partition(" ")
        add_row, failed = self._rows[shard].extend, int(access.failed)
        add_row((stamp, slot, failed, position))
        if len(self._known) < _REMEMBERED:
            self._known[request] = add_row, slot, failed

    def _make_batch(self, rows: _Rows, items: Sequence[Item], first: int) -> Batch:
        ticks = parse_column(rows[0::4])
        if ticks is None:
            ticks = self._read_one_by_one(rows, items, first)
        batch = Batch(rows[1::4], ticks, rows[2::4], rows[3::4], [])
        rows.clear()  # never replaced: the known requests add their rows to this very list
        return batch

    def _read_one_by_one(self, rows: _Rows, items: Sequence[Item], first: int) -> list[int]:
        """Return the ticks of timestamps of different forms; remove rows with a malformed one."""
        ticks: list[int] = []
        good: _Rows = []
        columns = (rows[column::4] for column in range(4))
        for stamp, slot, failed, position in zip(*columns, strict=True):
            tick = parse_seconds(stamp)
            if tick is None:
                self._assembler.parse(position, items[position - first])  # rejects it
            else:
                ticks.append(tick)
                good += stamp, slot, failed, position
        rows[:] = good
        return ticks
