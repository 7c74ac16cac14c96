"""
The unit that travels: a `Batch` of one shard's accesses, as columns, and the few changes among
them. `Batcher` makes them from what was read off the stream, and accounts for every event.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias, cast

from slomon.core.endpoints import Sharding
from slomon.core.events import (
    Access,
    Accounting,
    Change,
    Malformed,
    PositionedChange,
    Rejection,
    StatusRule,
    parse_access,
)
from slomon.core.ticks import parse_column, parse_seconds

Item: TypeAlias = str | Change | Malformed
"""What `read_event` returned: the text of an access, a Change, or a Malformed."""

_REMEMBERED: Final = 2**18  # request texts: what the stream says must not fill the memory

# Rows of a shard in one flat list, four items each: stamp, slot, failed, position. One call puts a
# row there, so that is all a known request must remember, and a slice takes a column out.
_Rows: TypeAlias = list[Any]
_Put: TypeAlias = Callable[[tuple[str, int, int, int]], None]


Column: TypeAlias = "list[int] | array[int]"
"""Lists are faster interpreted; compiled kernels need arrays of 64-bit numbers."""


@dataclass(slots=True)
class Batch:
    """Rows of accesses in stream order, as columns, and the changes among them."""

    slots: Column
    ticks: Column
    failures: Column
    positions: Column
    changes: list[PositionedChange]


@dataclass(slots=True)
class TimeRange:
    """From the first access that counts to the newest one, in ticks; None before there is one."""

    began: int | None = None
    ended: int = 0

    def begin(self, batches: Iterable[Batch]) -> None:
        """The first batches there are were dealt."""
        if self.began is None:
            firsts = [(batch.positions[0], batch.ticks[0]) for batch in batches if batch.slots]
            self.began = min(firsts)[1] if firsts else None

    def widen(self, batches: Collection[Batch]) -> None:
        """The next batches were dealt."""
        self.begin(batches)
        for batch in batches:
            self.ended = max(self.ended, max(batch.ticks, default=0))


class BatchResult(NamedTuple):
    """A stretch of the stream: a batch for each shard that has one, and what was rejected."""

    batches: list[tuple[int, Batch]]
    rejections: list[Rejection]


class Batcher:
    """
    Cuts the stream into batches. A request that was seen before is known by its text, and
    stamps are read a column at a time; `parse_access` decides whatever is not that plain.
    """

    def __init__(self, sharding: Sharding, is_failure: StatusRule) -> None:
        shards = range(len(sharding.members))
        self.accounting = Accounting()  # all but the late ones, which the windows count
        self._sharding = sharding
        self._is_failure = is_failure
        self._rows: list[_Rows] = [[] for _ in shards]
        self.deploys: list[PositionedChange] = []
        """All changes so far that something watches."""
        self.span = TimeRange()
        self.newest = 0
        """The newest tick of any access, watched or not."""
        self._noted: list[tuple[int, Change]] = []
        self._strays: list[tuple[int, int]] = []  # positions and ticks of unmatched accesses
        self._rejections: list[Rejection] = []
        # '<verb> <resource> <status>' -> where its rows go, its slot, and whether it failed
        self._known: dict[str, tuple[_Put, int, int]] = {}

    def cut(self, items: Sequence[Item]) -> BatchResult:
        """The batches of the next items of the stream, which follow those of the call before."""
        first = self.accounting.events
        self._sort_out(items, first)
        batches = {
            shard: self._batch(shard, items, first) for shard, rows in enumerate(self._rows) if rows
        }
        self.span.widen(batches.values())
        if self._noted:
            self._place_changes(batches)
        self.newest = max([self.newest, self.span.ended, *(tick for _, tick in self._strays)])
        self._strays.clear()
        self.accounting.events += len(items)
        rejections, self._rejections = self._rejections, []
        rejections.sort(key=lambda rejection: rejection.position)
        return BatchResult(sorted(batches.items(), key=_shard), rejections)

    def _sort_out(self, items: Sequence[Any], first: int) -> None:
        known = self._known
        for position, item in enumerate(items, first):
            try:
                stamp, _, request = item.partition(" ")
                put, slot, failed = known[request]
            except (KeyError, AttributeError):
                pass  # not an access whose request is known
            else:
                put((stamp, slot, failed, position))
                continue
            self._meet(position, item)

    def _meet(self, position: int, item: Item) -> None:
        read = parse_access(item, self._is_failure) if isinstance(item, str) else item
        match read:
            case Access():
                self._admit(position, read, cast(str, item))
            case Change():
                self._note(position, read)
            case malformed:
                self._reject(position, malformed)

    def _admit(self, position: int, access: Access, line: str) -> None:
        place = self._sharding.place(access.verb, access.resource)
        if place is None:
            self.accounting.unmatched += 1
            self._strays.append((position, access.tick))
            return
        shard, slot = place
        stamp, _, request = line.partition(" ")
        put, failed = self._rows[shard].extend, int(access.failed)
        put((stamp, slot, failed, position))
        if len(self._known) < _REMEMBERED:
            self._known[request] = put, slot, failed

    def _note(self, position: int, change: Change) -> None:
        if self._sharding.owners(change.service):
            self.accounting.changes += 1
            self._noted.append((position, change))
        else:
            self.accounting.unmatched += 1

    def _reject(self, position: int, malformed: Malformed) -> None:
        self.accounting.rejected += 1
        self._rejections.append(Rejection(position, malformed.text, malformed.reason))

    def _batch(self, shard: int, items: Sequence[Item], first: int) -> Batch:
        rows = self._rows[shard]
        ticks = self._read_column(rows[0::4])
        if ticks is None:
            ticks = self._read_one_by_one(rows, items, first)
        batch = Batch(rows[1::4], ticks, rows[2::4], rows[3::4], [])
        rows.clear()  # never replaced: the known requests put their rows into this very list
        self.accounting.accesses += len(ticks)
        return batch

    def _read_column(self, stamps: list[Any]) -> list[int] | None:
        return parse_column(stamps)

    def _place_changes(self, batches: dict[int, Batch]) -> None:
        """Give each change the newest time before it, and to all that own its service."""
        columns = [(batch.positions, batch.ticks) for batch in batches.values()]
        columns.append(([at for at, _ in self._strays], [tick for _, tick in self._strays]))
        seen = [0] * len(columns)
        for position, change in self._noted:
            for number, (positions, ticks) in enumerate(columns):
                end = bisect_left(positions, position, seen[number])
                self.newest = max([self.newest, *ticks[seen[number] : end]])
                seen[number] = end
            positioned = PositionedChange(position, self.newest, change)
            self.deploys.append(positioned)
            for shard in self._sharding.owners(change.service):
                batches.setdefault(shard, Batch([], [], [], [], [])).changes.append(positioned)
        self._noted.clear()

    def _read_one_by_one(self, rows: _Rows, items: Sequence[Item], first: int) -> list[int]:
        """The ticks of stamps that are not all written alike; rows with a wrong one are dropped."""
        ticks: list[int] = []
        good: _Rows = []
        columns = (rows[column::4] for column in range(4))
        for stamp, slot, failed, position in zip(*columns, strict=True):
            tick = parse_seconds(stamp)
            if tick is None:
                self._meet(position, items[position - first])
            else:
                ticks.append(tick)
                good += stamp, slot, failed, position
        rows[:] = good
        return ticks


def _shard(dealt: tuple[int, Batch]) -> int:
    return dealt[0]
