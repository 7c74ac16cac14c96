"""
What travels through Spark: not a row for each access, but blobs of packed columns. Spark moves some
thousand blobs as fast as it moves some thousand rows.

A row of the packed table is of one of these kinds:

* ACCESSES: the accesses of one shard in a part of one source
* ORDER: when all events of a part of one source stand, accesses or not, by which positions in the
  stream are counted
* SUMMARY: what else is known of a source
* CHANGES: the changes of a part of a stream, for one shard

An access stands at its place in the stream: at a time (ticks), and among the events at that time by
the number of its source and its rank in there. In a log that is the number of the event; in a table
it is the value of a column.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from slomon.kernels.codes import FIRST_CHANGE
from slomon.kernels.reorder import ROW

PACKED: Final = "kind int, shard int, source int, blob binary"
"""The columns of the packed table, for Spark."""

ACCESSES: Final = 0
ORDER: Final = 1
SUMMARY: Final = 2
CHANGES: Final = 3

Column: TypeAlias = "np.ndarray[Any, Any]"

_SCHEMA: Final = pa.schema(
    [("kind", pa.int32()), ("shard", pa.int32()), ("source", pa.int32()), ("blob", pa.binary())]
)
_UNITS: Final = (1_000_000_000, 1_000_000, 1_000)  # of differences between times, in ticks
_SAMPLE: Final = 1_000
_KINDS: Final = (np.uint8, np.uint16, np.uint32)


class Rows(NamedTuple):
    """
    The events of a part of one source, in order of their places. `codes` are those of
    `slomon.kernels.codes`; where they are negative, `counts` events stand at the same place.
    """

    times: Column
    ranks: Column
    ticks: Column
    codes: Column
    counts: Column


class Accesses(NamedTuple):
    """
    Accesses of one shard, as columns: the places at which they stand, their own ticks, the slots of
    their endpoints, and whether they failed. `names` are those of the slots if endpoints are found;
    if they are given, the slots are those of `core.endpoints.ShardEndpoints`.
    """

    source: int
    times: Column
    ranks: Column
    ticks: Column
    slots: Column
    failures: Column
    names: Sequence[bytes] | None

    def keep(self, chosen: Column) -> Accesses:
        """These of the accesses."""
        names = ("times", "ranks", "ticks", "slots", "failures")
        return self._replace(**{name: getattr(self, name)[chosen] for name in names})


@dataclass(frozen=True, slots=True)
class Shards:
    """
    How many shards there are, and which owns which endpoint. `finds`: are endpoints found, not
    given? `ranked`: do ranks come from the column of a table? Else they are the numbers of events.
    """

    count: int
    finds: bool
    ranked: bool = False

    def of_name(self, name: bytes) -> int:
        """The shard of an endpoint that is found, by its name."""
        return zlib.crc32(name) % self.count


class Packer:
    """Packs the rows of one source, with the names of found endpoints by their keys."""

    def __init__(self, source: int, shards: Shards) -> None:
        self._source = source
        self._shards = shards
        # The shard of each key. One byte is sorted in a fraction of the time of two.
        self._shard_of = np.zeros(0, np.min_scalar_type(shards.count - 1))

    def pack(self, rows: Rows, names: Sequence[bytes]) -> Iterator[pa.RecordBatch]:
        """The rows as packed rows."""
        yield self._pack_order(rows)
        yield from self.pack_accesses(rows, names)

    def pack_accesses(self, rows: Rows, names: Sequence[bytes]) -> Iterator[pa.RecordBatch]:
        """The accesses among the rows as packed rows."""
        counted = np.flatnonzero(rows.codes >= 0)
        if not len(counted):
            return
        shards = self._find_shards(rows.codes[counted] >> 1, names)
        chosen = counted[np.argsort(shards, kind="stable")]
        times, ranks, codes = rows.times[chosen], rows.ranks[chosen], rows.codes[chosen]
        delays = None if rows.ticks is rows.times else times - rows.ticks[chosen]
        slots, dictionaries = self._number(codes >> 1, names)
        slots = slots.astype(np.uint16 if slots.max() < 1 << 16 else np.int32)
        failures = (codes & 1).astype(bool)
        sizes = np.bincount(shards)
        numbers = np.flatnonzero(sizes).tolist()
        blobs: list[bytes] = []
        for number, end in zip(numbers, np.cumsum(sizes)[numbers].tolist(), strict=True):
            part = slice(end - int(sizes[number]), end)
            columns: dict[str, Any] = {
                "times": times[part],
                "ranks": ranks[part],
                "slots": slots[part],
                "failures": failures[part],
            }
            if delays is not None and delays[part].any():
                columns["delays"] = delays[part]
            if self._shards.finds:
                dictionary = pa.array(dictionaries[number], pa.binary())
                indices = pa.array(slots[part])
                columns["slots"] = pa.DictionaryArray.from_arrays(indices, dictionary)
            blobs.append(_write(columns))
        yield _make_rows(ACCESSES, numbers, self._source, blobs)

    def _pack_order(self, rows: Rows) -> pa.RecordBatch:
        if self._shards.ranked:
            columns = {"times": rows.times, "ranks": rows.ranks}
        else:
            last = np.flatnonzero(np.append(rows.times[1:] != rows.times[:-1], True))
            counts = np.diff(np.cumsum(rows.counts)[last], prepend=0)
            columns = {"times": rows.times[last], "counts": counts}
        return _make_rows(ORDER, [0], self._source, [_write(columns)])

    def _find_shards(self, keys: Column, names: Sequence[bytes]) -> Column:
        shards, known = self._shards, len(self._shard_of)
        new = range(known, len(names) if shards.finds else int(keys.max()) + 1)
        if new:
            added = [
                shards.of_name(names[key]) if shards.finds else key % shards.count for key in new
            ]
            self._shard_of = np.append(self._shard_of, np.array(added, self._shard_of.dtype))
        return self._shard_of[keys]

    def _number(
        self, keys: Column, names: Sequence[bytes]
    ) -> tuple[Column, dict[int, list[bytes]]]:
        """The slot of each key, and the names of the slots by shard."""
        if not self._shards.finds:
            return keys // self._shards.count, {}
        is_used = np.zeros(len(self._shard_of), bool)
        is_used[keys] = True
        used = np.flatnonzero(is_used)
        slots = np.zeros(len(is_used), np.int64)
        dictionaries: dict[int, list[bytes]] = {}
        for key in used.tolist():
            dictionary = dictionaries.setdefault(int(self._shard_of[key]), [])
            slots[key] = len(dictionary)
            dictionary.append(names[key])
        return slots[keys], dictionaries


def pack_summary(source: int, blob: bytes) -> pa.RecordBatch:
    """A packed row with the summary of a source."""
    return _make_rows(SUMMARY, [0], source, [blob])


def pack_changes(shards: int, blob: bytes) -> pa.RecordBatch:
    """Packed rows with the same changes for each shard."""
    return _make_rows(CHANGES, range(shards), 0, [blob] * shards)


def make_rows(parts: Sequence[array[int]], first_rank: int) -> tuple[Rows, int]:
    """The rows of a log, four numbers each, and the rank of the event after them."""
    tables = [np.frombuffer(part, np.int64).reshape(-1, ROW) for part in parts]
    times, ticks, codes = (
        np.concatenate([table[:, column] for table in tables]) for column in (0, 2, 3)
    )
    if codes.min() >= 0:
        next_rank = first_rank + len(codes)
        ticks = times if np.array_equal(ticks, times) else ticks
        ones = np.ones(len(codes), np.int64)
        return Rows(times, np.arange(first_rank, next_rank), ticks, codes, ones), next_rank
    is_run = (codes < 0) & (codes > FIRST_CHANGE)
    counts = np.where(is_run, ticks, 1)
    ends = first_rank + np.cumsum(counts)
    rows = Rows(times, ends - counts, ticks, codes, counts)
    return rows, int(ends[-1])


def read_accesses(source: int, blob: pa.Buffer) -> Accesses:
    """What an ACCESSES blob contains."""
    columns, bases = _read(blob)
    times = _expand(columns["times"], bases["times"])
    ticks = times
    if "delays" in columns:
        ticks = times - columns["delays"].to_numpy().astype(np.int64)
    endpoints, names = columns["slots"], None
    if pa.types.is_dictionary(endpoints.type):
        endpoints, names = endpoints.indices, endpoints.dictionary.to_pylist()
    ranks = _expand(columns["ranks"], bases["ranks"])
    failures = columns["failures"].to_numpy(zero_copy_only=False)
    return Accesses(source, times, ranks, ticks, endpoints.to_numpy(), failures, names)


def count_before(blobs: Iterable[tuple[int, pa.Buffer]], places: Sequence[Column]) -> Column:
    """
    How many events of these ORDER blobs, each with its source, stand before each of some places:
    columns of times, sources and ranks, in the order of the times.
    """
    before = np.zeros(len(places[0]), np.int64)
    for source, blob in blobs:
        columns, bases = _read(blob)
        stands = _expand(columns["times"], bases["times"])
        # Only the places in the range of these times are searched for: most stand outside.
        begin, end = np.searchsorted(places[0], [stands[0], stands[-1] + 1])
        times, sources, ranks = (column[begin:end] for column in places)
        first = np.searchsorted(stands, times, "left")
        after = np.searchsorted(stands, times, "right")
        own = sources == source
        if "counts" in columns:
            # A place in a log has the events of its own log before it: their number is its rank.
            total = np.concatenate([[0], np.cumsum(columns["counts"].to_numpy(), dtype=np.int64)])
            earlier = np.where(source < sources, total[after], total[first])
            before[begin:end] += np.where(own, 0, earlier)
            before[end:] += np.where(places[1][end:] == source, 0, total[-1])
            continue
        values = _expand(columns["ranks"], bases["ranks"])
        earlier = np.where(source < sources, after, first)
        earlier[own] = _search(values, first[own], after[own], ranks[own])
        before[begin:end] += earlier
        before[end:] += len(stands)
    return before


def _search(values: Column, first: Column, end: Column, wanted: Column) -> Column:
    """Where each wanted value stands in its own range of values, which is in order."""
    while (searching := first < end).any():
        middle = (first + end) // 2
        is_less = values[np.where(searching, middle, 0)] < wanted
        first = np.where(searching & is_less, middle + 1, first)
        end = np.where(searching & ~is_less, middle, end)
    return first


def _make_rows(
    kind: int, shards: Sequence[int], source: int, blobs: Sequence[bytes]
) -> pa.RecordBatch:
    count = len(blobs)
    columns = [[kind] * count, shards, [source] * count, blobs]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)],
        schema=_SCHEMA,
    )


def _write(columns: dict[str, Any]) -> bytes:
    """
    Columns as an Arrow stream. Times and ranks are written as differences in bytes or in other
    small numbers: that takes less time than to compress them, and Spark compresses what it moves.
    """
    bases = {}
    for name in {"times", "ranks"} & columns.keys():
        numbers = columns[name]
        differences = np.zeros_like(numbers)
        np.subtract(numbers[1:], numbers[:-1], out=differences[1:])
        unit, differences = _divide(differences) if name == "times" else (1, differences)
        bases[name] = f"{numbers[0]} {unit}"
        columns[name] = _narrow(differences)
    arrays = [
        one if isinstance(one, pa.Array) else pa.array(np.ascontiguousarray(one))
        for one in columns.values()
    ]
    batch = pa.RecordBatch.from_arrays(arrays, names=list(columns))
    batch = batch.replace_schema_metadata(bases)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    blob: bytes = sink.getvalue().to_pybytes()
    return blob


def _divide(differences: Column) -> tuple[int, Column]:
    """The largest unit that divides all differences between times, and their numbers of units."""
    for unit in _UNITS:
        if not (differences[:_SAMPLE] % unit).any():
            quotients = differences // unit
            if np.array_equal(quotients * unit, differences):  # faster than remainders
                return unit, quotients
    return 1, differences


def _narrow(numbers: Column) -> Column:
    """Numbers in the smallest type that holds them."""
    if numbers.min() >= 0:
        most = numbers.max()
        for kind in _KINDS:
            if most <= np.iinfo(kind).max:
                return numbers.astype(kind)
    return numbers


def _read(blob: pa.Buffer) -> tuple[dict[str, Any], dict[str, list[int]]]:
    batch = pa.ipc.open_stream(blob).read_next_batch()
    metadata = batch.schema.metadata or {}
    bases = {name.decode(): [*map(int, value.split())] for name, value in metadata.items()}
    return dict(zip(batch.schema.names, batch.columns, strict=True)), bases


def _expand(differences: pa.Array, base: Sequence[int]) -> Column:
    """The numbers that were written as differences."""
    first, unit = base
    numbers = differences.to_numpy().astype(np.int64)  # faster than `cumsum` with a type
    np.cumsum(numbers, out=numbers)
    if unit != 1:
        numbers *= unit
    numbers += first
    return numbers
