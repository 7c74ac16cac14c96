"""Layouts as programs of the scanner (`kernels.layout`), and zones as its columns of offsets."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Final

from slomon.formats.layout import Kind, Layout, Step
from slomon.formats.tables import TableLayout
from slomon.kernels import layout as kernel
from slomon.kernels import request, table
from slomon.kernels.line import COMBINED_LINES, LAYOUT_LINES, TABLE_LINES
from slomon.kernels.times import CLF, CTIME, EPOCH, ISO, NO_OFFSET, SLASHES

_FIELDS: Final = {
    Kind.SKIP: request.SKIP,
    Kind.DURATION: request.SKIP,
    Kind.QUERY: request.SKIP,
    Kind.TIME: request.TIME,
    Kind.REQUEST: request.REQUEST,
    Kind.METHOD: request.METHOD,
    Kind.PATH: request.PATH,
    Kind.STATUS: request.STATUS,
    Kind.HOST: request.HOST,
}
_FORMS: Final = {
    "clf": CLF,
    "iso": ISO,
    "slashes": SLASHES,
    "ctime": CTIME,
    "seconds": EPOCH,
    "milliseconds": EPOCH + 3,
    "microseconds": EPOCH + 6,
    "nanoseconds": EPOCH + 9,
}

_ESCAPE: Final = re.compile(r"[0-9a-fx]|.*\\", re.DOTALL)
# After a field of digits or letters: characters that belong to the field
_JOINS_WORD: Final = re.compile("[0-9A-Za-z_.-]")

_COMBINED: Final = (" ", " [", '] "', '" ')  # literals of the last four steps

_FIRST_DAY: Final = date(1995, 1, 1)
_DAYS: Final = 45 * 366
_ONE_DAY: Final = timedelta(days=1)
_ONE_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Program:
    """The kind of lines, the steps of their layout (`kernels.layout`), and its literals."""

    kind: int
    steps: array[int]
    literals: bytearray


@lru_cache
def compile_layout(layout: Layout, *, with_host: bool = False) -> Program | None:
    """
    The program of a layout; None if only the reference parser can read it. With `with_host`, a
    request has its host.
    """
    steps = layout.needed()
    if not all(map(_is_supported, steps, [True] + [False] * len(steps))):
        return None
    literals = bytearray()
    numbers = [
        0,
        not steps[0].literal.startswith('"'),
        any(_resembles_escape(text) for step in steps for text in (step.literal, step.stop)),
        with_host,
    ]
    before: int | None = None
    for step in steps:
        ending = _FORMS[step.field.form] if step.field.kind is Kind.TIME else _find_ending(step)
        field = _FIELDS[step.field.kind]
        if field == request.SKIP and ending == before == kernel.AT_SPACE:
            numbers[-2] += 1  # one step skips several fields
            continue
        literal = _add_literal(literals, step.literal)
        stop = (1, 0) if ending == kernel.AT_SPACE else _add_literal(literals, step.stop)
        numbers += [field, ending, step.searched, *literal, *stop]
        numbers[kernel.STEP_COUNT] += 1
        before = None if step.field.kind is Kind.TIME else ending
    kind = COMBINED_LINES if _is_combined(steps) else LAYOUT_LINES
    return Program(kind, array("q", numbers), literals + b"\0")


@lru_cache
def compile_table(
    layout: TableLayout, *, with_host: bool = False, with_query: bool = False
) -> Program | None:
    """
    The program of a table (`kernels.table`); None if only the reference parser can read it. With
    `with_query`, the text of a column of queries is needed.
    """
    kinds = [column.kind for column in layout.columns]
    form = _FORMS.get(layout.columns[kinds.index(Kind.TIME)].form)
    if form is None or kinds.count(Kind.TIME) > 2 or (with_query and Kind.QUERY in kinds):
        return None
    if len(layout.separator) > 1:
        return None
    if with_host and any(one.kind is Kind.HOST and one.form for one in layout.columns):
        return None  # its values are looked at
    words = layout.separator == " "
    refused = '"' if layout.quoted or words else "\0"
    numbers = [0, ord(layout.separator), ord(refused), 9 * words, with_host, form]
    before = -1
    for number, kind in enumerate(kinds):
        field = _FIELDS[kind]
        if field == request.TIME and number != kinds.index(Kind.TIME):
            field = request.CLOCK
        if field != request.SKIP or number == len(kinds) - 1:
            numbers += [max(number - max(before, 0), 0), field]
            numbers[table.STEP_COUNT] += 1
            before = number
    return Program(TABLE_LINES, array("q", numbers), bytearray(1))


@lru_cache
def list_offsets(zone: tzinfo | None) -> array[int]:
    """
    The offsets of a zone on the days from 1995 to 2039 (`kernels.times`). A day on which the clock
    changes has none: the reference parser reads its times.
    """
    first = (_FIRST_DAY - date(1970, 1, 1)).days
    if zone is None:
        return array("q", [first, 0])
    midnight = datetime.combine(_FIRST_DAY, time(), zone)
    offsets = [(midnight + _ONE_DAY * number).utcoffset() for number in range(_DAYS + 1)]
    seconds = {offset: offset // _ONE_SECOND for offset in set(offsets) if offset is not None}
    column = [
        seconds[offset] if offset is not None and offset == after else NO_OFFSET
        for offset, after in pairwise(offsets)
    ]
    return array("q", [first, _DAYS, *column])


def _is_supported(step: Step, is_first: bool) -> bool:  # noqa: FBT001 (called by `map`)
    """
    Whether the kernel can find the field. The literals before and after it must not be such that
    the end of the field depends on how often a part of it is repeated.
    """
    kind, literal, stop = step.field.kind, step.literal, step.stop
    if not (literal or is_first) or re.search(r"[\r\n]", literal + stop):
        return False
    if kind in {Kind.METHOD, Kind.STATUS} and _JOINS_WORD.match(stop):
        return False
    if kind is Kind.REQUEST:
        return step.quoted or bool(stop and not _JOINS_WORD.match(stop))
    return True


def _is_combined(steps: Sequence[Step]) -> bool:
    """Whether `kernels.layout.read_combined` reads these steps."""
    if len(steps) < 5:
        return False
    *fields, last, time, line, status = steps
    return (
        all(step.field.kind is Kind.SKIP for step in (*fields, last))
        and [step.literal for step in fields] == ["", *[" "] * (len(fields) - 1)]
        and (last.literal, time.literal, line.literal, status.literal) == _COMBINED
        and (time.field.form, line.field.kind, status.stop) == ("clf", Kind.REQUEST, " ")
    )


def _resembles_escape(literal: str) -> bool:
    """
    Whether a literal may be found in the escape sequence, such as \\xff, that a byte that is no
    UTF-8 is to the reference parser.
    """
    return _ESCAPE.match(literal) is not None


def _find_ending(step: Step) -> int:
    kind = step.field.kind
    if kind is Kind.STATUS:
        return kernel.DIGITS
    if kind is Kind.METHOD:
        return kernel.LETTERS
    if kind is Kind.REQUEST:
        return kernel.AT_PROTOCOL
    if step.quoted:
        return kernel.IN_QUOTES
    if not step.stop:
        return kernel.NOWHERE if kind is Kind.SKIP else kernel.AT_WORD_END
    if kind is Kind.SKIP and not step.stop.strip(" "):
        return kernel.AT_SPACE
    return kernel.AT_STOP if kind is Kind.SKIP else kernel.AT_STOP_OR_END


def _add_literal(literals: bytearray, text: str) -> Sequence[int]:
    """Add a literal. Returns where it begins and ends."""
    begin = len(literals)
    literals += re.sub(" +", " ", text).encode()
    return begin, len(literals)
