"""
The state of a live monitor: what its inputs change, and what is saved. The same inputs make the
same state, whether they are counted now or come from a journal.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import astuple
from itertools import chain, count, islice
from typing import Any, Final, TypeVar
from weakref import ref

from slomon.core.batching import Batch, StreamState
from slomon.core.endpoints import Endpoint
from slomon.core.events import PositionedChange
from slomon.core.incident import Incident
from slomon.core.shard import Shard
from slomon.core.windows import Windows
from slomon.live_monitor.incident_history import History
from slomon.live_monitor.inputs import NOT_RECORDED, Mark, Marks, list_counts
from slomon.live_monitor.window_copy import WindowCopy
from slomon.state.encoding import (
    Saved,
    Sections,
    pack_change,
    pack_incidents,
    save_series,
    save_windows,
)

T = TypeVar("T")

_MOST_SENDERS: Final = 1000  # there are fewer at a time
_PART: Final = 250  # items a section: making its JSON blocks all other threads


class LiveState:
    """
    The stream, the windows and the incidents of some endpoints, all in one shard. `history` keeps
    as many changes as incidents.

    * `closed_until`: the tick to which incidents were expired. Their ends were reported, so no
      later access counts before it
    * `senders`: the marks of the processes that sent events; those of the oldest are added up
    * `recorded`: how far the event log was with the last event
    """

    def __init__(
        self,
        stream: StreamState,
        windows: Windows,
        shard: Shard,
        history: History,
        *,
        closed_until: int = 0,
        senders: Marks | None = None,
    ) -> None:
        self.stream = stream
        self.windows = windows
        exempt_from_gc(windows)
        self.shard = shard
        self.history = history
        self.closed_until = closed_until
        self.senders = {} if senders is None else dict(senders)
        self.recorded = NOT_RECORDED
        self._find_copy: Callable[[], WindowCopy | None] = lambda: None

    @classmethod
    def begin(cls, members: Sequence[Endpoint], windows: Windows, bound: int) -> LiveState:
        """The state before the first event. `bound` is that of the history."""
        return cls(StreamState(), windows, Shard(members, windows), History(len(members), bound))

    def advance(self, batch: Batch) -> list[Incident]:
        """
        Count the batch with which the stream was extended. Return the incidents that opened or
        ended.
        """
        self._note(batch.slots)
        moved = self.shard.advance(batch)
        self.history.grow(len(self.shard.members))
        for incident in moved:
            self.history.note(incident)
        del self.stream.deploys[: -self.history.bound]
        return moved

    def note_senders(self, senders: Marks) -> None:
        """Keep the marks of processes that sent events which have been counted."""
        for name, mark in senders.items():
            self.senders.pop(name, None)
            self.senders[name] = mark
        while len(self.senders) > _MOST_SENDERS:
            oldest = self.senders.pop(next(name for name in self.senders if name))
            dropped = Counter(self.senders[""].dropped if "" in self.senders else {})
            dropped.update(oldest.dropped)
            self.senders[""] = Mark(0, dropped)

    def close_expired(self, now: int) -> list[Incident]:
        """
        End the incidents that have expired by `now`, and return them. If that is done again, it
        changes nothing.
        """
        self._note(self.shard.open)
        ended = self.shard.close_expired(now)
        self.closed_until = max(
            [self.closed_until, *(self.next_step(one.end or 0) for one in ended)]
        )
        for incident in ended:
            self.history.note(incident)
        return ended

    def next_step(self, tick: int) -> int:
        """The first tick of the resolution that is not before this one."""
        step = self.windows.resolution
        return -(-tick // step) * step if step else tick

    def copy_windows(self) -> WindowCopy:
        """Begin to copy the windows: the copy follows what is counted, until it is forgotten."""
        copied = WindowCopy(self.windows)
        self._find_copy = ref(copied)
        return copied

    def _note(self, slots: Iterable[int]) -> None:
        copied = self._find_copy()
        if copied is not None:
            copied.note(slots)

    def save(self, copied: WindowCopy) -> Sections:
        """
        The whole state of this moment, as sections of a file. `copied` is a copy of the windows
        that has gone through its parts. Slow sections are made during the iteration.
        """
        # Copies: the state changes while the sections are written.
        windows = save_windows(0, copied.columns())
        series = [(name, copy(section)) for name, section in save_series(0, self.shard)]
        # The present ones: later there may be more.
        members = islice(self.shard.members, len(self.shard.members))
        # The open incidents are those of the history that have not ended.
        incidents = iter(list(self.history.incidents.values()))
        counts = {
            "accounting": list_counts(self.stream.accounting),
            "span": astuple(self.stream.span),
            "newest": self.stream.newest,
            "told until": self.closed_until,
            "resolution": self.windows.resolution,
            "senders": dict(self.senders),
            "recorded": list(self.recorded),
            **self.history.save(),
        }
        return chain(
            counts.items(),
            windows,
            series,
            _save_parts("endpoints", members, _pack_names),
            _save_parts("changes", iter(list(self.shard.changes)), _pack_changes),
            _save_parts("deploys", iter(list(self.stream.deploys)), _pack_changes),
            _save_parts("incidents", incidents, pack_incidents),
        )


def exempt_from_gc(windows: Windows) -> None:
    """
    Keep the garbage collector from visiting each number in the columns of windows, which takes 26
    ms for a million entries and holds the event loop. Numbers refer to nothing, so nothing is lost.
    Without CPython or ctypes it has no effect.
    """
    if sys.implementation.name != "cpython":
        return
    try:
        from ctypes import py_object, pythonapi  # noqa: PLC0415 (some Pythons are built without it)
    except ImportError:
        return
    for column in windows.state:
        if isinstance(column, list):
            pythonapi.PyObject_GC_UnTrack(py_object(column))


def _save_parts(name: str, items: Iterator[T], pack: Callable[[Sequence[T]], object]) -> Sections:
    """Items in sections that have few of them each; see `load_parts`."""
    for number in count():
        part = list(islice(items, _PART))
        if not part:
            return
        yield f"{name} {number}", pack(part)


def load_parts(name: str, saved: Saved) -> Iterator[Any]:
    """The sections of items, each as it was packed."""
    for number in count():
        if f"{name} {number}" not in saved:
            return
        yield saved[f"{name} {number}"]


def _pack_names(members: Iterable[Endpoint]) -> list[list[str]]:
    return [[one.name, one.email, one.verb, one.resource] for one in members]


def _pack_changes(changes: Iterable[PositionedChange]) -> list[list[Any]]:
    return [pack_change(positioned) for positioned in changes]
