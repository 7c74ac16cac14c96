"""
Incidents and changes as JSON has them, and back.

The state of one shard as sections of a file, and back.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple
from itertools import islice
from typing import Any, TypeAlias

from slomon.core.endpoints import Endpoint
from slomon.core.events import Change, PositionedChange
from slomon.core.incident import Candidates, Incident, IncidentStats
from slomon.core.shard import Shard
from slomon.core.statistics import Counts
from slomon.kernels import series, window
from slomon.kernels.series import SeriesState
from slomon.kernels.window import WindowState
from slomon.state.file import Section


def pack_change(positioned: PositionedChange) -> list[Any]:
    """A change where it stands, as JSON has it."""
    change = positioned.change  # field by field, here and below: astuple() takes ten times as long
    return [
        *(positioned.position, positioned.tick),
        *(change.commit, change.author, change.date, change.service),
    ]


def unpack_change(fields: list[Any]) -> PositionedChange:
    """What `pack_change` packed."""
    position, tick, *change = fields
    return PositionedChange(position, tick, Change(*change))


def pack_incidents(incidents: Iterable[Incident]) -> dict[str, Any]:
    """Incidents, with the endpoints and changes that they share once each."""
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


Sections: TypeAlias = Iterator[tuple[str, Section]]

Saved: TypeAlias = Mapping[str, Any]


def save_shard(number: int, shard: Shard) -> Sections:
    """Windows and trace of a shard, a section a column; its changes and open incidents."""
    yield from save_windows(number, shard)
    yield from save_changes(number, shard.changes, shard.open)


def save_windows(number: int, shard: Shard) -> Sections:
    """Windows and trace of a shard; some columns are the very ones with which it goes on."""
    for name, column in shard.windows.columns():
        yield f"shard {number} {name}", column
    for name, column in shard.windows.series.columns() if shard.windows.series else ():
        yield f"shard {number} series {name}", column
    yield f"shard {number} marks", shard.windows.marks


def save_changes(
    number: int, changes: Iterable[PositionedChange], open_incidents: Mapping[int, Incident]
) -> Sections:
    """The changes of a shard, and its open incidents by their slots."""
    yield f"shard {number} changes", [pack_change(positioned) for positioned in changes]
    yield f"shard {number} open slots", list(open_incidents)
    yield f"shard {number} open", pack_incidents(open_incidents.values())


def load_shard(number: int, shard: Shard, saved: Saved) -> None:
    """What `save_shard` saved, but for the windows: those are made of the states below."""
    shard.windows.marks = saved[f"shard {number} marks"]
    for fields in saved[f"shard {number} changes"]:
        shard.changes.record(unpack_change(fields))
    slots = saved[f"shard {number} open slots"]
    incidents = unpack_incidents(saved[f"shard {number} open"])
    shard.open = dict(zip(slots, incidents, strict=True))


def window_state(number: int, saved: Saved) -> WindowState:
    """The state of a shard's windows, as arrays. Raises ValueError where their lengths differ."""
    state = WindowState._make(saved[f"shard {number} {name}"] for name in WindowState._fields)
    entries = window.BLOCK * len(state.next_block)
    counts = (window.ENDPOINT_COLUMNS, len(state.width)), (window.ENTRY_COLUMNS, entries)
    _check_rows([column for column in state if column is not state.next_block], *counts)
    return state


def series_state(number: int, saved: Saved) -> SeriesState:
    """The state of a shard's trace. Raises ValueError where its columns' lengths differ."""
    state = SeriesState._make(
        saved[f"shard {number} series {name}"] for name in SeriesState._fields
    )
    endpoints = series.ENDPOINT_COLUMNS, len(state.current_index)
    _check_rows(state, endpoints, (series.BUCKET_COLUMNS, len(state.bucket_slot)))
    return state


def _check_rows(state: Iterable[object], *counts: tuple[int, int]) -> None:
    """So many columns have so many rows, the next ones so many, and those that remain one."""
    columns = iter(state)
    for count, rows in counts:
        check_lengths(islice(columns, count), rows)
    check_lengths(columns, 1)


def check_lengths(columns: Iterable[object], length: int) -> None:
    """What is compiled trusts in these."""
    for column in columns:
        if not isinstance(column, array) or len(column) != length:
            raise ValueError(f"a column has not the {length} numbers that it should have")
