"""Incidents and changes as JSON has them, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple
from typing import Any

from slomon.core.comparison import Counts
from slomon.core.endpoint import Endpoint
from slomon.core.event import Change, Placed
from slomon.core.incident import Course, Incident
from slomon.core.suspicion import Suspicion


def pack_placed(placed: Placed) -> list[Any]:
    """A change where it stands, as JSON has it."""
    change = placed.change  # field by field, here and below: astuple() takes ten times as long
    return [
        *(placed.position, placed.tick),
        *(change.commit, change.author, change.date, change.service),
    ]


def unpack_placed(fields: list[Any]) -> Placed:
    """What `pack_placed` packed."""
    position, tick, *change = fields
    return Placed(position, tick, Change(*change))


def pack_incidents(incidents: Iterable[Incident]) -> dict[str, Any]:
    """Incidents, with the endpoints and changes that they share once each."""
    endpoints: dict[Endpoint, int] = {}
    changes: dict[Placed, int] = {}

    def pack(suspicion: Suspicion) -> list[Any]:
        return [
            [changes.setdefault(placed, len(changes)) for placed in suspicion.suspects],
            suspicion.earlier,
            *((part.requests, part.failures) for part in (suspicion.before, suspicion.after)),
        ]

    rows = [
        [
            *(incident.key, endpoints.setdefault(incident.endpoint, len(endpoints))),
            *(incident.start, incident.start_position, incident.onset, incident.before),
            pack(incident.breaking),
            incident.course,
            *(incident.end, incident.end_position, incident.fixing and pack(incident.fixing)),
        ]
        for incident in incidents
    ]
    return {
        "endpoints": [astuple(endpoint) for endpoint in endpoints],
        "changes": [pack_placed(placed) for placed in changes],
        "incidents": rows,
    }


def unpack_incidents(packed: Mapping[str, Any]) -> list[Incident]:
    """What `pack_incidents` packed."""
    endpoints = [Endpoint(*fields) for fields in packed["endpoints"]]
    changes = [unpack_placed(fields) for fields in packed["changes"]]

    def unpack(fields: list[Any]) -> Suspicion:
        suspects, earlier, before, after = fields
        placed = tuple(changes[number] for number in suspects)
        return Suspicion(placed, earlier, Counts(*before), Counts(*after))

    incidents = []
    for key, endpoint, *opening, before, breaking, course, end, at, fixing in packed["incidents"]:
        fields: list[Any] = [key, endpoints[endpoint], *opening, tuple(before)]
        fields += [unpack(breaking), Course(*course), end, at, fixing and unpack(fixing)]
        incidents.append(Incident(*fields))
    return incidents
