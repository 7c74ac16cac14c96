"""
The state of a run as sections of a file: changes and incidents as JSON, and a shard as columns of
numbers and JSON. Each `pack` or `save` function has a counterpart that reads its result.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from slomon.core.endpoints import Endpoint
from slomon.core.events import Change, PositionedChange
from slomon.core.incident import Candidates, Incident, IncidentStats
from slomon.core.shard import Shard
from slomon.core.statistics import Counts
from slomon.kernels import sli_series, windows
from slomon.kernels.sli_series import SeriesState
from slomon.kernels.windows import WindowState
from slomon.state.file import Section

Sections: TypeAlias = Iterator[tuple[str, Section]]
"""Sections of a file, by name."""

Saved: TypeAlias = Mapping[str, Any]
"""The sections of a file that was read, by name."""


def pack_change(positioned: PositionedChange) -> list[Any]:
    """A change and its position, as JSON."""
    change = positioned.change  # astuple() takes ten times as long, here and below
    return [
        *(positioned.position, positioned.tick),
        *(change.commit, change.author, change.date, change.service),
    ]


def unpack_change(fields: list[Any]) -> PositionedChange:
    """What `pack_change` packed."""
    position, tick, *change = fields
    return PositionedChange(position, tick, Change(*change))


def pack_incidents(incidents: Iterable[Incident]) -> dict[str, Any]:
    """Incidents as JSON. Each endpoint and change that they share is saved once."""
    endpoints: dict[Endpoint, int] = {}
    changes: dict[PositionedChange, int] = {}

    def pack(candidates: Candidates) -> list[Any]:
        return [
            [changes.setdefault(positioned, len(changes)) for positioned in candidates.changes],
            candidates.omitted,
            *((part.requests, part.failures) for part in (candidates.before, candidates.after)),
        ]

    rows = [
        [
            *(incident.key, endpoints.setdefault(incident.endpoint, len(endpoints))),
            *(incident.start, incident.start_position, incident.onset, incident.before),
            pack(incident.breaking),
            incident.stats,
            *(incident.end, incident.end_position, incident.fixing and pack(incident.fixing)),
        ]
        for incident in incidents
    ]
    return {
        "endpoints": [astuple(endpoint) for endpoint in endpoints],
        "changes": [pack_change(positioned) for positioned in changes],
        "incidents": rows,
    }


def unpack_incidents(packed: Mapping[str, Any]) -> list[Incident]:
    """What `pack_incidents` packed."""
    endpoints = [Endpoint(*fields) for fields in packed["endpoints"]]
    changes = [unpack_change(fields) for fields in packed["changes"]]

    def unpack(fields: list[Any]) -> Candidates:
        numbers, omitted, before, after = fields
        positioned = tuple(changes[number] for number in numbers)
        return Candidates(positioned, omitted, Counts(*before), Counts(*after))

    incidents = []
    for key, endpoint, *opening, before, breaking, stats, end, at, fixing in packed["incidents"]:
        fields: list[Any] = [key, endpoints[endpoint], *opening, tuple(before)]
        fields += [unpack(breaking), IncidentStats(*stats), end, at, fixing and unpack(fixing)]
        incidents.append(Incident(*fields))
    return incidents


def save_shard(number: int, shard: Shard) -> Sections:
    """Windows, SLI series, changes and open incidents of a shard."""
    yield from save_windows(number, shard)
    yield from save_changes(number, shard.changes, shard.open)


def save_windows(number: int, shard: Shard) -> Sections:
    """
    Windows and SLI series of a shard, one section per column. Some columns are not copies: the
    shard changes them when it continues.
    """
    for name, column in shard.windows.columns():
        yield f"shard {number} {name}", column
    for name, column in shard.windows.series.columns() if shard.windows.series else ():
        yield f"shard {number} series {name}", column
    yield f"shard {number} marks", shard.windows.marks


def save_changes(
    number: int, changes: Iterable[PositionedChange], open_incidents: Mapping[int, Incident]
) -> Sections:
    """Changes of a shard, and its open incidents by slot."""
    yield f"shard {number} changes", [pack_change(positioned) for positioned in changes]
    yield f"shard {number} open slots", list(open_incidents)
    yield f"shard {number} open", pack_incidents(open_incidents.values())


class ShardState(NamedTuple):
    """The state of a shard, without its SLI series."""

    windows: WindowState
    marks: array[int]
    changes: list[PositionedChange]
    open: dict[int, Incident]
    """By slot."""


def load_shard(number: int, saved: Saved) -> ShardState:
    """What `save_shard` saved, except the SLI series: see `series_state`."""
    slots = saved[f"shard {number} open slots"]
    incidents = unpack_incidents(saved[f"shard {number} open"])
    return ShardState(
        window_state(number, saved),
        saved[f"shard {number} marks"],
        [unpack_change(fields) for fields in saved[f"shard {number} changes"]],
        dict(zip(slots, incidents, strict=True)),
    )


def window_state(number: int, saved: Saved) -> WindowState:
    """The state of a shard's windows, as arrays. Raises ValueError if their lengths are wrong."""
    state = WindowState._make(saved[f"shard {number} {name}"] for name in WindowState._fields)
    entries = windows.BLOCK * len(state.next_block)
    counts = (windows.ENDPOINT_COLUMNS, len(state.width)), (windows.ENTRY_COLUMNS, entries)
    _check_rows([column for column in state if column is not state.next_block], *counts)
    return state


def series_state(number: int, saved: Saved) -> SeriesState:
    """The state of a shard's SLI series. Raises ValueError if the columns' lengths are wrong."""
    state = SeriesState._make(
        saved[f"shard {number} series {name}"] for name in SeriesState._fields
    )
    endpoints = sli_series.ENDPOINT_COLUMNS, len(state.current_index)
    _check_rows(state, endpoints, (sli_series.BUCKET_COLUMNS, len(state.bucket_slot)))
    return state


def _check_rows(state: Iterable[object], *counts: tuple[int, int]) -> None:
    """
    Check the lengths of columns: for each pair (columns, rows) of `counts` the next columns have
    that many rows. The remaining columns have one row.
    """
    columns = iter(state)
    for count, rows in counts:
        check_lengths(islice(columns, count), rows)
    check_lengths(columns, 1)


def check_lengths(columns: Iterable[object], length: int) -> None:
    """
    Raise ValueError unless each column is an array of that length: compiled kernels don't check.
    """
    for column in columns:
        if not isinstance(column, array) or len(column) != length:
            raise ValueError(f"a column has not the {length} numbers that it should have")
