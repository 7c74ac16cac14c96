"""
Events, and the accounting for them.

An event is an access or a change. This module alone decides whether an event is well formed, and
gives the reason if it is malformed. Faster readers parse the common forms themselves and leave
every other event to the functions here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeVar

from slomon.core.statuses import StatusRule, server_errors_fail
from slomon.core.ticks import STAMPS, parse_seconds, show_tick
from slomon.text import excerpt, quote

EVERY_SERVICE: Final = ""
"""The service of a change that applies to every service. No stream can name it."""

_KEPT: Final = 100  # rejected events
_KEPT_TEXT: Final = 1000  # characters
_KEPT_REASON: Final = 900

_TYPES: Final = "'access', 'change' and 'end-of-stream'"
_ACCESS: Final = "'<timestamp> <verb> <resource> <status>'"
_GAP: Final = "'<number of events> <timestamp> <timestamp>'"
_STATUSES: Final = "one that the rule knows, by default 100 to 599"
_is_count: Final = re.compile("[0-9]{1,12}").fullmatch
_is_status: Final = re.compile("[0-9]{1,3}").fullmatch
NO_RESPONSE: Final = frozenset({"-", "-1", "0", "000"})
"""What servers log instead of a status."""
_LABELS: Final = ("commit: ", "Author: ", "Date: ", "Service: ")
_CHANGES: Final = "the lines 'commit: ', 'Author: ', 'Date: ' and 'Service: ', each with its text"


@dataclass(frozen=True, slots=True)
class Access:
    """
    One request: the time at which it counts (`tick`), its target, whether it failed, and the
    virtual host if its log names one.
    """

    tick: int
    verb: str
    resource: str
    failed: bool
    host: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One deploy. `date` stays text: it has no time zone, so it cannot order changes."""

    commit: str
    author: str
    date: str
    service: str


class PositionedChange(NamedTuple):
    """
    A change and its place in the stream.

    `tick` is the time of the change. A change without a time of its own gets the newest time
    before it in the stream, or 0 if there is none.
    """

    position: int
    tick: int
    change: Change

    def date(self, began: int) -> PositionedChange:
        """Return the change with the tick `began`, the stream's first, if its tick is 0."""
        return self if self.tick else self._replace(tick=began)


@dataclass(frozen=True, slots=True)
class Malformed:
    """
    An event that cannot be read: its text, and the reason.

    A stream may return a Malformed instead of a dict if it knows better than the parser why a
    record is bad.
    """

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Excluded:
    """A well-formed event that does not count: `reason` is the key by which it is counted."""

    reason: str


NO_STATUS: Final = Excluded("no_status")
"""A request without a response: the client left before, or the connection was no HTTP."""
OUT_OF_RANGE: Final = "out_of_range"
"""The reason of accesses outside the time range of a replay, and of changes after it."""


@dataclass(frozen=True, slots=True)
class End:
    """The end of a stream. The stream was watched until `tick`; None if it does not say."""

    tick: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """
    A place in a recorded stream at which `events` are missing, because they could not be written:
    they were counted from the tick `began` to the tick `ended`.
    """

    events: int
    began: int
    ended: int

    def show(self) -> str:
        """The value of its event, which `read_event` reads."""
        return f"{self.events} {show_tick(self.began)} {show_tick(self.ended)}"


@dataclass(slots=True)
class Accounting:
    """
    The number of events, and what became of them.

    `events` = `accesses` + `changes` + `unmatched` + `rejected` + `excluded`. An unmatched event is
    for an endpoint or a service that is not watched; a rejected one is malformed; an excluded one
    is well formed but does not count, for one of the reasons in `excluded_by_reason`. `late`
    accesses are among `accesses`: they were older than the newest access of their endpoint, and
    count at the time of that one.
    `missing` events are not among `events`: a recorded stream says that it lacks them.
    """

    events: int = 0
    accesses: int = 0
    changes: int = 0
    unmatched: int = 0
    rejected: int = 0
    excluded: int = 0
    late: int = 0
    missing: int = 0
    excluded_by_reason: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class ReplayAccounting(Accounting):
    """
    The number of lines, and what became of them.

    `lines` of logs + `records` of change files = `accesses` + `changes` + `unmatched` +
    `rejected` + `excluded` + `blank`. `events` are all of these that are not blank.

    * `capped`: unmatched accesses to endpoints that were found after the maximum was reached
    * `disordered`: lines that were older than a line before them
    * `largest_lateness`: how much older at most, in seconds
    * `late`: accesses that, once in order, were still older than the newest of their endpoint
    * `endpoints`: the number of watched endpoints
    * `grouped_paths`: how many paths of the first requests were grouped as `{slug}`
    """

    lines: int = 0
    records: int = 0
    blank: int = 0
    capped: int = 0
    disordered: int = 0
    largest_lateness: float = 0.0
    endpoints: int = 0
    grouped_paths: int = 0


