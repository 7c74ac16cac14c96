"""
A layout says where the fields of a request stand in a line of text.

It is a list of fields, each with the literal text before it, as in nginx's `log_format`:

    $remote_addr - $remote_user [$time_local] "$request" $status

Layouts are built in, given by the user in the notation of their server, written in the file itself
(W3C, CSV), or inferred. `formats.layout_lines` is the reference parser of all of them, and the
compiled scanner reads the plain lines. Both follow these rules, step by step from left to right,
and neither ever goes back:

1. If the line begins and ends with a quote and the layout does not begin with one, these two
   quotes are removed.
2. A skipped field ends where the literal of the next field begins. In quotes it ends at the next
   quote that no backslash escapes. `, ` and ` : ` do not end a field that a space ends: nginx joins
   the values of several upstreams with these.
3. The time is found by its form. If the field before it is skipped, that field may contain any
   text of at least one character: the first place counts where the literal and then a time in the
   form of the layout stand.
4. A request in quotes ends at the first quote that no backslash escapes, if the layout goes on
   there. If it does not, the request contains a quote, or has none at its end. Then it ends with
   the first ` HTTP/x.y` after which the layout goes on, with or without a quote between them. The
   layout goes on if the next literal follows, and the status if that is the next field.
   A request without quotes ends with the first ` HTTP/x.y` that the next literal follows.
5. A status is one to three digits, `-` or `-1`, before the next literal or the line's end. A method
   is letters or `-`. Every other field ends where the next literal begins, in quotes as in rule 2.
6. Anything may follow the last field that is needed. The fields that are needed are the time, the
   request (or the method and the path), the status, and the host. The duration and whatever else
   follows the last needed field is optional. Where a layout ends with a status, no digit, letter
   or point follows it.
7. Spaces in a literal stand for one or more spaces: some servers align their columns.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from slomon.errors import ConfigurationError
from slomon.text import quote


class Kind(Enum):
    """What a field of a line is."""

    SKIP = "skip"
    TIME = "time"
    REQUEST = "request"
    METHOD = "method"
    PATH = "path"
    STATUS = "status"
    HOST = "host"
    DURATION = "duration"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Field:
    """
    A field: its name in layouts, and its kind. `form` is the name of the form of a time
    (`times.FORMS`), the unit of a duration (`s`, `ms`, `us`, `ns`, or `` if its text has one), or
    what a host may be (`names.MACHINE_OR_HOST`).
    """

    name: str
    kind: Kind
    form: str = ""


class Part(NamedTuple):
    """A field, and the literal text before it."""

    literal: str
    field: Field


class Step(NamedTuple):
    """
    One step of reading a line: a field, the literal before it, and how the field ends.

    * `searched`: the field is a time after a skipped field (rule 3)
    * `quoted`: the field stands in quotes
    * `stop`: the literal that follows the field; "" if the layout ends there, or if the field is
      the skipped one before a time that is searched for
    """

    literal: str
    field: Field
    searched: bool
    quoted: bool
    stop: str


FIELDS: Final = {
    field.name: field
    for field in (
        Field("time_local", Kind.TIME, "clf"),
        Field("time_iso8601", Kind.TIME, "iso"),
        Field("time_slashes", Kind.TIME, "slashes"),
        Field("time_ctime", Kind.TIME, "ctime"),
        Field("msec", Kind.TIME, "seconds"),
        Field("time_ms", Kind.TIME, "milliseconds"),
        Field("time_us", Kind.TIME, "microseconds"),
        Field("time_ns", Kind.TIME, "nanoseconds"),
        Field("request", Kind.REQUEST),
        Field("request_method", Kind.METHOD),
        Field("request_uri", Kind.PATH),
        Field("uri", Kind.PATH),
        Field("status", Kind.STATUS),
        Field("host", Kind.HOST),
        Field("http_host", Kind.HOST),
        Field("server_name", Kind.HOST),
        Field("request_time", Kind.DURATION, "s"),
        Field("duration_ms", Kind.DURATION, "ms"),
        Field("duration_us", Kind.DURATION, "us"),
        Field("duration_ns", Kind.DURATION, "ns"),
        Field("duration", Kind.DURATION, ""),
    )
}
"""The fields that layouts name, as nginx names its variables. Any other name is skipped."""

_VARIABLE: Final = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<bare>\w+))", re.ASCII)
REQUIRED: Final = "a time, a status, and either a request, or a method and a path"
"""The fields that `is_complete` asks for."""
_NEEDED: Final = frozenset(
    {Kind.TIME, Kind.REQUEST, Kind.METHOD, Kind.PATH, Kind.STATUS, Kind.HOST}
)


def is_complete(kinds: Container[str]) -> bool:
    """Do fields of these kinds, given by the values of Kind, make an access?"""
    has_request = "request" in kinds or ("method" in kinds and "path" in kinds)
    return has_request and "time" in kinds and "status" in kinds


@dataclass(frozen=True, slots=True)
class Layout:
    """
    The parts of a line, in order, and the text at its end.

    Each kind is there at most once but for SKIP: further times, requests and so on are skipped.
    """

    name: str
    parts: tuple[Part, ...]
    end: str = ""

    def __post_init__(self) -> None:
        if not is_complete({part.field.kind.value for part in self.parts}):
            found = ", ".join(f"${part.field.name}" for part in self.parts) or "none"
            raise ConfigurationError(
                f"the fields of the layout {quote(self.name)} are {found}; allowed: {REQUIRED}"
            )

    def show(self) -> str:
        """The layout as text that `parse_layout` reads."""
        text = ""
        for literal, field in self.parts:
            text += literal.replace("$", "${dollar}") + f"${{{field.name}}}"
        text += self.end.replace("$", "${dollar}")
        return re.sub(r"\$\{(\w+)\}(?!\w)", r"$\1", text)

    def needed(self) -> tuple[Step, ...]:
        """The steps that read the fields that are needed, in order of the line."""
        last = max(n for n, part in enumerate(self.parts) if part.field.kind in _NEEDED)
        return tuple(self._steps(0, last + 1))

    def optional(self) -> tuple[Step, ...]:
        """The steps from the last needed field to the duration; none if it is not read there."""
        last = max(n for n, part in enumerate(self.parts) if part.field.kind in _NEEDED)
        durations = [n for n, part in enumerate(self.parts) if part.field.kind is Kind.DURATION]
        if not durations or durations[0] < last:
            return ()
        return tuple(self._steps(last + 1, durations[0] + 1))

    def _steps(self, first: int, end: int) -> Iterator[Step]:
        before: Field | None = None
        for number in range(first, end):
            literal, field = self.parts[number]
            follows = self.parts[number + 1 :]
            stop = follows[0].literal if follows else self.end
            is_time = field.kind is Kind.TIME
            searched = is_time and before is not None and before.kind is Kind.SKIP
            leads = field.kind is Kind.SKIP and bool(follows) and follows[0].field.kind is Kind.TIME
            quoted = not leads and literal.endswith('"') and stop.startswith('"')
            yield Step(literal, field, searched, quoted, "" if leads else stop)
            before = field


def parse_layout(text: str, name: str) -> Layout:
    """
    Read a layout in nginx's notation, with the fields of FIELDS. Raises ConfigurationError if a
    needed field is missing, or if two fields have no text between them.
    """
    parts: list[Part] = []
    seen: set[Kind] = set()
    literal, at = "", 0
    for found in _VARIABLE.finditer(text):
        literal += text[at : found.start()]
        at = found.end()
        variable = found["braced"] or found["bare"]
        if variable == "dollar":
            literal += "$"
            continue
        if parts and not literal:
            raise ConfigurationError(
                f"in the layout {quote(text)} nothing stands between ${parts[-1].field.name} and "
                f"${variable}; allowed: fields with text between them"
            )
        field = FIELDS.get(variable, Field(variable, Kind.SKIP))
        if field.kind in seen:
            field = Field(field.name, Kind.SKIP)
        elif field.kind is not Kind.SKIP:
            seen.add(field.kind)
        parts.append(Part(literal, field))
        literal = ""
    return Layout(name, tuple(parts), literal + text[at:])
