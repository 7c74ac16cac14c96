"""What subscribers are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from slomon.core.records import IncidentRecord


@dataclass(frozen=True, slots=True)
class IncidentOpened:
    """An endpoint fell below its SLO. The record is as things stand at that request."""

    incident: IncidentRecord


@dataclass(frozen=True, slots=True)
class IncidentClosed:
    """It is back, or its traffic has ceased: the record's state is `closed` or `silent`."""

    incident: IncidentRecord


@dataclass(frozen=True, slots=True)
class IncidentsMissed:
    """
    The subscriber was too slow: so many events before the next one were dropped. A snapshot has
    what they said.
    """

    count: int


IncidentEvent: TypeAlias = IncidentOpened | IncidentClosed | IncidentsMissed
