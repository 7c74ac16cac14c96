"""
The reference parser of layouts: it reads one line of text by the rules of `formats.layout`.

The steps of a layout become one regular expression. Each step is atomic, so a line is read in
linear time, and a scanner that takes the same steps finds the same fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import tzinfo
from functools import lru_cache
from typing import Final, TypeAlias

from slomon.core.events import Access, Excluded, Malformed
from slomon.core.statuses import StatusRule
from slomon.dates import Undated
from slomon.formats.layout import Kind, Layout, Step
from slomon.formats.requests import METHOD, PROTOCOL, read_host, read_request, read_target
from slomon.formats.times import FORMS, TimeForm, read_time
from slomon.text import excerpt, quote

LineParser: TypeAlias = Callable[[str], Access | Excluded | Malformed]

_QUOTED: Final = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
_STATUS: Final = "[0-9]{1,3}|-1?"
_PLAIN_REQUEST: Final = rf'(?P<method>{METHOD}) (?P<path>[^ "\\][^"\\]*) {PROTOCOL}(?=")'
_FIELDS: Final = ("time", "method", "path", "status", "host")


def make_parser(layout: Layout, is_failure: StatusRule, zone: tzinfo | None) -> LineParser:
    """
    The parser of one line. A time without a zone is in `zone`.

    The expressions are compiled when the first line is parsed, since most of the known layouts
    never parse any.
    """
    steps = layout.needed()
    form = _time_form(steps)
    plain: re.Pattern[str] | None = None
    parse_carefully: Callable[[str, str], Access | Excluded | Malformed] | None = None
    groups: list[int] = []
    outcomes: dict[str, bool] = {}  # at most a thousand statuses
    last_time, last_tick = "", 0  # several lines often have the same time

    def parse(line: str) -> Access | Excluded | Malformed:
        nonlocal plain, parse_carefully, last_time, last_tick
        if plain is None:
            plain = _compile(steps, plain=True)
            groups[:] = [plain.groupindex[name] for name in _FIELDS if name in plain.groupindex]
        text = _unquote(line, layout) if line[:1] == '"' else line
        found = plain.match(text)
        if found is None:
            if parse_carefully is None:
                parse_carefully = _make_careful_parser(layout, is_failure, zone)
            return parse_carefully(line, text)
        time, verb, target, status, *host = found.group(*groups)
        if time == last_time:
            tick = last_tick
        else:
            read_tick = read_time(time, form, zone)
            if isinstance(read_tick, Undated):
                return Malformed(line, read_tick.reason)
            last_time, last_tick = time, (tick := read_tick)
        if target[:1] == "/" and status in outcomes:
            if not host:
                return Access(tick, verb, target, outcomes[status])
            return Access(tick, verb, target, outcomes[status], read_host(host[0]))
        read = read_target(line, tick, (verb, target), status, is_failure, *host)
        if isinstance(read, Access):
            outcomes[status] = read.failed
        return read

    return parse


def _make_careful_parser(
    layout: Layout, is_failure: StatusRule, zone: tzinfo | None
) -> Callable[[str, str], Access | Excluded | Malformed]:
    """The parser of a line of any kind, given as it is and without the quotes around it."""
    steps = layout.needed()
    form = _time_form(steps)
    needed = replace(layout, parts=layout.parts[: len(steps)], end="").show()
    allowed = f"allowed: '{excerpt(needed, 300)}', whatever stands after"

    def parse(line: str, text: str) -> Access | Excluded | Malformed:
        found = _compile(steps).match(text)
        if found is None:
            return Malformed(line, f"{explain(layout, text)[1]}; {allowed}")
        fields = found.groupdict(default="")
        tick = read_time(fields["time"], form, zone)
        if isinstance(tick, Undated):
            return Malformed(line, tick.reason)
        return read_request(line, tick, fields, is_failure)

    return parse


def _unquote(line: str, layout: Layout) -> str:
    """A line without the quotes around it (rule 1)."""
    quoted = len(line) > 1 and line[:1] == line[-1:] == '"'
    return line[1:-1] if quoted and not layout.parts[0].literal.startswith('"') else line


def _time_form(steps: Sequence[Step]) -> TimeForm:
    return next(FORMS[step.field.form] for step in steps if step.field.kind is Kind.TIME)


def make_duration_reader(layout: Layout) -> Callable[[str], str | None] | None:
    """
    A function that returns the text of a line's duration, or None if the line has none; None if the
    layout has no duration.
    """
    steps = (*layout.needed(), *layout.optional())
    if all(step.field.kind is not Kind.DURATION for step in steps):
        return None
    pattern = _compile(steps)

    def read(line: str) -> str | None:
        found = pattern.match(line)
        return found["duration"] if found else None

    return read


@lru_cache(maxsize=256)
def _compile(steps: tuple[Step, ...], *, plain: bool = False) -> re.Pattern[str]:
    """
    The expression of steps. If it is `plain`, a request in quotes that contains no quote and no
    backslash is split at once.
    """
    pattern, after_request = "", False
    for number, step in enumerate(steps):
        following = steps[number + 1] if number + 1 < len(steps) else None
        literal = _escape(step.literal)
        if after_request:
            literal = '"?+' + _escape(step.literal[1:])  # the quote may be missing (rule 4)
        search = _search(step.literal) if step.searched else ""
        pattern += f"(?>{search}{literal}{_compile_field(step, following, plain=plain)})"
        after_request = step.field.kind is Kind.REQUEST and step.quoted and not plain
    return re.compile(pattern, re.DOTALL)


def _compile_field(step: Step, following: Step | None, *, plain: bool) -> str:
    kind = step.field.kind
    end = _end(step)
    match kind:
        case Kind.SKIP:
            return _skip(step) if step.stop else ""
        case Kind.TIME:
            return f"(?P<time>{FORMS[step.field.form].pattern})"
        case Kind.METHOD:
            return f"(?P<method>{METHOD}){end}" if plain else f"(?P<method>{METHOD}|-){end}"
        case Kind.STATUS:
            return f"(?P<status>{_STATUS}){end}"
        case Kind.REQUEST:
            return _PLAIN_REQUEST if plain else _compile_request(step, following)
        case _:
            text = _QUOTED if step.quoted else f".*?{end}" if step.stop else "[^ ]*+"
            return f"(?P<{kind.value}>{text})"


def _skip(step: Step) -> str:
    if step.quoted:
        return _QUOTED
    if step.stop == " ":
        return "[^ ]*+(?:(?:(?<=,) | : )[^ ]*+)*+"
    return f".*?(?={_compile_stop(step)})"


def _search(literal: str) -> str:
    """
    Text of at least one character before a literal. If spaces begin the literal, only the first one
    of a run of spaces may begin it, or a line of spaces would take quadratic time.
    """
    return ".(?:|.*?(?<! ))" if literal.startswith(" ") else ".+?"


def _compile_request(step: Step, following: Step | None) -> str:
    status = ""
    if following is not None and following.field.kind is Kind.STATUS:
        status = f"(?:{_STATUS}){_end(following)}"
    if not step.quoted:
        return f"(?P<request>{METHOD} .*? {PROTOCOL})(?={_escape(step.stop)}{status})"
    rest = _escape(step.stop[1:]) + status
    return f'(?>(?P<request>{_QUOTED})(?="{rest})|(?P<unclosed>.*? {PROTOCOL})(?="?{rest}))'


def _end(step: Step) -> str:
    return rf"(?={_compile_stop(step)}|\Z)" if step.stop else "(?![0-9A-Za-z.])"


def _compile_stop(step: Step) -> str:
    first = "(?<! )" if step.stop.startswith(" ") else ""  # as in `_search`
    return first + _escape(step.stop)


def _escape(literal: str) -> str:
    """The expression of a literal. A space in it matches one or more spaces (rule 7)."""
    return re.sub(r"(?:\\ )+", " ++", re.escape(literal))


def make_status_reader(layout: Layout) -> Callable[[str], str | None]:
    """
    A function that returns the text of a line's status, or None if the line lacks a field that the
    layout needs.
    """
    pattern = _compile(layout.needed())

    def read(line: str) -> str | None:
        found = pattern.match(_unquote(line, layout))
        return found["status"] if found else None

    return read


def explain(layout: Layout, line: str) -> tuple[int, str]:
    """How many steps of the layout the line follows, and what stands where it departs from it."""
    steps = layout.needed()
    for count in range(len(steps), 0, -1):
        found = _compile(steps[:count]).match(line)
        if found:
            break
    else:
        count, found = 0, None
    if count == len(steps):
        return count, "it follows the layout"
    step, rest = steps[count], line[found.end() :] if found else line
    wanted = quote(f"{step.literal}${step.field.name}")
    if step.searched:
        return count, f"there is no {wanted} in {quote(rest)}"
    where = f"after ${steps[count - 1].field.name} stands" if found else "it begins with"
    return count, f"{where} {quote(rest)}, not {wanted}"
