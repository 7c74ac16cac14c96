"""
The reference parser of layouts: it reads one line of text by the rules of `formats.layout`.

The steps of a layout become one regular expression. Each step is atomic, so a line is read in
linear time, and a scanner that takes the same steps finds the same fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Final, TypeAlias

from slomon.core.events import Access, Excluded, Malformed
from slomon.core.statuses import StatusRule
from slomon.dates import Undated
from slomon.formats.layout import Kind, Layout, Step
from slomon.formats.requests import METHOD, PROTOCOL, read_request
from slomon.formats.times import FORMS, read_time
from slomon.text import quote

LineParser: TypeAlias = Callable[[str], Access | Excluded | Malformed]

_QUOTED: Final = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
_STATUS: Final = "[0-9]{1,3}|-"


def make_parser(layout: Layout, is_failure: StatusRule, zone: tzinfo | None) -> LineParser:
    """The parser of one line. A time without a zone is in `zone`."""
    steps = layout.needed()
    pattern = _compile(steps)
    form = next(FORMS[step.field.form] for step in steps if step.field.kind is Kind.TIME)
    quotes_line = not layout.parts[0].literal.startswith('"')
    shown = quote(layout.show())

    def parse(line: str) -> Access | Excluded | Malformed:
        wrapped = quotes_line and line[:1] == '"' and line[-1:] == '"' and len(line) > 1
        text = line[1:-1] if wrapped else line
        found = pattern.match(text)
        if found is None:
            reason = f"{_explain(steps, text)}; allowed: {shown}, whatever stands after"
            return Malformed(line, reason)
        fields = found.groupdict(default="")
        tick = read_time(fields["time"], form, zone)
        if isinstance(tick, Undated):
            return Malformed(line, tick.reason)
        return read_request(line, tick, fields, is_failure)

    return parse


def make_duration_reader(layout: Layout) -> Callable[[str], str | None] | None:
    """
    A function that returns the text of a line's duration, or None if the line has none; None if the
    layout has no duration.
    """
    steps = [*layout.needed(), *layout.optional()]
    if all(step.field.kind is not Kind.DURATION for step in steps):
        return None
    pattern = _compile(steps)

    def read(line: str) -> str | None:
        found = pattern.match(line)
        return found["duration"] if found else None

    return read


def _compile(steps: Sequence[Step]) -> re.Pattern[str]:
    pattern, after_request = "", False
    for number, step in enumerate(steps):
        following = steps[number + 1] if number + 1 < len(steps) else None
        literal = _escape(step.literal)
        if after_request:
            literal = '"?+' + _escape(step.literal[1:])  # the quote may be missing (rule 4)
        search = ".+?" if step.searched else ""
        pattern += f"(?>{search}{literal}{_compile_field(step, following)})"
        after_request = step.field.kind is Kind.REQUEST and step.quoted
    return re.compile(pattern, re.DOTALL)


def _compile_field(step: Step, following: Step | None) -> str:
    kind = step.field.kind
    end = _end(step)
    match kind:
        case Kind.SKIP:
            return _skip(step) if step.stop else ""
        case Kind.TIME:
            return f"(?P<time>{FORMS[step.field.form].pattern})"
        case Kind.METHOD:
            return f"(?P<method>{METHOD}){end}"
        case Kind.STATUS:
            return f"(?P<status>{_STATUS}){end}"
        case Kind.REQUEST:
            return _compile_request(step, following)
        case _:
            text = _QUOTED if step.quoted else f".*?{end}" if step.stop else "[^ ]*+"
            return f"(?P<{kind.value}>{text})"


def _skip(step: Step) -> str:
    if step.quoted:
        return _QUOTED
    if step.stop == " ":
        return "[^ ]*+(?:(?:(?<=,) | : )[^ ]*+)*+"
    return f".*?(?={_escape(step.stop)})"


def _compile_request(step: Step, following: Step | None) -> str:
    status = ""
    if following is not None and following.field.kind is Kind.STATUS:
        status = f"(?:{_STATUS}){_end(following)}"
    if not step.quoted:
        return f"(?P<request>{METHOD} .*? {PROTOCOL})(?={_escape(step.stop)}{status})"
    rest = _escape(step.stop[1:]) + status
    return f'(?>(?P<request>{_QUOTED})(?="{rest})|(?P<unclosed>.*? {PROTOCOL})(?="?{rest}))'


def _end(step: Step) -> str:
    return rf"(?={_escape(step.stop)}|\Z)" if step.stop else "(?![0-9A-Za-z.])"


def _escape(literal: str) -> str:
    """The expression of a literal, in which a space stands for one or more (rule 7)."""
    return re.sub(r"(?:\\ )+", " ++", re.escape(literal))


def _explain(steps: Sequence[Step], line: str) -> str:
    """Where a line stops to follow the layout."""
    for count in range(len(steps), 0, -1):
        found = _compile(steps[:count]).match(line)
        if found:
            rest = line[found.end() :]
            return f"after the {steps[count - 1].field.kind.value} stands {quote(rest)}"
    return f"it begins with {quote(line)}"