@dataclass(frozen=True, slots=True)
class Rejection:
    """A malformed event. `position` counts the events of the stream from 0."""

    position: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A malformed line of a file. `line` counts the lines of the file from 1."""

    file: str
    line: int
    text: str
    reason: str


AnyRejection = TypeVar("AnyRejection", Rejection, RejectedLine)


def append_bounded(kept: list[AnyRejection], rejected: AnyRejection) -> None:
    """Append `rejected`, its text cut to 1000 characters, unless `kept` already holds 100."""
    if len(kept) < _KEPT:
        kept.append(replace(rejected, text=rejected.text[:_KEPT_TEXT]))


def read_event(event: object) -> str | Change | Malformed | Gap | End:
    """
    Read what a stream returned. The text of an access is returned as it is, to be parsed later. An
    event of type "rejected" was rejected when it was recorded, for its "reason".

    The result keeps no reference to `event`: its owner may use it again.
    """
    if isinstance(event, Malformed):
        return event
    if not isinstance(event, Mapping):
        return Malformed(_text(event), f"an event is a dict, not {type(event).__name__}")
    match event.get("type"):
        case "end-of-stream":
            until = event.get("value")
            return End(parse_seconds(until) if isinstance(until, str) else None)
        case "access" | "change" as kind if isinstance(value := event.get("value"), str):
            return value if kind == "access" else parse_change(value)
        case "rejected" if isinstance(value := event.get("value"), str):
            return Malformed(value, _read_reason(event.get("reason")))
        case "gap" if isinstance(value := event.get("value"), str):
            return _read_gap(value)
        case "access" | "change" | "rejected" | "gap":
            return Malformed(_text(event), f"{_found(event, 'value')}; allowed: text")
        case _:
            return Malformed(_text(event), f"{_found(event, 'type')}; allowed: {_TYPES}")


def parse_access(line: str, is_failure: StatusRule = server_errors_fail) -> Access | Malformed:
    """Parse `<timestamp> <verb> <resource> <status>`, separated by single spaces."""
    fields = line.split(" ")
    if len(fields) != 4 or "" in fields:
        found = "a field is empty" if len(fields) == 4 else f"it has fields: {len(fields)}"
        return Malformed(line, f"{found}; allowed: {_ACCESS}")
    stamp, verb, resource, status = fields
    tick = parse_seconds(stamp)
    if tick is None:
        return Malformed(line, f"the timestamp is {quote(stamp)}; allowed: {STAMPS}")
    return read_outcome(line, tick, (verb, resource), status, is_failure)


def read_outcome(
    line: str,
    tick: int,
    request: tuple[str, str],
    status: str,
    is_failure: StatusRule,
    *,
    host: str = "",
) -> Access | Malformed:
    """Return the access of `line`, or Malformed if no request has this status."""
    failed = is_failure(int(status)) if _is_status(status) else None
    if failed is None:
        return Malformed(line, f"the status is {quote(status)}; allowed: {_STATUSES}")
    verb, resource = request
    return Access(tick, verb, resource, bool(failed), host)


def read_response(
    line: str,
    tick: int,
    request: tuple[str, str],
    status: str,
    is_failure: StatusRule,
    *,
    host: str = "",
) -> Access | Malformed | Excluded:
    """`read_outcome` for the log of a server, where the status is - or 0 without a response."""
    read = read_outcome(line, tick, request, status, is_failure, host=host)
    return NO_STATUS if isinstance(read, Malformed) and status in NO_RESPONSE else read


def parse_change(value: str) -> Change | Malformed:
    """
    Parse the lines `commit: `, `Author: `, `Date: ` and `Service: `, in this order. The author `<>`
    is unknown, which is "".
    """
    lines = value.removesuffix("\n").split("\n")
    if len(lines) != len(_LABELS):
        return Malformed(value, f"it has lines: {len(lines)}; allowed: {_CHANGES}")
    fields = []
    for number, (line, label) in enumerate(zip(lines, _LABELS, strict=True), 1):
        field = line.removeprefix(label)
        if not line.startswith(label) or not field.strip() or "\r" in field:
            return Malformed(value, f"line {number} is {quote(line)}; allowed: {_CHANGES}")
        fields.append(field)
    commit, author, date, service = fields
    return Change(commit, "" if author == "<>" else author, date, service)


def _read_gap(value: str) -> Gap | Malformed:
    count, *stamps = value.split(" ")
    ticks = [tick for stamp in stamps if (tick := parse_seconds(stamp)) is not None]
    if _is_count(count) and len(stamps) == len(ticks) == 2:
        return Gap(int(count), *ticks)
    return Malformed(value, f"the value is {quote(value)}; allowed: {_GAP}")


def _read_reason(reason: object) -> str:
    if isinstance(reason, str) and reason.isprintable():
        return reason[:_KEPT_REASON]
    return "it has no reason that can be shown"


def _found(event: Mapping[object, object], key: str) -> str:
    return f"the {key} is {quote(event[key])}" if key in event else f"it has no {key}"


def _text(event: object) -> str:
    return event if isinstance(event, str) else excerpt(event, limit=1000)
