"""
Every event is accounted for: how many there were, and what became of them.

One event, read with care: this is the only place that decides whether an event is well formed,
and it says why where one is not. Faster readers take what is plain and hand the rest to these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias, TypeVar

from slomon.core.ticks import STAMPS, parse_seconds
from slomon.text import excerpt, quote

_KEPT: Final = 100
_KEPT_TEXT: Final = 1000  # characters


@dataclass(slots=True)
class Accounting:
    """
    `events` = `accesses` + `changes` + `unmatched` (to an endpoint or service that nothing
    watches) + `rejected` (malformed). `late` are those of the accesses that were older than the
    newest one of their endpoint, and counted at its time.
    """

    events: int = 0
    accesses: int = 0
    changes: int = 0
    unmatched: int = 0
    rejected: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class Rejection:
    """A malformed event; `position` counts the stream's events from 0."""

    position: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A malformed line of a file; `line` counts the file's lines from 1."""

    file: str
    line: int
    text: str
    reason: str


AnyRejection = TypeVar("AnyRejection", Rejection, RejectedLine)


def append_bounded(kept: list[AnyRejection], rejected: AnyRejection) -> None:
    """Keep what was rejected if it is of the first 100, its text cut to 1000 characters."""
    if len(kept) < _KEPT:
        kept.append(replace(rejected, text=rejected.text[:_KEPT_TEXT]))


@dataclass(slots=True)
class ReplayAccounting(Accounting):
    """
    What became of every line: `lines` of logs and `records` of change files are `accesses` +
    `changes` + `unmatched` + `rejected` + `blank`; `events` are those that aren't blank.

    * `capped`: those of the unmatched to endpoints beyond the most that may be found
    * `disordered`: how many were older than a line before them, and `largest_lateness` by
      how many seconds at most; `late` counts those of them that no reordering could put right
    * `endpoints`: how many were watched
    """

    lines: int = 0
    records: int = 0
    blank: int = 0
    capped: int = 0
    disordered: int = 0
    largest_lateness: float = 0.0
    endpoints: int = 0


@dataclass(frozen=True, slots=True)
class Access:
    """One request: when it counts (`tick`), what was asked for, and whether it failed."""

    tick: int
    verb: str
    resource: str
    failed: bool


EVERY_SERVICE: Final = ""
"""For the service of a change that no stream can name: it is a change to each of them."""


@dataclass(frozen=True, slots=True)
class Change:
    """One deploy. `date` stays text: it carries no zone, so it orders nothing."""

    commit: str
    author: str
    date: str
    service: str


class PositionedChange(NamedTuple):
    """
    A change where it stands in the stream: its position, and when it happened, or, where it has no
    time of its own that counts, the newest time before it, which is 0 if nothing came before.
    """

    position: int
    tick: int
    change: Change

    def date(self, began: int) -> PositionedChange:
        """The same in a stream that began at that tick: nothing in it is known to be older."""
        return self if self.tick else self._replace(tick=began)


@dataclass(frozen=True, slots=True)
class Malformed:
    """
    An event that can't be read: its text and what is wrong with it. A stream may return one in
    place of a dict, where it knows better than the parser why a record is bad.
    """

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class End:
    """The end of a stream, which was watched until a tick; None where it doesn't say."""

    tick: int | None = None


StatusRule: TypeAlias = Callable[[int], bool | None]
"""Did a request with this status fail? None where no request has such a status."""


def server_errors_fail(status: int) -> bool | None:
    """The default rule: 100 to 499 succeed, 500 to 599 fail, there are no others."""
    return status >= 500 if 100 <= status <= 599 else None


def classify_status(is_failure: StatusRule, status: int) -> bool | None:
    """What a rule answers before a request asks; None also where it raises: that request will."""
    try:
        failed = is_failure(status)
    except Exception:  # noqa: BLE001 (whatever a user's function raises)
        return None
    return None if failed is None else bool(failed)


def read_event(event: object) -> str | Change | Malformed | End:
    """
    What a stream returned: the text of an access (to be parsed), a Change, a Malformed, or its
    End. Nothing of `event` itself is kept: its owner may use it again.
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
        case "access" | "change":
            return Malformed(_text(event), f"{_found(event, 'value')}; allowed: text")
        case _:
            return Malformed(_text(event), f"{_found(event, 'type')}; allowed: {_TYPES}")


def parse_access(line: str, is_failure: StatusRule = server_errors_fail) -> Access | Malformed:
    """An access of the form `<timestamp> <verb> <resource> <status>`, one space between."""
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
    line: str, tick: int, request: tuple[str, str], status: str, is_failure: StatusRule
) -> Access | Malformed:
    """The access of `line`, or Malformed where no request has such a status."""
    failed = is_failure(int(status)) if _is_status(status) else None
    if failed is None:
        return Malformed(line, f"the status is {quote(status)}; allowed: {_STATUSES}")
    verb, resource = request
    return Access(tick, verb, resource, bool(failed))


def parse_change(value: str) -> Change | Malformed:
    """A change of four lines: `commit: `, `Author: `, `Date: ` and `Service: `, in this order."""
    lines = value.removesuffix("\n").split("\n")
    if len(lines) != len(_LABELS):
        return Malformed(value, f"it has lines: {len(lines)}; allowed: {_CHANGES}")
    fields = []
    for number, (line, label) in enumerate(zip(lines, _LABELS, strict=True), 1):
        field = line.removeprefix(label)
        if not line.startswith(label) or not field.strip() or "\r" in field:
            return Malformed(value, f"line {number} is {quote(line)}; allowed: {_CHANGES}")
        fields.append(field)
    return Change(*fields)


_TYPES: Final = "'access', 'change' and 'end-of-stream'"
_ACCESS: Final = "'<timestamp> <verb> <resource> <status>'"
_STATUSES: Final = "one that the rule knows, by default 100 to 599"
_is_status: Final = re.compile("[0-9]{1,3}").fullmatch
_LABELS: Final = ("commit: ", "Author: ", "Date: ", "Service: ")
_CHANGES: Final = "the lines 'commit: ', 'Author: ', 'Date: ' and 'Service: ', each with its text"


def _found(event: Mapping[object, object], key: str) -> str:
    return f"the {key} is {quote(event[key])}" if key in event else f"it has no {key}"


def _text(event: object) -> str:
    return event if isinstance(event, str) else excerpt(event, limit=1000)
