"""
The state of a run as sections of a file: changes and incidents as JSON, and a shard as columns of
numbers and JSON. Each `pack` or `save` function has a counterpart that reads its result, and raises
ValueError, LookupError or TypeError if that is invalid.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple
from itertools import chain, repeat
from typing import Any, Final, NamedTuple, TypeAlias

from slomon.core.endpoints import Endpoint
from slomon.core.events import Change, PositionedChange
from slomon.core.incident import Candidates, Incident, IncidentStats
from slomon.core.shard import Shard
from slomon.core.statistics import Counts
from slomon.kernels import sli_series, windows
from slomon.kernels.sli_series import SeriesState
from slomon.kernels.windows import WindowState
from slomon.state.file import Section
from slomon.state.validation import (
    check_column,
    check_counts,
    check_series,
    check_texts,
    check_windows,
    demand,
)

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
    check_counts([position, tick])
    check_texts(change)
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
            *(incident.start, incident.start_position, incident.onset),
            *(incident.burst, incident.surge, incident.before),
            *(pack(incident.breaking), incident.stats),
            *(incident.end, incident.end_position, incident.fixing and pack(incident.fixing)),
            incident.recovery,
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
    endpoints = [_unpack_endpoint(fields) for fields in packed["endpoints"]]
    changes = [unpack_change(fields) for fields in packed["changes"]]

    def unpack(fields: list[Any]) -> Candidates:
        numbers, omitted, before, after = fields
        check_counts([*numbers, omitted, *before, *after])
        positioned = tuple(changes[number] for number in numbers)
        return Candidates(positioned, omitted, Counts(*before), Counts(*after))

    incidents = []
    for row in packed["incidents"]:
        key, endpoint, start, position, onset, burst, surge, before, breaking, *rest = row
        stats, end, at, fixing, recovery = rest
        fields: list[Any] = [key, endpoints[endpoint], start, position, onset]
        fields += map(tuple, (burst, surge, before))
        fields += [unpack(breaking), IncidentStats(*stats)]
        fields += [end, at, fixing and unpack(fixing), recovery]
        incident = Incident(*fields)
        _check_incident(incident)
        incidents.append(incident)
    return incidents


def _unpack_endpoint(fields: list[Any]) -> Endpoint:
    *texts, slo, width = fields
    check_texts(texts)
    check_counts([width])
    demand(isinstance(slo, int | float) and 0 < slo <= 1, "the SLO of an endpoint is not one")
    return Endpoint(*fields)


def _check_incident(one: Incident) -> None:
    check_counts([one.key, one.start, one.start_position, one.onset])
    check_counts([*one.burst, *one.surge, *one.before, *one.stats])
    ends = one.end, one.end_position, one.recovery
    check_counts(number for number in ends if number is not None)
    requests, failures, _, lowest, lowest_failures, _ = one.stats
    pairs = one.burst, one.surge[1:], one.before, (requests, failures), (lowest, lowest_failures)
    demand(all(failed <= counted for counted, failed in pairs), "an incident has too many failures")
    demand(requests and lowest, "an incident has no requests")
    demand(one.onset <= one.start, "an incident has its onset after its start")
    is_closed = one.end_position is not None
    demand(is_closed == (one.fixing is not None), "an incident is closed only in part")
    demand(one.end is not None or not is_closed, "an incident is closed only in part")
    demand(one.end is None or one.start <= one.end, "an incident ends before its start")
    demand((one.end is None) == (one.recovery is None), "an incident is ended only in part")
    demand((one.recovery or 0) <= (one.end or 0), "an incident recovers after its end")


def save_shard(number: int, shard: Shard) -> Sections:
    """Windows, SLI series, changes and open incidents of a shard."""
    yield from save_windows(number, shard.windows.columns())
    yield from save_series(number, shard)
    yield f"shard {number} changes", [pack_change(positioned) for positioned in shard.changes]
    yield f"shard {number} open slots", list(shard.open)
    yield f"shard {number} open", pack_incidents(shard.open.values())


def save_windows(number: int, columns: Iterable[tuple[str, array[int] | array[float]]]) -> Sections:
    """The columns of a shard's windows."""
    for name, column in columns:
        yield f"shard {number} {name}", column


