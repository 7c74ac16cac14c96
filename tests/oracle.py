"""A brute-force reference for the answers slomon must give.

Every rule is written out the slow way: for each access the whole window is counted again from the
full list of that endpoint's accesses.  Nothing slides and nothing is kept up to date from one
access to the next, so a fault in such bookkeeping cannot hide in both places at once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal

TICKS_PER_SECOND = 1_000_000_000
LAST_TICK = 2**63 - 1

_STAMP = re.compile(r"[0-9]+(\.[0-9]+)?")
_STATUS = re.compile(r"[0-9]{1,3}")
_CHANGE_LABELS = ("commit: ", "Author: ", "Date: ", "Service: ")


@dataclass(frozen=True)
class Expected:
    """The three answers, and where every event of the stream went."""

    mttr: float
    api_histogram: dict[str, int]
    incident_details: dict[str, list[dict[str, object]]]
    accounting: dict[str, object]


@dataclass(frozen=True)
class _Access:
    position: int
    verb: str
    resource: str
    ticks: int
    succeeded: bool


@dataclass(frozen=True)
class _Change:
    position: int
    service: str
    commit: str


@dataclass(frozen=True)
class _Endpoint:
    service: str
    verb: str
    resource: str
    slo: float
    window: int


@dataclass(frozen=True)
class _Verdict:
    """What one access showed: the time it counts at, and on which side of the SLO the rate was."""

    position: int
    now: int
    late: bool
    breached: bool


@dataclass(frozen=True)
class _Incident:
    service: str
    opened: _Verdict
    closed: _Verdict | None
    expired: int | None = None


def expected(
    events: list[object], entries: list[dict[str, object]], no_traffic: int | None = None
) -> Expected:
    """
    Give the answers for a stream; the entries are taken to be a valid configuration. ``no_traffic``
    is after how many ticks without a request an incident ends.
    """
    stream = list(_before_end(events))
    parsed = [_parse(position, event) for position, event in enumerate(stream)]
    endpoints = [_endpoint(entry) for entry in entries]
    accesses = [
        item
        for item in parsed
        if isinstance(item, _Access) and any(_serves(endpoint, item) for endpoint in endpoints)
    ]
    changes = [
        item
        for item in parsed
        if isinstance(item, _Change) and any(e.service == item.service for e in endpoints)
    ]
    verdicts = {endpoint: _verdicts(endpoint, accesses) for endpoint in endpoints}
    watched_until = max(
        [
            *(item.ticks for item in parsed if isinstance(item, _Access)),
            *_end_times(events[len(stream) :][:1]),
        ],
        default=0,
    )
    incidents = [
        incident
        for endpoint in endpoints
        for incident in _incidents(endpoint, verdicts[endpoint], no_traffic, watched_until)
    ]
    incidents.sort(key=lambda incident: incident.opened.position)
    rejected = parsed.count(None)
    accounting = {
        "events": len(stream),
        "accesses": len(accesses),
        "changes": len(changes),
        "unmatched": len(stream) - rejected - len(accesses) - len(changes),
        "rejected": rejected,
        "excluded": 0,
        "late": sum(verdict.late for judged in verdicts.values() for verdict in judged),
        "missing": 0,
        "excluded_by_reason": {},
    }
    return Expected(
        mttr=_mttr(incidents),
        api_histogram=dict(Counter(incident.service for incident in incidents)),
        incident_details=_details(incidents, changes),
        accounting=accounting,
    )


def _before_end(events: list[object]) -> Iterator[object]:
    for event in events:
        if isinstance(event, dict) and event.get("type") == "end-of-stream":
            return
        yield event


def _end_times(end: list[object]) -> Iterator[int]:
    """Say until when the stream was watched, where its end does."""
    for event in end:
        value = event.get("value") if isinstance(event, dict) else None
        ticks = _parse_stamp(value) if isinstance(value, str) else None
        if ticks is not None:
            yield ticks


def _endpoint(entry: dict[str, object]) -> _Endpoint:
    """Read an entry whose numbers may be text; a float counts as the decimal it prints as."""
    return _Endpoint(
        service=str(entry["name"]),
        verb=str(entry["verb"]),
        resource=str(entry["resource"]),
        slo=float(str(entry["slo"])),
        window=int(Decimal(str(entry["window"])) * TICKS_PER_SECOND),
    )


def _serves(endpoint: _Endpoint, access: _Access) -> bool:
    return (endpoint.verb, endpoint.resource) == (access.verb, access.resource)


def _parse(position: int, event: object) -> _Access | _Change | None:
    """Read one event; None says that it is malformed."""
    if not isinstance(event, dict):
        return None
    value = event.get("value")
    if not isinstance(value, str):
        return None
    if event.get("type") == "access":
        return _parse_access(position, value)
    if event.get("type") == "change":
        return _parse_change(position, value)
    return None


def _parse_access(position: int, value: str) -> _Access | None:
    fields = value.split(" ")
    if len(fields) != 4 or "" in fields:
        return None
    stamp, verb, resource, status = fields
    ticks = _parse_stamp(stamp)
    succeeded = _parse_status(status)
    if ticks is None or succeeded is None:
        return None
    return _Access(position, verb, resource, ticks, succeeded)


def _parse_stamp(stamp: str) -> int | None:
    """Turn decimal seconds into whole nanoseconds, or None where that cannot be done exactly."""
    if not _STAMP.fullmatch(stamp):
        return None
    exact = Context(prec=len(stamp) + 10, Emax=MAX_EMAX, Emin=MIN_EMIN)
    ticks = exact.multiply(Decimal(stamp), Decimal(TICKS_PER_SECOND))
    if ticks > LAST_TICK or ticks != ticks.to_integral_value():
        return None
    return int(ticks)


def _parse_status(status: str) -> bool | None:
    """Say whether a status is a success; None says that it is malformed."""
    if not _STATUS.fullmatch(status):
        return None
    if 500 <= int(status) <= 599:
        return False
    if 100 <= int(status) <= 499:
        return True
    return None


def _parse_change(position: int, value: str) -> _Change | None:
    lines = value.removesuffix("\n").split("\n")
    if "\r" in value or len(lines) != len(_CHANGE_LABELS):
        return None
    texts = []
    for label, line in zip(_CHANGE_LABELS, lines, strict=True):
        if not line.startswith(label) or not line.removeprefix(label).strip():
            return None
        texts.append(line.removeprefix(label))
    return _Change(position, service=texts[3], commit=texts[0])


def _verdicts(endpoint: _Endpoint, accesses: list[_Access]) -> list[_Verdict]:
    """Judge each access of an endpoint against every access it has had so far."""
    own = [access for access in accesses if _serves(endpoint, access)]
    counted_at = [max(access.ticks for access in own[: n + 1]) for n in range(len(own))]
    verdicts = []
    for n, access in enumerate(own):
        now = counted_at[n]
        in_window = [
            omitted.succeeded
            for omitted, time in zip(own[: n + 1], counted_at[: n + 1], strict=True)
            if now - endpoint.window < time <= now
        ]
        breached = in_window.count(True) / len(in_window) < endpoint.slo
        verdicts.append(_Verdict(access.position, now, access.ticks < now, breached))
    return verdicts


def _incidents(
    endpoint: _Endpoint, verdicts: list[_Verdict], no_traffic: int | None, watched_until: int
) -> Iterator[_Incident]:
    opened: _Verdict | None = None
    over = None  # when what is open expires
    for verdict in verdicts:
        if opened is not None and over is not None and verdict.now >= over:
            yield _Incident(endpoint.service, opened, None, over)
            opened = None
        over = None if no_traffic is None else verdict.now + max(endpoint.window, no_traffic)
        if opened is None and verdict.breached:
            opened = verdict
        elif opened is not None and not verdict.breached:
            yield _Incident(endpoint.service, opened, verdict)
            opened = None
    if opened is not None:
        expired = over if over is not None and over <= watched_until else None
        yield _Incident(endpoint.service, opened, None, expired)


def _mttr(incidents: list[_Incident]) -> float:
    repairs = [
        incident.closed.now - incident.opened.now
        for incident in incidents
        if incident.closed is not None
    ]
    if not repairs:
        return 0.0
    return round(sum(repairs) / (len(repairs) * TICKS_PER_SECOND), 2)


def _details(
    incidents: list[_Incident], changes: list[_Change]
) -> dict[str, list[dict[str, object]]]:
    """List the incidents in order of start under the services, in the order of the stream."""
    details: dict[str, list[dict[str, object]]] = {incident.service: [] for incident in incidents}
    for incident in sorted(incidents, key=lambda incident: incident.opened.now):
        opened, closed = incident.opened, incident.closed
        end = incident.expired if closed is None else closed.now
        details[incident.service].append(
            {
                "start": opened.now / TICKS_PER_SECOND,
                "end": -1 if end is None else end / TICKS_PER_SECOND,
                "fix": "" if closed is None else _last_commit(incident.service, closed, changes),
                "break": _last_commit(incident.service, opened, changes),
            }
        )
    return details


def _last_commit(service: str, verdict: _Verdict, changes: list[_Change]) -> str:
    """Name the commit of the service's last change that stands before an access in the stream."""
    before = [
        change.commit
        for change in changes
        if change.service == service and change.position < verdict.position
    ]
    return before[-1] if before else ""
