"""
One shard of a stream that Spark cuts into micro-batches: what waits until the watermark has passed,
and the `core.shard.Shard` that counts it. Between two micro-batches it is a blob of bytes, in the
form of a checkpoint.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from slomon.core.endpoints import ShardEndpoints
from slomon.core.events import Change, PositionedChange
from slomon.core.incident import Incident
from slomon.core.shard import Shard
from slomon.core.windows import Windows
from slomon.endpoints.discovery import (
    FoundEndpoints,
    PythonEndpointNames,
    SavedEndpointNames,
)
from slomon.errors import StateFileError
from slomon.integrations.spark.counting import Place, PlacedChange, PlacedStream, ShardCount
from slomon.integrations.spark.packing import Accesses, Column, Shards
from slomon.integrations.spark.summaries import SourceSummary
from slomon.integrations.spark.tables import SOURCE
from slomon.log_replay.backend import Backend
from slomon.log_replay.plan import Plan
from slomon.state.encoding import (
    Sections,
    pack_change,
    save_shard,
    unpack_change,
    unpack_incidents,
    window_state,
)
from slomon.state.file import pack_state, unpack_state

_BATCH: Final = 1 << 10  # accesses: the windows have room for as many, and are saved with it
_COLUMNS: Final = ("times", "ranks", "ticks", "slots", "failures")
_CODEC: Final = "lz4"


class ShardStream:
    """
    A shard of a stream. Accesses and changes wait until `release`. One that comes after the
    watermark has passed its time stands at the watermark.

    * `identity`: text that describes what is counted, and how. Raises StateFileError if the saved
      state is of a shard with another one
    * `saved`: what `save` returned; None to begin
    """

    def __init__(
        self,
        plan: Plan,
        shards: Shards,
        backend: Backend,
        number: int,
        *,
        identity: str = "",
        saved: bytes | None = None,
    ) -> None:
        sections = None if saved is None else _unpack(saved)
        if sections is not None and sections["identity"] != identity:
            raise StateFileError(
                f"the checkpoint is of another watch: {sections['identity']} then, and {identity} "
                "now; allowed: the same options, or a new checkpoint and output"
            )
        self._identity = identity
        self._finds = shards.finds
        self._names = PythonEndpointNames(plan.max_endpoints)
        self._members = self._make_members(plan, shards, number)
        self.summary = SourceSummary(SOURCE)
        self.watermark = 0
        """All accesses before this time are counted."""
        self._position = 0
        self._newest = 0
        self._dropped = 0
        self._began: tuple[Place, int] | None = None
        self.deploys: list[PositionedChange] = []
        """The changes that were counted, with their positions in the shard."""
        self._first: dict[int, Place] = {}
        self._waiting = _empty()
        self.changes: list[PlacedChange] = []
        """The changes that wait, in order."""
        windows = Windows(
            () if self._finds else self._members,
            min_requests=plan.min_requests,
            resolution=plan.resolution,
            no_traffic=plan.no_traffic,
        )
        if sections is None:
            self._shard = Shard(self._members, backend.windows(windows))
        else:
            self._load(sections, backend, plan.resolution)

    @property
    def waits_until(self) -> int | None:
        """The watermark at which there is something to release; None if there is nothing."""
        newest = [int(self._waiting.times.max())] if len(self._waiting.times) else []
        newest += [one.place.time for one in self.changes[-1:]]
        expiry = self._shard.next_expiry()
        return max(newest) if newest else expiry

    def add(self, accesses: Accesses) -> None:
        """Add accesses, which wait."""
        times = np.maximum(accesses.times, self.watermark)
        slots = accesses.slots
        if accesses.names is not None:
            keys = [self._admit(name) for name in accesses.names]
            slots = np.array(keys, np.int32)[slots]
        added = accesses._replace(times=times, slots=slots, names=None)
        kept = added.keep(slots >= 0)
        self._dropped += len(slots) - len(kept.slots)
        self._waiting = _join(self._waiting, kept)

    def add_changes(self, changes: Sequence[PlacedChange]) -> None:
        """Add changes, which wait."""
        for one in changes:
            time = max(one.place.time, self.watermark)
            self.changes.append(one._replace(place=one.place._replace(time=time)))
        self.changes.sort(key=lambda one: (one.place, one.change.commit, one.change.service))

    def release(self, watermark: int) -> list[Incident]:
        """
        Count what stands before the watermark. Returns the incidents that opened or ended; one that
        did both is in the list twice.
        """
        if watermark <= self.watermark:
            return []
        is_final = self._waiting.times < watermark
        changes = [one for one in self.changes if one.place.time < watermark]
        updated = self._count(self._waiting.keep(is_final), changes)
        self._waiting = self._waiting.keep(~is_final)
        self.changes = self.changes[len(changes) :]
        self.watermark = watermark
        return updated + self._shard.close_expired(watermark - 1)

    def finish(self, newest: int) -> ShardCount:
        """
        Count all that waits, as if the stream had ended at the tick `newest`. Returns what the
        shard has counted, with the incidents that opened or ended now and those that are open. The
        shard can't be used afterwards.
        """
        updated = self._count(self._waiting, self.changes)
        updated += [*self._shard.close_expired(newest), *self._shard.still_open()]
        requests, failures = self._shard.windows.totals()
        slots = sorted(self._first, key=self._first.__getitem__)
        return ShardCount(
            keys=[self._members.key(slot) for slot in slots],
            names=[self._names.text(slot) for slot in slots] if self._finds else (),
            requests=[requests[slot] for slot in slots],
            failures=[failures[slot] for slot in slots],
            first=[self._first[slot] for slot in slots],
            incidents=updated,
            began=self._began,
            newest=self._newest,
            late=self._shard.late,
            dropped=self._dropped,
        )

    def save(self) -> bytes:
        """The state, for `saved`."""
        state = pack_state(self._sections())
        compressed: bytes = pa.compress(state, _CODEC, asbytes=True)
        return len(state).to_bytes(8, "little") + compressed

    def _make_members(self, plan: Plan, shards: Shards, number: int) -> ShardEndpoints:
        if plan.endpoints is not None:
            return ShardEndpoints(plan.endpoints.endpoints, number, shards.count)
        found = FoundEndpoints(self._names, plan.defaults, plan.service_from)
        return ShardEndpoints(found, 0, 1)

    def _admit(self, name: bytes) -> int:
        key = self._names.key(name)
        return key if key >= 0 and self._names.accept(key) else -1

    def _count(self, accesses: Accesses, changes: Sequence[PlacedChange]) -> list[Incident]:
        stream = PlacedStream([accesses], changes, ranked=True, first=self._position)
        updated: list[Incident] = []
        for batch in stream.batches(_BATCH):
            updated += self._shard.advance(batch)
        for slot, place in zip(*stream.find_first(), strict=True):
            self._first.setdefault(slot, place)
        self._position = stream.next_position
        self._newest = max(self._newest, stream.newest)
        self._began = self._began or stream.began
        self.deploys += [
            PositionedChange(position, one.tick, one.change)
            for position, one in zip(stream.change_positions, changes, strict=True)
        ]
        return updated

    def _sections(self) -> Sections:
        yield "identity", self._identity
        yield "stream", [self.watermark, self._position, self._newest, self._dropped]
        yield "began", self._began and [*self._began[0], self._began[1]]
        for name, section in self._names.save()._asdict().items():
            yield f"names' {name}", section
        first = [[slot, *place] for slot, place in self._first.items()]
        yield "first", array("q", [number for row in first for number in row])
        for name in _COLUMNS:
            column = np.ascontiguousarray(getattr(self._waiting, name), np.int64)
            yield f"waiting {name}", array("q", column.tobytes())
        yield "waiting changes", list(map(_pack_change, self.changes))
        yield "deploys", list(map(pack_change, self.deploys))
        yield "summary", self.summary.save()
        yield from save_shard(0, self._shard)

    def _load(self, saved: Mapping[str, Any], backend: Backend, resolution: int) -> None:
        self.watermark, self._position, self._newest, self._dropped = saved["stream"]
        if saved["began"]:
            *place, tick = saved["began"]
            self._began = Place(*place), tick
        self._names.load(
            SavedEndpointNames(
                **{name: saved[f"names' {name}"] for name in SavedEndpointNames._fields}
            )
        )
        numbers = iter(saved["first"])
        rows = zip(numbers, numbers, numbers, numbers, numbers, strict=True)
        self._first = {slot: Place(*place) for slot, *place in rows}
        columns = {name: np.array(saved[f"waiting {name}"], np.int64) for name in _COLUMNS}
        self._waiting = Accesses(SOURCE, **columns, names=None)
        self.changes = list(map(_unpack_change, saved["waiting changes"]))
        self.deploys = list(map(unpack_change, saved["deploys"]))
        self.summary = SourceSummary.load(SOURCE, saved["summary"])
        marks = saved["shard 0 marks"]
        windows = Windows.from_state(window_state(0, saved), marks, resolution=resolution)
        self._shard = Shard(
            self._members,
            backend.windows(windows),
            changes=map(unpack_change, saved["shard 0 changes"]),
            open_incidents=dict(
                zip(
                    saved["shard 0 open slots"],
                    unpack_incidents(saved["shard 0 open"]),
                    strict=True,
                )
            ),
        )


def _unpack(saved: bytes) -> Mapping[str, Any]:
    size = int.from_bytes(saved[:8], "little")
    return unpack_state(pa.decompress(saved[8:], size, _CODEC, asbytes=True), "the checkpoint")


def _pack_change(one: PlacedChange) -> list[Any]:
    change = one.change
    return [*one.place, one.tick, change.commit, change.author, change.date, change.service]


def _unpack_change(fields: Sequence[Any]) -> PlacedChange:
    return PlacedChange(Place(*fields[:4]), fields[4], Change(*fields[5:]))


def _empty() -> Accesses:
    columns = {name: np.zeros(0, np.int64) for name in _COLUMNS}
    return Accesses(SOURCE, **columns, names=None)


def _join(one: Accesses, other: Accesses) -> Accesses:
    columns: dict[str, Column] = {
        name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in _COLUMNS
    }
    return Accesses(SOURCE, **columns, names=None)
