"""Incidents as durable records: an object of JSON a line, in order of start."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from slomon.core.event import Change
from slomon.core.incident import Incident
from slomon.core.tick import to_seconds

_NO_CHANGE: Final = Change("", "", "", "")


def show_records(incidents: Iterable[Incident]) -> Iterator[str]:
    """
    A line an incident. Times are in seconds; an open one has `end` -1, `duration` null and `fix`
    "", and `break` and `fix` are "" where no change came before.
    """
    return (json.dumps(_describe(incident)) for incident in incidents)


def _describe(incident: Incident) -> dict[str, object]:
    endpoint, duration = incident.endpoint, incident.duration
    broken, fixed = incident.broken_by or _NO_CHANGE, incident.fixed_by or _NO_CHANGE
    return {
        "service": endpoint.name,
        "verb": endpoint.verb,
        "resource": endpoint.resource,
        "slo": endpoint.slo,
        "window": to_seconds(endpoint.window),
        "start": to_seconds(incident.start),
        "end": -1 if incident.end is None else to_seconds(incident.end),
        "duration": None if duration is None else to_seconds(duration),
        "break": broken.commit,
        "fix": fixed.commit,
        "break_author": broken.author,
        "break_date": broken.date,
        "fix_author": fixed.author,
        "fix_date": fixed.date,
    }