def save_series(number: int, shard: Shard) -> Sections:
    """
    SLI series and marks of a shard. Some columns are not copies: the shard changes them when it
    continues.
    """
    for name, column in shard.windows.series.columns() if shard.windows.series else ():
        yield f"shard {number} series {name}", column
    yield f"shard {number} marks", shard.windows.marks


class ShardState(NamedTuple):
    """The state of a shard, without its SLI series."""

    windows: WindowState
    marks: array[int]
    changes: list[PositionedChange]
    open: dict[int, Incident]
    """By slot."""


class StreamBounds(NamedTuple):
    """How far the stream of a saved state had come."""

    events: int
    newest: int
    """No access counts after this tick."""


def load_shard(number: int, saved: Saved, bounds: StreamBounds) -> ShardState:
    """What `save_shard` saved, except the SLI series: see `series_state`."""
    slots, packed = saved[f"shard {number} open slots"], saved[f"shard {number} open"]
    check_counts(slots)
    open_incidents = dict(zip(slots, unpack_incidents(packed), strict=True))
    changes = [unpack_change(fields) for fields in saved[f"shard {number} changes"]]
    return join_shard(number, saved, bounds, changes, open_incidents)


def join_shard(
    number: int,
    saved: Saved,
    bounds: StreamBounds,
    changes: list[PositionedChange],
    open_incidents: dict[int, Incident],
) -> ShardState:
    """The state of a shard whose changes and open incidents were saved elsewhere."""
    state, marks = window_state(number, saved), saved[f"shard {number} marks"]
    check_column(marks, "q", len(marks))
    check_windows(state, marks, **bounds._asdict())
    still = all(incident.end is None for incident in open_incidents.values())
    breached = {slot for slot, is_open in enumerate(state.breached) if is_open}
    demand(
        still and breached == set(open_incidents), "the open incidents are not those of the windows"
    )
    positions = (incident.start_position for incident in open_incidents.values())
    for position in chain(positions, (change.position for change in changes)):
        demand(position < bounds.events, f"something is at position {position}")
    return ShardState(state, marks, changes, open_incidents)


def window_state(number: int, saved: Saved) -> WindowState:
    """The state of a shard's windows, as arrays. Raises ValueError if their lengths are wrong."""
    state = WindowState._make(saved[f"shard {number} {name}"] for name in WindowState._fields)
    _check_columns(
        state._asdict(),
        (windows.ENDPOINT_COLUMNS, len(state.width)),
        (windows.ENTRY_COLUMNS, windows.BLOCK * len(state.next_block)),
        (1, len(state.next_block)),
    )
    return state


def series_state(
    number: int, saved: Saved, windows: WindowState, *, since_beginning: bool
) -> SeriesState:
    """
    The state of a shard's SLI series. Raises ValueError if it can't be that of these windows; see
    `check_series`.
    """
    state = SeriesState._make(
        saved[f"shard {number} series {name}"] for name in SeriesState._fields
    )
    _check_columns(
        state._asdict(),
        (sli_series.ENDPOINT_COLUMNS, len(state.current_index)),
        (sli_series.BUCKET_COLUMNS, len(state.bucket_slot)),
    )
    check_series(state, windows, since_beginning=since_beginning)
    return state


_FLOATS: Final = {"slo", "current_min_sli", "bucket_min_sli"}
"""The columns that are not whole numbers."""


def _check_columns(columns: Mapping[str, object], *counts: tuple[int, int]) -> None:
    """
    Check the lengths of columns: for each pair (columns, rows) of `counts` the next columns have
    that many rows. The remaining columns have one row.
    """
    lengths = chain(*(repeat(rows, count) for count, rows in counts), repeat(1))
    for (name, column), length in zip(columns.items(), lengths, strict=False):
        check_column(column, "d" if name in _FLOATS else "q", length)
