"""
The counting of one shard, in a task of Spark: its accesses are put in the order of the stream, and
a `core.shard.Shard` counts them, as in a replay on one machine.

A task does not know the positions of its accesses in the stream of all shards. It numbers those of
its own, and returns the places of those at which incidents began and ended.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple, cast

import numpy as np
import pyarrow as pa

from slomon.core.batching import Batch
from slomon.core.endpoints import Endpoint, ShardEndpoints
from slomon.core.events import Change, PositionedChange
from slomon.core.incident import Incident
from slomon.core.shard import Shard
from slomon.core.windows import Windows
from slomon.endpoints.discovery import FoundEndpoints, PythonEndpointNames
from slomon.integrations.spark.packing import Accesses, Column, Shards, read_accesses
from slomon.log_replay.backend import Backend
from slomon.log_replay.plan import Plan

_UNLIMITED: Final = 1 << 62
_BATCH: Final = 1 << 15  # accesses that are counted at once: more would need more memory


class Place(NamedTuple):
    """Where an event stands in the stream; `equal` counts those before it at the same place."""

    time: int
    source: int
    rank: int
    equal: int = 0


class PlacedChange(NamedTuple):
    """A change, its place in the stream, and its tick."""

    place: Place
    tick: int
    change: Change


@dataclass(frozen=True, slots=True)
class ShardCount:
    """
    What a shard has counted. Columns have an item for each endpoint with a request.

    * `keys`: of the endpoints if they are given; `names` if they are found
    * `first`: the place of its first access
    * `incidents`: with positions in the shard, and `places` of their accesses by these positions
    * `changes`: the positions of all changes in the shard, in order
    * `began`: the tick of the first access, and its place; None if there is none
    * `newest`: the newest tick of the accesses
    * `dropped`: accesses to endpoints that are not admitted
    """

    keys: Sequence[int] = ()
    names: Sequence[bytes] = ()
    requests: Sequence[int] = ()
    failures: Sequence[int] = ()
    first: Sequence[Place] = ()
    incidents: Sequence[Incident] = ()
    places: dict[int, Place] = field(default_factory=dict)
    changes: Sequence[int] = ()
    began: tuple[Place, int] | None = None
    newest: int = 0
    late: int = 0
    dropped: int = 0


class ShardCounter:
    """
    Counts the accesses of one shard.

    * `changes`: all changes of the run that count, in the order of their places
    * `newest`: the tick until which the run was watched
    * `admitted`: the names of the endpoints that are found; None if all that are found count
    """

    def __init__(
        self,
        plan: Plan,
        shards: Shards,
        backend: Backend,
        *,
        changes: Sequence[PlacedChange],
        newest: int,
        admitted: frozenset[bytes] | None,
    ) -> None:
        self._plan = plan
        self._shards = shards
        self._backend = backend
        self._changes = changes
        self._newest = newest
        self._admitted = admitted

    def count(self, shard: int, blobs: Iterable[tuple[int, pa.Buffer]]) -> ShardCount:
        """Count the accesses of a shard, which are in these blobs, each with its source."""
        parts = [read_accesses(source, blob) for source, blob in blobs]
        parts.sort(key=lambda part: (part.source, int(part.ranks[0])))
        names, dropped = self._merge_names(parts)
        stream = PlacedStream(parts, self._changes, ranked=self._shards.ranked)
        members = self._make_members(shard, names)
        windows = Windows(
            members,
            min_requests=self._plan.min_requests,
            resolution=self._plan.resolution,
            no_traffic=self._plan.no_traffic,
        )
        machine = Shard(members, self._backend.windows(windows))
        incidents: dict[int, Incident] = {}
        for batch in stream.batches():
            incidents |= {one.start_position: one for one in machine.advance(batch)}
        ended = [*machine.close_expired(self._newest), *machine.still_open()]
        incidents |= {one.start_position: one for one in ended}
        requests, failures = machine.windows.totals()
        slots, first = stream.find_first()
        return ShardCount(
            keys=[members.key(slot) for slot in slots],
            names=[names[slot] for slot in slots] if self._shards.finds else (),
            requests=[requests[slot] for slot in slots],
            failures=[failures[slot] for slot in slots],
            first=first,
            incidents=list(incidents.values()),
            places=stream.find_places(incidents.values()),
            changes=stream.change_positions,
            began=stream.began,
            newest=stream.newest,
            late=machine.late,
            dropped=dropped,
        )

    def _make_members(self, shard: int, names: Sequence[bytes]) -> ShardEndpoints:
        if self._plan.endpoints is not None:
            return ShardEndpoints(self._plan.endpoints.endpoints, shard, self._shards.count)
        found = PythonEndpointNames(_UNLIMITED)
        for name in names:
            found.key(name)
        endpoints: Sequence[Endpoint] = FoundEndpoints(
            found, self._plan.defaults, self._plan.service_from
        )
        return ShardEndpoints(endpoints, 0, 1)

    def _merge_names(self, parts: list[Accesses]) -> tuple[list[bytes], int]:
        """
        Give each name one slot in all parts, and leave out the accesses to those that are not
        admitted. Returns the names by their slots, and how many accesses were left out.
        """
        slots: dict[bytes, int] = {}
        dropped = 0
        for index, part in enumerate(parts):
            if part.names is None:
                continue
            mine = [
                slots.setdefault(name, len(slots))
                if self._admitted is None or name in self._admitted
                else -1
                for name in part.names
            ]
            named = part._replace(slots=np.array(mine, np.int32)[part.slots], names=None)
            parts[index] = named if self._admitted is None else named.keep(named.slots >= 0)
            dropped += len(part.slots) - len(parts[index].slots)
        return list(slots), dropped


class PlacedStream:
    """
    The accesses and the changes of a shard, in the order of the stream of all shards. They have the
    positions from `first` on.
    """

    def __init__(
        self,
        parts: Sequence[Accesses],
        changes: Sequence[PlacedChange],
        *,
        ranked: bool,
        first: int = 0,
    ) -> None:
        def join(columns: Iterable[Column], kind: type) -> Column:
            return cast(Column, np.concatenate([np.zeros(0, kind), *columns]))

        sources = [np.full(len(part.times), part.source, np.int32) for part in parts]
        times = join((part.times for part in parts), np.int64)
        ranks = join((part.ranks for part in parts), np.int64)
        # The parts of logs are in order of their sources and ranks already.
        sorting = np.lexsort((ranks, times)) if ranked else np.argsort(times, kind="stable")
        self.times, self.ranks = times[sorting], ranks[sorting]
        self.sources = join(sources, np.int32)[sorting]
        self.ticks = join((part.ticks for part in parts), np.int64)[sorting]
        self.slots = join((part.slots for part in parts), np.int32)[sorting]
        self.failures = join((part.failures for part in parts), bool)[sorting]
        self._first = first
        self._changes = changes
        self._before = [self._count_before(one.place) for one in changes]
        self.change_positions = [
            first + count + number for number, count in enumerate(self._before)
        ]
        self.next_position = first + len(times) + len(changes)
        self.newest = int(self.ticks.max()) if len(self.ticks) else 0
        self.began = (self._place(0), int(self.ticks[0])) if len(self.ticks) else None

    def batches(self, size: int = _BATCH) -> Iterator[Batch]:
        """All of it, in batches of at most this many accesses."""
        changes = [
            PositionedChange(position, one.tick, one.change)
            for position, one in zip(self.change_positions, self._changes, strict=True)
        ]
        number = 0
        for start, end in pairwise([*range(0, len(self.times), size), len(self.times)]):
            later = bisect_left(self._before, end, number)
            edges = [start, *self._before[number:later], end]
            changed = np.repeat(np.arange(number, later + 1), np.diff(edges))
            positions = np.arange(self._first + start, self._first + end) + changed
            part = slice(start, end)
            columns = self.slots[part], self.ticks[part], self.failures[part], positions
            slots, ticks, failures, numbers = map(_to_array, columns)
            yield Batch(slots, ticks, failures, numbers, changes[number:later])
            number = later
        if changes[number:]:
            yield Batch([], [], [], [], changes[number:])

    def find_first(self) -> tuple[list[int], list[Place]]:
        """The slots with an access, in the order of their first ones, and the places of these."""
        count = len(self.slots)
        first = np.full(int(self.slots.max()) + 1 if count else 0, count)
        first[self.slots[::-1]] = np.arange(count)[::-1]
        slots = [slot for slot in np.argsort(first, kind="stable").tolist() if first[slot] < count]
        return slots, [self._place(int(first[slot])) for slot in slots]

    def find_places(self, incidents: Iterable[Incident]) -> dict[int, Place]:
        """The places of the accesses at which incidents began and ended, by their positions."""
        positions = {one.start_position for one in incidents}
        positions |= {one.end_position for one in incidents if one.end_position is not None}
        found = sorted(positions)
        earlier = np.searchsorted(self.change_positions, found, "left").tolist()
        return {
            position: self._place(position - self._first - count)
            for position, count in zip(found, earlier, strict=True)
        }

    def _place(self, index: int) -> Place:
        time, source, rank = self.times[index], self.sources[index], self.ranks[index]
        equal = 0
        while (
            index > equal
            and self.ranks[index - equal - 1] == rank
            and self.times[index - equal - 1] == time
            and self.sources[index - equal - 1] == source
        ):
            equal += 1
        return Place(int(time), int(source), int(rank), equal)

    def _count_before(self, place: Place) -> int:
        """How many accesses stand before a place."""
        first, after = (
            int(np.searchsorted(self.times, place.time, side)) for side in ("left", "right")
        )
        if not place.source:
            return first
        part = slice(first, after)
        own = self.sources[part] == place.source
        earlier = (self.sources[part] < place.source) | (own & (self.ranks[part] < place.rank))
        return first + int(earlier.sum())


def _to_array(column: Column) -> array[int]:
    numbers = array("q")
    numbers.frombytes(np.ascontiguousarray(column, np.int64).data.cast("B"))
    return numbers
