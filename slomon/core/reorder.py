"""
The reordering buffer: rows of several sources in one order, by time, as far as `lateness` allows.

A source's watermark trails its newest tick by the lateness. A row stands at its tick, or at the
watermark before it where it is older than that: too late, it goes on in the order of arrival, and
the windows count it at the newest time of its endpoint. Rows that stand at the same time keep the
order of their sources, and within one that of arrival. What stands before the watermarks of all
sources is final. So the order depends on the rows alone, never on how they came in pieces, and
with a lateness of 0 it is, for a single source, the order of arrival.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Final, TypeAlias

from slomon.core.batching import Batch, TimeRange
from slomon.core.events import Change, PositionedChange
from slomon.core.ticks import LAST_TICK
from slomon.kernels.codes import BLANK, FIRST_CHANGE, NO_TICK, UNMATCHED, change_code

Row: TypeAlias = tuple[int, int, int, int]
"""
Time, source, tick, code. Events that no shard sees make one row where they follow one another, of
which the tick is how many they are.
"""

_OPEN_END: Final = LAST_TICK + 1  # the watermark of a source that has ended: later than any time


@dataclass(slots=True)
class SourceClock:
    """
    How late a source's rows may be (`lateness`, in ticks) and how far it has come: its newest tick,
    how many rows were older than one before them (`disordered`) and by how many ticks at most
    (`largest`).
    """

    lateness: int = 0
    newest: int = 0
    disordered: int = 0
    largest: int = 0
    ended: bool = False

    @property
    def watermark(self) -> int:
        """No row of this source will stand before this time."""
        return _OPEN_END if self.ended else self.newest - self.lateness


class Order:
    """
    Rows in, batches for each shard out. `position` counts what went out, over all events, and
    `accesses` and `unmatched` those of them that are that; `blank` counts the rows that are none.
    A key's shard is its remainder, so the endpoints are spread evenly.

    Where endpoints are found, `accept` says as an access to one of that key goes out whether it is
    one of as many as there may be: the first ones in this order, however the rows came.
    """

    def __init__(
        self, sources: int, shards: int, accept: Callable[[int], bool] | None = None
    ) -> None:
        self.clocks = [SourceClock() for _ in range(sources)]
        self.position = self.accesses = self.unmatched = self.blank = 0
        self.watched_until = 0
        """The newest tick until which a source was watched, of those that say it at their ends."""
        self.span = TimeRange()
        self.deploys: list[PositionedChange] = []
        """The changes that went out."""
        self.changes: dict[int, Change] = {}  # those on their way, by their codes
        self.noted = 0
        self._shards = shards
        self._admit = accept
        self._rows: list[Row] = []

    def add_change(self, change: Change) -> int:
        """The code for the row of a change."""
        code = change_code(self.noted)
        self.noted += 1
        self.changes[code] = change
        return code

    def next_source(self) -> int | None:
        """The source to read next: the one furthest behind of those that haven't ended."""
        behind = [(clock.newest, n) for n, clock in enumerate(self.clocks) if not clock.ended]
        return min(behind)[1] if behind else None

    def enter(self, source: int, ticks: array[int], codes: array[int], count: int) -> None:
        """Add the next rows of a source: the first `count` of two columns."""
        clock = self.clocks[source]
        newest = clock.newest
        for tick, code in zip(ticks[:count], codes[:count], strict=True):
            if code == BLANK:
                self.blank += 1
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

    def end(self, source: int) -> None:
        """A source has no more rows."""
        self.clocks[source].ended = True

    def take(self) -> list[tuple[int, Batch]]:
        """The rows whose place is final, as a batch for each shard that has one."""
        final = bisect_left(self._rows, self.watermark(), key=_by_time)
        taken, self._rows = self._rows[:final], self._rows[final:]
        return self._deal(taken)

    def save_rows(self) -> array[int]:
        """The buffer, four numbers a row."""
        return array("q", chain.from_iterable(self._rows))

    def load_rows(self, numbers: array[int]) -> None:
        """What `save_rows` saved."""
        parts = iter(numbers)
        self._rows = list(zip(parts, parts, parts, parts, strict=True))

    def watermark(self) -> int:
        """No row will stand before this time."""
        return min(clock.watermark for clock in self.clocks)

    def _add_unseen(self, time: int, source: int, code: int) -> None:
        """Add an event that no shard sees, to the row of those before it if they are alike."""
        alike = self._rows and self._rows[-1]
        if alike and (*alike[:2], alike[3]) == (time, source, code):
            self._rows[-1] = time, source, alike[2] + 1, code
        else:
            self._rows.append((time, source, 1, code))

    def _deal(self, rows: list[Row]) -> list[tuple[int, Batch]]:
        batches = [Batch([], [], [], [], []) for _ in range(self._shards)]
        for _, _, tick, code in rows:
            if code <= FIRST_CHANGE:
                positioned = PositionedChange(self.position, tick, self.changes.pop(code))
                self.deploys.append(positioned)
                for batch in batches:
                    batch.changes.append(positioned)
            elif code < 0:
                self.unmatched += tick if code == UNMATCHED else 0
                self.position += tick - 1
            elif self._admit is None or self._admit(code >> 1):
                slot, shard = divmod(code >> 1, self._shards)
                batch = batches[shard]
                batch.slots.append(slot)
                batch.ticks.append(tick)
                batch.failures.append(code & 1)
                batch.positions.append(self.position)
                self.accesses += 1
            else:
                self.unmatched += 1
            self.position += 1
        self.span.widen(batches)
        return [(n, batch) for n, batch in enumerate(batches) if batch.slots or batch.changes]


def _by_time(row: Row) -> int:
    return row[0]


def _by_time_and_source(row: Row) -> tuple[int, int]:
    return row[:2]
