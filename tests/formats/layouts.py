"""Lines of many layouts, which go where a scanner is likely to be wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from slomon.core.statuses import StatusRule
from slomon.formats.builtin import BUILT_IN
from slomon.formats.format import AnyLayout, Format, Reading
from slomon.formats.layout import Field, Kind, Layout, parse_layout
from slomon.formats.registry import make_format
from slomon.formats.tables import TableLayout, given_table
from slomon.formats.wrappers import WRAPPERS, wrap_format
from tests.formats.json_texts import JSON, draw_json
from tests.formats.lines import (
    PATHS,
    PROTOCOLS,
    STATUSES,
    VERBS,
    damage,
)
from tests.formats.wrapped_lines import WRAPPED, wrap_line
from tests.strategies import Pick

ZONE: Final = ZoneInfo("Europe/Berlin")
"""Of times that name none."""

OTHERS: Final = {
    "nginx-host": '$time_iso8601 $host $remote_addr $request_time $b "$request" $status "$r"',
    "pipes": "$msec|$status|$request_method|$request_uri|$rest",
    "milliseconds": "$time_ms $request_method $http_host $uri $status",
    "microseconds": "<$time_us> $uri <- $request_method = $status;",
    "nanoseconds": '$level $time_ns "$request_uri" "$request_method" $status',
    "unquoted": "$remote_addr [$time_local] $request $status",
    "hexadecimal": "$remote_addr at$time_slashes by $request_method $uri end $status",
    "backslash": "$time_iso8601\\$request_method $uri\\$status\\",
    "ctime": "$time_ctime: $request_method -> $uri ($status)",
    "quoted": '"$remote_addr" "$time_iso8601" "$host" "$request" "$status"',
    "host-last": "$time_iso8601 $status $request_method $uri $host",
    "lists": "$upstream_addr $upstream_time $status [$time_local] $request_method $uri",
    "aligned": "$time_slashes  |  $status | $duration | $remote_addr |  $request_method  $uri",
    "request-last": '$host $status $time_local "$request"',
    "method-last": "$uri $status [$time_iso8601] $request_method",
}
LAYOUTS: Final = {
    **{built_in.name: built_in.layout() for built_in in BUILT_IN},
    **{name: parse_layout(text, name) for name, text in OTHERS.items()},
}

_SKIPPED: Final = (
    *(b"-", b"192.0.2.1", b"eve", b"10.0.0.1:80, 10.0.0.2:80", b"0.1 : 0.2", b"0.1,", b"a,b", b","),
    *(b"", b"x y", b" ", b":", b"x [y]", b"[17/May/2015:10:05:03 +0000]", b"12345", b"2015-05-17"),
    *(b'"', b"\\", b'\\"', b"x\\", b"\xff", b"\xc3\xa9", b"\x9f", b"a", b"|", b"x | y", b"\t"),
)
_HOSTS: Final = (
    *(b"shop.example.com", b"Shop.Example.COM:443", b"-", b"_", b"192.0.2.1:8080", b"a_b-c"),
    *(b"[::1]:80", b"", b"--", b"-:80", b"x:", b":80", b"x:y", b"shop example", b"\xc3\xa9", b"_x"),
)
_TARGETS: Final = (
    *(b"https://shop.example.com:443/a?b=1", b"http://Shop/a", b"http://shop", b"http://u@shop/a"),
    *(b"http://shop?a", b"h2://shop/a", b"://shop/a", b"http:/a", b"http:///a", b"http://a#/b"),
)
_OFFSETS: Final = (
    *(b" +0000", b"", b"Z", b"+02:00", b" -0530", b" UTC", b"GMT", b" Z", b"+2400", b"+23:60"),
    *(b" +", b"-1", b" +0", b"-:00", b" EST", b"+01:0"),
)
_FRACTIONS: Final = (
    *(b"", b".5", b",123456789", b".1234567", b".12345678", b".1234567890", b".", b","),
)
_CLOCKS: Final = (
    *(b"10:05:03", b"00:00:00", b"23:59:59", b"02:30:00", b"24:00:00", b"23:60:00", b"23:59:60"),
    *(b"1:05:03", b"10-05-03", b"10:05:3"),
)
_YEARS: Final = (b"2015", b"2016", b"2024", b"1970", b"1971", b"1900", b"2261", b"2262", b"2050")
_DAYS: Final = (b"17", b"01", b"28", b"29", b"30", b"31", b"00", b"32", b"7")
_NUMBERS: Final = (b"05", b"03", b"10", b"02", b"12", b"00", b"13", b"1")
_MONTHS: Final = (b"May", b"Mar", b"Oct", b"Feb", b"Dec", b"Foo", b"may", b"M1y")
_EPOCHS: Final = (b"1431857103", b"1741608000", b"9223372035", b"9223372036", b"9999999999", b"0")
_DURATIONS: Final = (b"0.001", b"12.5ms", b"-", b"1,5", b"", b"a b", b"0.1, 0.2")
_NEARLY_ALWAYS: Final = (*[True] * 15, False)


def _with_form(layout: TableLayout | None, form: str) -> TableLayout:
    assert layout
    columns = (
        replace(column, form=form) if column.kind is Kind.TIME else column
        for column in layout.columns
    )
    return replace(layout, columns=tuple(columns))


TABLES: Final = {
    "iis": _with_form(
        given_table(
            "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-host sc-status x"
        ),
        "iso",
    ),
    "cloudfront": _with_form(
        given_table(
            "#Fields:\tdate\ttime\tx-edge-location\tsc-bytes\tc-ip\tcs-method\tcs(Host)\t"
            "cs-uri-stem\tsc-status\tcs(Referer)"
        ),
        "iso",
    ),
    "words": _with_form(
        given_table("#Fields: date time cs-method cs-uri cs(Cookie) sc-status x"), "iso"
    ),
    "apart": _with_form(
        given_table("#Fields: date c-ip time cs-method cs-uri-stem sc-status"), "iso"
    ),
    "csv": _with_form(given_table("vhost,timestamp,method,path,status,bytes"), "iso"),
    "csv-request": _with_form(given_table("request;time;status"), "milliseconds"),
    "csv-clf": _with_form(given_table("status|time|user|method|url|query"), "clf"),
}
"""Tables, of which some have a column of queries."""


def make_formats(is_failure: StatusRule) -> dict[str, Format]:
    """The formats of all layouts, by name, and of some in wrappers."""
    reading = Reading(is_failure, ZONE)
    layouts: dict[str, AnyLayout] = {**LAYOUTS, **TABLES, **JSON}
    formats = {name: make_format(layout, reading) for name, layout in layouts.items()}
    for name in WRAPPED:
        wrapper, _, inner = name.partition("/")
        formats[name] = wrap_format(WRAPPERS[wrapper], formats[inner], reading)
    return formats


def _mostly(pick: Pick, pool: Sequence[bytes]) -> bytes:
    return pick(pool[:2]) if pick(_NEARLY_ALWAYS) else pick(pool)


def _time(pick: Pick, form: str) -> bytes:
    if form in {"seconds", "milliseconds", "microseconds", "nanoseconds"}:
        places = {"seconds": 0, "milliseconds": 3, "microseconds": 6, "nanoseconds": 9}[form]
        digits = pick((b"250000000", b"123456789")) if pick(_NEARLY_ALWAYS) else b""
        return _mostly(pick, _EPOCHS) + digits[:places] + _mostly(pick, _FRACTIONS)
    year, clock = _mostly(pick, _YEARS), _mostly(pick, _CLOCKS)
    fraction, offset, day = pick(_FRACTIONS[:3]), _mostly(pick, _OFFSETS), _mostly(pick, _DAYS)
    if pick((True, False, False, False)):
        fraction, offset = pick(_FRACTIONS), pick(_OFFSETS)
    if form == "clf":
        between = _mostly(pick, (b":", b":", b" ", b"T"))
        return b"".join(
            (day, b"/", _mostly(pick, _MONTHS), b"/", year, between, clock, fraction, offset)
        )
    if form == "ctime":
        day = _mostly(pick, (b"17", b" 7", b"7", b"07", b"31", b"  "))
        name, month = _mostly(pick, (b"Sun", b"Mon", b"sun", b"S1n")), _mostly(pick, _MONTHS)
        offset = _mostly(pick, (b"", b" UTC", *_OFFSETS, b" +9900"))
        return b"".join((name, b" ", month, b" ", day, b" ", clock, fraction, offset, b" ", year))
    mark = b"-" if form == "iso" else b"/"
    between = _mostly(pick, (b"T", b" ", b"\t", b" - ", b" -", b":"))
    if form == "slashes":
        between = _mostly(pick, (b" - ", b" ", b"T", b"\t", b" -", b":"))
    return b"".join(
        (year, mark, _mostly(pick, _NUMBERS), mark, day, between, clock, fraction, offset)
    )


def _target(pick: Pick) -> bytes:
    return pick(_TARGETS) if pick((True, False, False, False)) else _mostly(pick, PATHS)


def _value(pick: Pick, field: Field) -> bytes:
    match field.kind:
        case Kind.TIME:
            return _time(pick, field.form)
        case Kind.REQUEST:
            request = _mostly(pick, VERBS) + b" " + _target(pick)
            return request + _mostly(pick, PROTOCOLS)
        case Kind.METHOD:
            return _mostly(pick, VERBS)
        case Kind.PATH:
            return _target(pick)
        case Kind.STATUS:
            return _mostly(pick, STATUSES)
        case Kind.HOST:
            return _mostly(pick, _HOSTS)
        case Kind.DURATION:
            return _mostly(pick, _DURATIONS)
        case _:
            return _mostly(pick, _SKIPPED)


def draw_line(pick: Pick, layout: Layout) -> bytes:
    """A line of a layout, without its end: plain, or with unusual fields, or damaged."""
    line = b""
    for literal, field in layout.parts:
        spaces = b" " if pick(_NEARLY_ALWAYS) else b"  "
        line += literal.encode().replace(b" ", spaces) + _value(pick, field)
    line += layout.end.encode()
    for _ in range(pick((0, 0, 0, 0, 1, 1, 2, 4))):
        line = damage(pick, line)
    kind = pick((*["whole"] * 20, "quoted", "ended", "joined"))
    if kind == "quoted":
        return b'"' + line + b'"'
    if kind == "ended":
        return line + pick((b"\r", b" ", b"\r\r", b'"', b"\xff"))
    return line + line if kind == "joined" else line


def draw_row(pick: Pick, layout: TableLayout) -> bytes:
    """A row of a table, without its end: plain, or with unusual cells, or damaged."""
    cells = [_value(pick, column) for column in layout.columns]
    if len(layout.cells_of(Kind.TIME)) == 2:
        date, clock = layout.cells_of(Kind.TIME)
        cells[date], _, cells[clock] = _time(pick, "iso").replace(b"T", b" ").partition(b" ")
    if layout.quoted and pick((False, False, False, True)):
        cells = [b'"' + cell.replace(b'"', b'""') + b'"' for cell in cells]
    elif layout.separator == " " and pick((*[False] * 20, True)):
        cells = [b'"' + cell + b'"' for cell in cells]
    cells += pick(((), (), (), (b"more",)))
    line = layout.separator.encode().join(cells[: pick((None, None, None, None, None, -1))])
    for _ in range(pick((0, 0, 0, 0, 0, 1, 2))):
        line = damage(pick, line)
    return pick((b"", b"", b"", b"", b"", b"", b"", b"", b"#")) + line


def random_layout_lines(rng: random.Random, name: str, count: int) -> list[bytes]:
    """Lines of a layout, a table or a JSON log, in a wrapper or not, without their ends."""
    return [_draw(rng.choice, name) for _ in range(count)]


def _draw(pick: Pick, name: str) -> bytes:
    if name in WRAPPED:
        wrapper, _, inner = name.partition("/")
        line = wrap_line(pick, wrapper, _draw(pick, inner))
    elif name in JSON:
        line = draw_json(pick, name, _value)
    else:
        line = draw_line(pick, LAYOUTS[name]) if name in LAYOUTS else draw_row(pick, TABLES[name])
    return line.replace(b"\n", b"")


@st.composite
def layout_lines(draw: st.DrawFn, name: str) -> bytes:
    """A line of a layout, without its end."""
    return _draw(lambda pool: draw(st.sampled_from(pool)), name)
