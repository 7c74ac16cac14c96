"""
Outages: incidents with one cause, shown as one.

Incidents that one commit clearly caused are an outage, whatever service and time they are of. Of
the others, those of one service whose times overlap are an outage.

    GET /cart    ---====-----------------        c1 clear    one outage: c1
    GET /pay     ----======--------------        c1 clear
    GET /cart    --------------====------        likely      one outage, without a commit
    GET /pay     ----------------====----        unexplained
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

from slomon.core.attribution import Verdict
from slomon.core.endpoints import EndpointName
from slomon.core.incident_records import IncidentRecord


@dataclass(frozen=True, slots=True)
class Outage:
    """
    Incidents with one cause.

    * `commit`, `author`: the clear cause, "" if there is none
    * `services`, `endpoints`: in the order in which they broke
    * `start`, `end`: the first onset, and the last recovery; `end` and `duration` are None while an
      incident is open. Seconds since the epoch, and seconds
    * `failures`: the requests that failed during the incidents
    * `error_budget_consumed`: the failures, as a share of those that the SLOs allow among all
      requests of these services in the run; None if they allow none
    * `incidents`: their records, in the order in which they opened
    """

    commit: str
    author: str
    services: tuple[str, ...]
    endpoints: tuple[EndpointName, ...]
    start: float
    end: float | None
    failures: int
    error_budget_consumed: float | None
    incidents: tuple[IncidentRecord, ...]

    @property
    def duration(self) -> float | None:
        """Seconds from the first onset to the last recovery."""
        return None if self.end is None else self.end - self.start


def find_outages(
    records: Iterable[IncidentRecord], requests: Mapping[tuple[str, float], int]
) -> list[Outage]:
    """
    The outages of a run, in order of their starts. `requests` are all requests in the run of the
    services with an incident, by the service and by an SLO of its endpoints.
    """
    allowed: defaultdict[str, Fraction] = defaultdict(Fraction)  # failures, by service
    for (service, slo), count in requests.items():
        allowed[service] += (1 - Fraction(repr(slo))) * count
    by_commit: dict[str, list[IncidentRecord]] = {}
    by_service: dict[str, list[IncidentRecord]] = {}
    for record in records:
        suspect = record.broken_by.suspect
        if suspect is not None and record.broken_by.verdict is Verdict.CLEAR:
            by_commit.setdefault(suspect.commit, []).append(record)
        else:
            by_service.setdefault(record.service, []).append(record)
    groups = [*by_commit.values()]
    for found in by_service.values():
        groups += _split(found)
    return sorted((_sum_up(group, allowed) for group in groups), key=_start)


def _split(records: Iterable[IncidentRecord]) -> list[list[IncidentRecord]]:
    """Incidents of a service in groups whose times overlap."""
    groups: list[list[IncidentRecord]] = []
    until = -inf
    for record in sorted(records, key=_onset):
        if record.onset > until:
            groups.append([])
            until = record.onset
        groups[-1].append(record)
        until = max(until, inf if record.recovery is None else record.recovery)
    return groups


def _sum_up(group: Sequence[IncidentRecord], allowed: dict[str, Fraction]) -> Outage:
    in_order = sorted(group, key=_onset)
    suspect = in_order[0].broken_by.suspect
    is_clear = suspect is not None and in_order[0].broken_by.verdict is Verdict.CLEAR
    services = tuple(dict.fromkeys(record.service for record in in_order))
    recoveries = [record.recovery for record in group if record.recovery is not None]
    failures = sum(record.failures for record in group)
    budget = allowed[services[0]] + sum(allowed[service] for service in services[1:])
    return Outage(
        commit=suspect.commit if suspect and is_clear else "",
        author=suspect.author if suspect and is_clear else "",
        services=services,
        endpoints=tuple(dict.fromkeys(record.endpoint for record in in_order)),
        start=in_order[0].onset,
        end=max(recoveries) if len(recoveries) == len(group) else None,
        failures=failures,
        # The same as a division of fractions, which takes ten times as long.
        error_budget_consumed=failures * budget.denominator / budget.numerator if budget else None,
        incidents=tuple(group),
    )


def _onset(record: IncidentRecord) -> float:
    return record.onset


def _start(outage: Outage) -> float:
    return outage.start
