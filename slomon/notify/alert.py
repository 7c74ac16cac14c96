"""An incident as an alert of Alertmanager's API v2."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from slomon.core.attribution import Attribution
from slomon.core.records import IncidentRecord
from slomon.core.ticks import to_seconds
from slomon.errors import OptionError
from slomon.options import read_texts
from slomon.text import excerpt

_NAME: Final = "SloBreached"
_LABEL: Final = re.compile("[a-zA-Z_][a-zA-Z0-9_]*")
_OURS: Final = ("service", "method", "route")
_LONGEST: Final = 1000  # characters


@dataclass(frozen=True, slots=True)
class Alert:
    """An incident, and the tick until which its end is told, None while it is open."""

    record: IncidentRecord
    until: int | None


def read_labels(name: str, value: Mapping[str, str] | None) -> dict[str, str]:
    """Labels for all alerts. Raises ConfigurationError, which says what is wrong with them."""
    labels = read_texts(name, {} if value is None else value)
    for label in labels:
        if not _LABEL.fullmatch(label) or label in _OURS:
            raise OptionError(
                [name],
                f" has '{excerpt(label)}'; allowed: names of letters, digits and underscores, "
                f"but for {', '.join(_OURS)}",
            )
    return labels


def write_alert(
    record: IncidentRecord, labels: Mapping[str, str], now: int, lease: int
) -> dict[str, object]:
    """
    The alert, as JSON has it. One that fires does so for `lease` ticks from now, so that it ends
    by itself when nobody sends it any more.
    """
    end = max(to_seconds(now + lease), record.start) if record.end is None else record.end
    own = {"service": record.service, "method": record.verb, "route": record.resource}
    return {
        "labels": {
            name: value[:_LONGEST] for name, value in {"alertname": _NAME, **labels, **own}.items()
        },
        "annotations": {
            name: excerpt(value, _LONGEST) for name, value in _annotate(record).items() if value
        },
        "startsAt": show_time(record.start),
        "endsAt": show_time(end),
    }


def show_time(seconds: float) -> str:
    """A time as RFC 3339 has it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _annotate(record: IncidentRecord) -> dict[str, str]:
    fixed_by = record.fixed_by
    return {
        "summary": _sum_up(record),
        "incident": record.id,
        "sli": f"{record.lowest_sli:.6g}",
        "slo": f"{record.slo:.6g}",
        "broken_by": record.broken_by.commit,
        "author": _author(record.broken_by),
        "verdict": str(record.broken_by.verdict),
        "candidates": _candidates(record.broken_by),
        "fixed_by": fixed_by.commit if fixed_by else "",
        "state": str(record.state),
    }


def _sum_up(record: IncidentRecord) -> str:
    blamed = f", broken by {excerpt(record.broken_by.commit)}" if record.broken_by.commit else ""
    return (
        f"{excerpt(record.verb)} {excerpt(record.resource)} of {excerpt(record.service)}: "
        f"SLI {record.lowest_sli:.6g}, below its SLO {record.slo:.6g}{blamed}"
    )


def _author(attribution: Attribution) -> str:
    return attribution.newest.author if attribution.newest else ""


def _candidates(attribution: Attribution) -> str:
    """Their commits, where there is a choice."""
    commits = [excerpt(candidate.commit) for candidate in attribution.candidates]
    return ", ".join(commits) if len(commits) > 1 else ""
