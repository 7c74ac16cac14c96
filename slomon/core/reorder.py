"""
The reorder buffer: puts the rows of several sources in one order, by time.

The watermark of a source trails its newest tick by the source's lateness. A row stands at its tick.
A row that is older than the watermark before it is overdue: it stands at that watermark, so that
overdue rows keep the order of arrival. Which accesses are counted as late is not decided here, but
by the windows, for each endpoint (`kernels.windows.advance`).
Rows at the same time keep the order of their sources, and rows of one source the order of arrival.

A source need not be read before its first tick is reached, if that is known: its clock begins at
that tick then, and the watermark waits for it.

A row is final once it stands before the watermarks of all sources. So the order depends on the rows
alone, and never on the pieces in which they arrive. With a lateness of 0, the order of a single
source is the order of arrival.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from itertools import chain, islice
from operator import attrgetter, le
from typing import Final, NamedTuple, Protocol, TypeAlias

from slomon.core.batching import Batch, TimeRange
from slomon.core.events import Change, PositionedChange
from slomon.core.ticks import LAST_TICK
from slomon.kernels.codes import (
    BLANK,
    EXCLUDED,
    FIRST_CHANGE,
    NO_TICK,
    REJECTED,
    UNMATCHED,
    change_code,
)

OPEN_END: Final = LAST_TICK + 1
"""The watermark of a source that has ended: later than any tick."""

Row: TypeAlias = tuple[int, int, int, int]
"""
Time, source, tick and code.

