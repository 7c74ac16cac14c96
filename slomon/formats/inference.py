"""
Inference: the layout of a log that is in no known format, from its first lines.

1. Lines that can be requests have a time, an HTTP method, a target and a number that is a status.
2. Each line is split into tokens, by each separator in turn. A quoted text and a date are never
   split. Tokens with the same number make a column.
3. The tokens of a column say what it can be: a time, a request, a method, a target, a status, a
   duration. A number is a status only if nearly all numbers of its column are statuses in use.
4. Each choice of columns is a reading. A reading becomes a layout, and must read the lines with the
   reference parser and find the very tokens of its columns.
5. The best reading wins. If another one is nearly as good and finds other times or statuses in any
   line, the log is ambiguous: a wrong guess would be worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC
from itertools import product
from typing import Final, NamedTuple

from slomon.core.events import Access
from slomon.errors import ConfigurationError
from slomon.formats.columns import (
    DURATION_KEYS,
    NEAR,
    OTHER_KEYS,
    SEPARATORS,
    SHARE,
    Column,
    Token,
    can_be_request,
    describe_column,
    is_sorted,
    is_zoned,
    mostly,
    read_times,
    split_line,
)
from slomon.formats.format import Ambiguity
from slomon.formats.layout import FIELDS, Field, Kind, Layout, Part
from slomon.formats.layout_lines import make_parser
from slomon.formats.times import FORMS

_UNSPLIT: Final = re.compile(", | : ")  # these do not end a skipped field (rule 2 of layouts)
_MOST_LINES: Final = 60
_MOST_COLUMNS: Final = 40
_MARGIN: Final = 2  # points by which the best of two different readings must win
_LARGE_MARGIN: Final = 7  # if they also disagree in many lines

_TIME_NAMES: Final = {field.form: field for field in FIELDS.values() if field.kind is Kind.TIME}
_DURATION_NAMES: Final = {
    field.form: field for field in FIELDS.values() if field.kind is Kind.DURATION
}


class _Reading(NamedTuple):
    separator: str
    columns: Sequence[Column]
    times: Sequence[Column]
    time: Column
    request: tuple[Column, ...]  # one, or the method's and the target's
    status: Column
    score: int


def infer(lines: Sequence[str], name: str = "inferred") -> Layout | Ambiguity | None:
    """
    Return the layout of these lines; None if they are no requests, and Ambiguity if two layouts
    are as likely. Lines that can't be requests are ignored.
    """
    requests = [line for line in lines if can_be_request(line)][:_MOST_LINES]
    readings = [one for separator in SEPARATORS for one in _read(requests, separator)]
    readings.sort(key=lambda reading: -reading.score)
    best: tuple[_Reading, Layout] | None = None
    for reading in readings:
        if best is not None and not _is_rival(reading, best[0]):
            continue
        layout = _fit_layout(reading, name, requests)
        if layout is None:
            continue
        if best is not None:
            return Ambiguity((best[1], layout))
        if not is_sorted(reading.time) and any(map(is_sorted, reading.times)):
            return None  # another column looks more like the time, but it can't be read
        best = reading, layout
    return None if best is None else best[1]


def _read(lines: Sequence[str], separator: str) -> Iterator[_Reading]:
    rows = [split_line(line, separator) for line in lines]
    rows = [row for row in rows if row]
    if not rows:
        return
    width = sorted(len(row) for row in rows)[len(rows) // 10]
    columns = [
        describe_column(
            number,
            [row[number] for row in rows if len(row) > number],
            [row[number + 1] for row in rows if len(row) > number + 1],
        )
        for number in range(min(width, _MOST_COLUMNS))
    ]
    times = [column for column in columns if column.time]
    requests = [(column,) for column in columns if column.is_request]
    pairs = [
        (method, path)
        for method in columns
        for path in columns
        if method.is_method and path.is_path and method.number != path.number
    ]
    statuses = [column for column in columns if column.is_status]
    for time, request, status in product(times, requests or pairs, statuses):
        score = _rate_time(time, times) + _rate_request(request) + _rate_status(status, request)
        yield _Reading(separator, columns, times, time, request, status, score)


def _rate_time(time: Column, times: Sequence[Column]) -> int:
    dates = [one for one in times if not FORMS[one.time].unit]
    is_first = time is (dates or times)[0]
    return 4 * (time in dates or not dates) + is_first + 6 * is_zoned(time) + 6 * is_sorted(time)


def _rate_request(request: tuple[Column, ...]) -> int:
    if len(request) == 1:
        return 4
    method, path = request
    return 2 * (path.number == method.number + 1)


def _rate_status(status: Column, request: tuple[Column, ...]) -> int:
    key, score = status.key, 0
    if OTHER_KEYS.search(key):
        score -= 3
    elif status.is_keyed:
        score += 3
    after = status.number - request[-1].number
    score += 4 * (after == 1) + 2 * (after == 2) + (status.number + 1 == request[0].number)
    score += len({token.core for token in status.tokens}) > 1
    return score


def _fit_layout(reading: _Reading, name: str, lines: Sequence[str]) -> Layout | None:
    """The layout of a reading that reads the lines, with their virtual host if one is there."""
    hosts = [column for column in reading.columns if column.is_host]
    for host in (hosts[0], None) if len(hosts) == 1 else (None,):
        layout = _make_layout(reading, name, host)
        if layout is not None and _reads(layout, reading, lines):
            return layout
    return None


def _make_layout(reading: _Reading, name: str, host: Column | None) -> Layout | None:
    fields: dict[int, Field] = {
        reading.time.number: _TIME_NAMES[reading.time.time],
        reading.status.number: FIELDS["status"],
    }
    names = ("request",) if len(reading.request) == 1 else ("request_method", "request_uri")
    for column, field in zip(reading.request, names, strict=True):
        fields[column.number] = FIELDS[field]
    if len(fields) != 2 + len(reading.request):
        return None
    if host is not None and host.number not in fields:
        fields[host.number] = FIELDS["host"]
    duration = _choose_duration(reading, fields)
    if duration is not None:
        fields[duration.number] = _DURATION_NAMES[duration.duration or ""]
    gap = reading.separator
    parts: list[Part] = []
    close = ""
    for column in reading.columns[: max(fields) + 1]:
        found = fields.get(column.number)
        before, after = _affixes(column, found, gap)
        if before is None or after is None:
            return None
        literal = close + (gap if parts else "") + before
        parts.append(Part(literal, found or Field("_", Kind.SKIP)))
        close = after
        if found is None and not close:  # a date with spaces, which is not the time
            more = min(len(_UNSPLIT.sub("", token.core).split(gap)) - 1 for token in column.tokens)
            parts += [Part(gap, Field("_", Kind.SKIP))] * more
    if parts[-1].field.kind in (Kind.PATH, Kind.REQUEST) and not close.startswith('"'):
        close += gap if len(reading.columns) > max(fields) + 1 else ""
    try:
        return Layout(name, tuple(parts), close)
    except ConfigurationError:
        return None


def _affixes(column: Column, field: Field | None, gap: str) -> tuple[str | None, str | None]:
    """The literal text before and after the fields of a column; None if it varies."""
    before = _most_frequent([token.open for token in column.tokens])
    after = _most_frequent([token.close for token in column.tokens])
    if field is None and not mostly(token.quoted for token in column.tokens):
        with_gap = any(gap in token.core for token in column.tokens)
        return (before, after) if with_gap and before and after else ("", "")
    return before, after


def _most_frequent(texts: Sequence[str]) -> str | None:
    best = max(sorted(set(texts)), key=texts.count)
    return best if texts.count(best) >= SHARE * len(texts) else None


def _choose_duration(reading: _Reading, taken: dict[int, Field]) -> Column | None:
    """The column of durations by its key, else by its unit, else the only one with decimals."""
    candidates = [
        column
        for column in reading.columns
        if column.duration is not None
        and column.number not in taken
        and not column.time
        and not re.search("upstream|connect", column.key)
    ]
    keyed = [column for column in candidates if DURATION_KEYS.search(column.key)]
    with_unit = [column for column in candidates if column.duration != "s"]
    if found := keyed or with_unit:
        return found[0]
    values = {tuple(token.core for token in column.tokens) for column in candidates}
    return candidates[0] if len(values) == 1 else None


def _reads(layout: Layout, reading: _Reading, lines: Sequence[str]) -> bool:
    """Does the reference parser find the tokens of the reading in nearly all lines?"""
    parse = make_parser(layout, lambda status: status >= 500, UTC)
    good = written = 0
    for line in lines:
        row = split_line(line, reading.separator)
        if len(row) <= max(column.number for column in (reading.time, reading.status)):
            continue
        written += 1
        found = parse(line)
        good += isinstance(found, Access) and found.failed == _failed(row, reading)
    return good >= SHARE * len(lines) and good > 0


def _failed(row: Sequence[Token], reading: _Reading) -> bool:
    core = row[reading.status.number].core
    return core.isdigit() and int(core) >= 500


def _is_rival(other: _Reading, best: _Reading) -> bool:
    """
    Could another reading be the right one, with other answers? A log often has two statuses that
    mostly agree, the server's and its upstream's: there the place decides, if both stand on the
    same side of the request.
    """
    if other.separator != best.separator:
        return False
    if _are_apart(best.time, other.time):
        return (is_sorted(other.time), is_zoned(other.time)) >= (
            is_sorted(best.time),
            is_zoned(best.time),
        )
    statuses = [[token.core for token in one.status.tokens] for one in (best, other)]
    share = _disagreement(*statuses)
    if not share or (best.status.is_keyed and not other.status.is_keyed):
        return False
    sides = {one.status.number > one.request[0].number for one in (best, other)}
    margin = _MARGIN if share < 1 - SHARE and len(sides) == 1 else _LARGE_MARGIN
    return other.score > best.score - margin


def _disagreement(texts: Sequence[object], others: Sequence[object]) -> float:
    pairs = list(zip(texts, others, strict=False))
    return sum(one != other for one, other in pairs) / max(len(pairs), 1)


def _are_apart(one: Column, other: Column) -> bool:
    pairs = zip(read_times(one), read_times(other), strict=False)
    return any(abs(tick - rival) > NEAR for tick, rival in pairs)
