"""
The events of one process on their way to where they are counted: taken from its buffer, and kept
until they have been counted. `merge_by_time` puts the events of several processes in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from slomon.core.ticks import TICKS_PER_SECOND
from slomon.live_monitor.batching import Deploy, RawEvent
from slomon.live_monitor.buffer import FULL, Buffer

_NEAR: Final = TICKS_PER_SECOND
_MOST_KEPT: Final = 1 << 18  # events; about 30 MB


class Outgoing:
    """
    The events of a buffer, numbered from 0. `number` is that of the first one that is not yet
    counted.
    """

    def __init__(self, buffer: Buffer) -> None:
        self.number = 0
        self._buffer = buffer
        self._kept: list[RawEvent] = []

    def __len__(self) -> int:
        """The number of events that are not yet counted."""
        return len(self._kept) + len(self._buffer.items)

    def take(self, most: int, until: int | None = None) -> list[RawEvent]:
        """
        The next events, at most `most`; they stay here until `drop`. With `until`, without the last
        ones that were reported after that tick: other processes may have reported others meanwhile.
        """
        kept = self._kept
        if len(kept) < most:
            kept += self._buffer.take(most - len(kept))
        events = kept[:most]
        return events if until is None else cut_after(events, until)

    def drop(self, number: int) -> None:
        """The events before that number were counted."""
        if number > self.number:
            del self._kept[: number - self.number]
            self.number = number

    def keep_more(self, most: int) -> list[RawEvent]:
        """
        Take at most `most` more events from the buffer, keep them, and return them. If too many are
        kept, the oldest are dropped, which is counted.
        """
        taken = self._buffer.take(most)
        self._kept += taken
        excess = len(self._kept) - _MOST_KEPT
        if excess > 0:
            self._buffer.count_dropped(FULL, excess)
            self.drop(self.number + excess)
        return taken


def cut_after(events: list[RawEvent], until: int) -> list[RawEvent]:
    """
    The events without the last ones that were reported after a tick. A time that is much later was
    given by the caller, and says nothing of when the event was reported.
    """
    end = len(events)
    while end and until < find_tick(events[end - 1]) <= until + _NEAR:
        end -= 1
    return events[:end]


def find_tick(event: RawEvent) -> int:
    """The tick at which an event was reported; 0 if it has none."""
    if isinstance(event, tuple):
        at = event.at if isinstance(event, Deploy) else event[0]
        return at if isinstance(at, int) else 0
    return 0


def merge_by_time(batches: Sequence[Sequence[RawEvent]]) -> list[tuple[int, RawEvent]]:
    """
    The events of several senders by time, each with the index of its sender. Those of one sender
    keep their order, whatever their times.
    """
    keys: list[int] = []
    senders: list[int] = []
    events: list[RawEvent] = []
    for sender, batch in enumerate(batches):
        keys += accumulate(map(find_tick, batch), max)
        senders += [sender] * len(batch)
        events += batch
    order = sorted(range(len(events)), key=keys.__getitem__)
    return [(senders[index], events[index]) for index in order]