One row stands for all adjacent equal events that no shard sees; its tick is their number.
"""


@dataclass(slots=True)
class SourceClock:
    """
    How far a source has come. All numbers but `rows` and `disordered` are ticks.

    * `lateness`: how late its rows may be
    * `newest`: the newest tick of its rows. Before the first row it is the tick at which the source
      begins, or 0 if that is not known
    * `began`: the tick of the first row that has one; None before that row
    * `rows`: the number of its rows, without blank ones
    * `disordered`: the number of rows that were older than a row before them
    * `largest`: how much older at most
    """

    lateness: int = 0
    newest: int = 0
    began: int | None = None
    rows: int = 0
    disordered: int = 0
    largest: int = 0
    ended: bool = False

    @property
    def watermark(self) -> int:
        """No further row of this source will stand before this time."""
        return OPEN_END if self.ended else self.newest - self.lateness


class Released(NamedTuple):
    """
    What became of the rows that left the buffer.

    * `batches`: one for each shard that has one
    * `changes`: all changes among the rows
    * `events`: the number of events; `accesses`, `unmatched` and `excluded`: how many of them are
      such events
    * `newest`: the newest tick of the accesses; 0 if there are none
    """

    batches: list[tuple[int, Batch]]
    changes: list[PositionedChange]
    events: int
    accesses: int
    unmatched: int
    excluded: int
    newest: int


class RowBuffer(Protocol):
    """
    The rows that wait, and their distribution over the shards.

    This is written twice for speed: here over lists of tuples, which are fast in Python, and in
    `slomon.compiled.reorder` over flat memory, which compiled kernels need. Tests hold both to the
    same batches. The shard of an endpoint is the remainder of its key by the number of shards.
    """

    def enter(
        self, clock: SourceClock, source: int, ticks: array[int], codes: array[int], count: int
    ) -> int:
        """
        Add the next rows of a source, the first `count` of two columns, and move its clock.

        Returns how many of the rows are blank; these are no events.
        """

    def take(self, watermark: int, position: int, changes: dict[int, Change]) -> Released:
        """
        Release the rows that stand before the watermark; the first event has this position.

        Changes are looked up, and removed, by their codes.
        """

    def remove(self, watermark: int) -> array[int]:
        """
        Remove the rows that stand before the watermark, and return them, four numbers each.

        This is for one log that is read alone: `take` puts what several readers return in order.
        """

    def save(self) -> array[int]:
        """Return the waiting rows, four numbers each."""

    def load(self, numbers: array[int]) -> None:
        """Replace the waiting rows by saved ones."""


class Order:
    """
    The reorder buffer of a run: the clocks of its sources, its rows, and what became of them.

    `position` is the number of events that were released; `accesses`, `unmatched` and `excluded`
    are how many of them are such events. `blank` is the number of rows that are no events.
    """

    def __init__(self, sources: int, rows: RowBuffer) -> None:
        self.clocks: Sequence[SourceClock] = ()
        self._behind: list[tuple[int, int]] = []  # a heap: the newest tick of each source
        self._held: list[tuple[int, int]] = []  # a heap: the watermark of each source
        self.start([SourceClock() for _ in range(sources)])
        self.position = self.accesses = self.unmatched = self.excluded = self.blank = 0
        self.excluded_changes = 0
        """The number of changes among the excluded events."""
        self.last = LAST_TICK
        """Changes after this tick are excluded."""
        self.watched_until = 0
        """The newest tick until which a source was watched, if a source says so at its end."""
        self.span = TimeRange()
        self.deploys: list[PositionedChange] = []
        """The changes that were released."""
        self.changes: dict[int, Change] = {}
        """The changes that wait, by their codes."""
        self.noted = 0
        """The number of changes so far."""
        self._rows = rows

    def start(self, clocks: Sequence[SourceClock]) -> None:
        """Begin or continue with these clocks, one for each source."""
        self.clocks = clocks
        self._behind = [(clock.newest, source) for source, clock in enumerate(clocks)]
        self._held = [(clock.watermark, source) for source, clock in enumerate(clocks)]
        heapify(self._behind)
        heapify(self._held)

    def add_change(self, change: Change) -> int:
        """Return the code for the row of a change."""
        code = change_code(self.noted)
        self.noted += 1
        self.changes[code] = change
        return code

    def next_source(self) -> int | None:
        """Return the source to read next: of those that have not ended, the furthest behind."""
        least = self._find_least(self._behind, _NEWEST)
        return None if least is None else least[1]

    def enter(self, source: int, ticks: array[int], codes: array[int], count: int) -> None:
        """Add the next rows of a source: the first `count` of two columns."""
        clock = self.clocks[source]
        if clock.began is None:
            clock.began = next((tick for tick in islice(ticks, count) if tick != NO_TICK), None)
        blank = self._rows.enter(clock, source, ticks, codes, count)
        clock.rows += count - blank
        self.blank += blank

    def end(self, source: int) -> None:
        """Note that a source has no more rows."""
        self.clocks[source].ended = True

    def take(self) -> list[tuple[int, Batch]]:
        """Release the rows that are final, as a batch for each shard that has one."""
        released = self._rows.take(self.watermark(), self.position, self.changes)
        self.position += released.events
        self.accesses += released.accesses
        self.unmatched += released.unmatched
        self.excluded += released.excluded
        batches = self._exclude_changes(released)
        self.deploys += released.changes
        self.span.widen((batch for _, batch in batches), released.newest)
        return batches

    def remove(self) -> array[int]:
        """Remove the rows that are final, and return them, four numbers each."""
        return self._rows.remove(self.watermark())

    def _exclude_changes(self, released: Released) -> list[tuple[int, Batch]]:
        """Remove the changes after `last` from the batches, which share the list of changes."""
        changes = released.changes
        if not changes or max(positioned.tick for positioned in changes) <= self.last:
            return released.batches
        count = len(changes)
        changes[:] = [positioned for positioned in changes if positioned.tick <= self.last]
        self.excluded_changes += count - len(changes)
        return [dealt for dealt in released.batches if dealt[1].slots or changes]

    def save_rows(self) -> array[int]:
        """Return the waiting rows, four numbers each."""
        return self._rows.save()

    def load_rows(self, numbers: array[int]) -> None:
        """Replace the waiting rows by those that `save_rows` returned, if `check_rows` allows."""
        self._rows.load(numbers)

    def watermark(self) -> int:
        """No further row will stand before this time."""
        least = self._find_least(self._held, _WATERMARK)
        return OPEN_END if least is None else least[0]

    def _find_least(
        self, heap: list[tuple[int, int]], read: Callable[[SourceClock], int]
    ) -> tuple[int, int] | None:
        """
        The least number that `read` finds in the clocks of sources that have not ended, and its
        source. The heap has a number for each source, perhaps an old one: numbers only grow.
        """
        while heap:
            known, source = heap[0]
            clock = self.clocks[source]
            if clock.ended:
                heappop(heap)
            elif (now := read(clock)) != known:
                heapreplace(heap, (now, source))
            else:
                return heap[0]
        return None


_NEWEST: Final[Callable[[SourceClock], int]] = attrgetter("newest")
_WATERMARK: Final[Callable[[SourceClock], int]] = attrgetter("watermark")


class WaitingEvents(NamedTuple):
    """The numbers of events in the waiting rows."""

    accesses: int
    changes: int
    unmatched: int
    rejected: int
    excluded: int


def check_rows(numbers: array[int], order: Order, endpoints: int) -> WaitingEvents:
    """
    Count the events of saved rows. Raises ValueError if they can't wait in a reorder buffer with
    these clocks and changes. `endpoints` is the number of endpoints.
    """
    if len(numbers) % 4:
        raise ValueError("a waiting row is cut off")
    columns = [numbers[number::4] for number in range(4)]
    places = list(zip(columns[0], columns[1], strict=True))
    if not all(map(le, places, places[1:])) or (places and places[0][0] < order.watermark()):
        raise ValueError("the waiting rows are not in order")
    newest = [-1] * len(order.clocks)
    codes: list[int] = []
    unseen = dict.fromkeys((UNMATCHED, REJECTED, EXCLUDED), 0)
    for time, source, tick, code in zip(*columns, strict=True):
        if not (0 <= source < len(order.clocks) and 0 <= time <= order.clocks[source].newest):
            raise ValueError(f"a waiting row is of source {source} at {time}")
        newest[source] = time
        if code in unseen:
            is_possible = tick >= 1
            unseen[code] += tick
        else:
            late_until = order.clocks[source].newest - order.clocks[source].lateness
            is_possible = tick == time or 0 <= tick < time <= late_until
            is_possible &= code in order.changes or 0 <= code >> 1 < endpoints
            codes.append(code)
        if not is_possible:
            raise ValueError(f"a waiting row has the tick {tick} and the code {code}")
    changes = [code for code in codes if code < 0]
    if len(changes) != len(order.changes) or len(set(changes)) != len(changes):
        raise ValueError("the changes among the waiting rows are not those on their way")
    for clock, last in zip(order.clocks, newest, strict=True):
        # The newest row of a source waits for as long as the source may be late.
        if not clock.ended and clock.lateness and clock.rows and last != clock.newest > 0:
            raise ValueError("the newest row of a source does not wait")
    return WaitingEvents(len(codes) - len(changes), len(changes), *unseen.values())


class PythonRowBuffer:
    """
    The rows as tuples in a list.

    If endpoints are found in the logs, `accept(key)` says for each access that is released whether
    its endpoint is one of those that may be found: the first ones in the order of release.
    """

    def __init__(self, shards: int, accept: Callable[[int], bool] | None = None) -> None:
        self._shards = shards
        self._accept = accept
        self._rows: list[Row] = []

    def enter(
        self, clock: SourceClock, source: int, ticks: array[int], codes: array[int], count: int
    ) -> int:
        """Add the next rows of a source, move its clock, and return how many rows are blank."""
        newest, blank = clock.newest, 0
        for tick, code in zip(ticks[:count], codes[:count], strict=True):
            if code == BLANK:
                blank += 1
                continue
            time = at = newest if tick == NO_TICK else tick
            if at < newest:
                clock.disordered += 1
                clock.largest = max(clock.largest, newest - at)
                time = max(at, newest - clock.lateness)
            newest = max(newest, at)
            if FIRST_CHANGE < code < 0:
                self._add_unseen(time, source, code)
            else:
                self._rows.append((time, source, at, code))
        clock.newest = newest
        self._rows.sort(key=_by_time_and_source)
        return blank

    def take(self, watermark: int, position: int, changes: dict[int, Change]) -> Released:
        """Release the rows that stand before the watermark."""
        return self._release(self._cut(watermark), position, changes)

    def remove(self, watermark: int) -> array[int]:
        """Remove the rows that stand before the watermark, and return them, four numbers each."""
        return array("q", chain.from_iterable(self._cut(watermark)))

    def save(self) -> array[int]:
        """Return the waiting rows, four numbers each."""
        return array("q", chain.from_iterable(self._rows))

    def load(self, numbers: array[int]) -> None:
        """Replace the waiting rows by saved ones."""
        parts = iter(numbers)
        self._rows = list(zip(parts, parts, parts, parts, strict=True))

    def _cut(self, watermark: int) -> list[Row]:
        final = bisect_left(self._rows, watermark, key=_by_time)
        removed, self._rows = self._rows[:final], self._rows[final:]
        return removed

    def _add_unseen(self, time: int, source: int, code: int) -> None:
        """Add an event that no shard sees, to the row before it if that stands for equal ones."""
        last = self._rows and self._rows[-1]
        if last and (*last[:2], last[3]) == (time, source, code):
            self._rows[-1] = time, source, last[2] + 1, code
        else:
            self._rows.append((time, source, 1, code))

    def _release(self, rows: list[Row], first: int, changes: dict[int, Change]) -> Released:
        released: list[PositionedChange] = []  # every shard gets all of them
        batches = [Batch([], [], [], [], released) for _ in range(self._shards)]
        position, accesses, unmatched, excluded, newest = first, 0, 0, 0, 0
        for _, _, tick, code in rows:
            if code <= FIRST_CHANGE:
                released.append(PositionedChange(position, tick, changes.pop(code)))
            elif code < 0:
                unmatched += tick if code == UNMATCHED else 0
                excluded += tick if code == EXCLUDED else 0
                position += tick - 1
            elif self._accept is None or self._accept(code >> 1):
                slot, shard = divmod(code >> 1, self._shards)
                batch = batches[shard]
                batch.slots.append(slot)
                batch.ticks.append(tick)
                batch.failures.append(code & 1)
                batch.positions.append(position)
                accesses += 1
                newest = max(newest, tick)
            else:
                unmatched += 1
            position += 1
        dealt = [(n, batch) for n, batch in enumerate(batches) if batch.slots or batch.changes]
        events = position - first
        return Released(dealt, released, events, accesses, unmatched, excluded, newest)


def _by_time(row: Row) -> int:
    return row[0]


def _by_time_and_source(row: Row) -> tuple[int, int]:
    return row[:2]
