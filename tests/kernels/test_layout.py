"""The reading of lines by layouts: the kernel finds what the reference parser finds."""

from __future__ import annotations

import random
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.compiled.layout import Program, compile_layout, compile_table, list_offsets
from slomon.core.events import Access
from slomon.formats.layout import Kind, parse_layout
from slomon.kernels.codes import NO_TICK
from slomon.kernels.layout import read, read_combined
from slomon.kernels.line import COMBINED_LINES, TABLE_LINES
from slomon.kernels.request import MEMORY
from slomon.kernels.swar import PADDING
from slomon.kernels.table import read_row
from tests.compiled.kernels import LONG_IF_COMPILED, Opened, compiled_kernels
from tests.compiled.reading import check_scanner
from tests.formats.layouts import LAYOUTS, TABLES, layout_lines, make_formats, random_layout_lines

FORMATS = make_formats(lambda _: False)  # every status is one
NAMES = (*LAYOUTS, *TABLES)
layouts = pytest.mark.parametrize("name", NAMES)


def compile_by_name(name: str, *, with_host: bool) -> Program:
    if name in TABLES:
        program = compile_table(TABLES[name], with_host=with_host)
    else:
        program = compile_layout(LAYOUTS[name], with_host=with_host)
    assert program
    return program


def read_line(
    program: Program, line: bytes, offsets: array[int], memory: array[int], behind: bytes = b""
) -> tuple[int, bytes, bytes] | None:
    """
    The tick, the request and the status that the kernel finds; None if the line isn't plain. The
    text after the line is `behind`.
    """
    text = bytearray(b"\n" + line + b"\n" + behind + bytes(PADDING))
    requests = bytearray(len(text))
    stop = len(line.removesuffix(b"\r")) + 1
    if program.kind == COMBINED_LINES:
        fields = read_combined(text, 1, stop, program.steps, offsets, memory)
    elif program.kind == TABLE_LINES:
        fields = read_row(text, 1, stop, program.steps, offsets, memory, requests)
    else:
        fields = read(text, 1, stop, program.steps, program.literals, offsets, memory, requests)
    tick, request, end, status, composed = fields
    source = requests if composed else text
    found_line = tick, bytes(source[request:end]), bytes(text[status : status + 3])
    return None if tick == NO_TICK else found_line


def check(name: str, lines: list[bytes]) -> int:
    """Compare what the kernel finds with what the reference parser finds. Return how much it is."""
    plain, with_host = (compile_by_name(name, with_host=wanted) for wanted in (False, True))
    offsets = list_offsets(FORMATS[name].zone)
    memory, count = array("q", [-1]) * MEMORY, 0
    for line in lines:
        text = line.decode("utf-8", "backslashreplace").removesuffix("\r")
        access = FORMATS[name].parse(text)
        for program in (plain, with_host):
            seen = read_line(program, line, offsets, memory)
            # The scanner leaves other statuses to the reference parser, and no table holds a
            # request without a method of letters.
            if not (seen and seen[2].isdigit() and seen[1].partition(b" ")[0].isalpha()):
                continue
            count += 1
            assert isinstance(access, Access), line
            host = f"{access.host}\n" if program is with_host and access.host else ""
            request = f"{access.verb} {host}{access.resource}"
            found_request = seen[1].decode("utf-8", "backslashreplace")
            if name in TABLES and TABLES[name].cells_of(Kind.QUERY):
                request = request.partition("?")[0]  # the kernel leaves out the column
                found_request = found_request.partition("?")[0]
            assert seen[0] == access.tick, line
            assert found_request == request, line
    return count


@layouts
def test_the_kernel_finds_the_fields_that_the_reference_parser_finds(name: str) -> None:
    lines = random_layout_lines(random.Random(name), name, 300)
    assert check(name, lines) > 60


@settings(deadline=None)
@given(st.data())
def test_the_smallest_line_that_is_read_otherwise_would_be_shown(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    check(name, [data.draw(layout_lines(name))])


def test_a_quote_in_the_next_line_closes_no_field() -> None:
    layout = parse_layout('$time_iso8601 "$http_user_agent" "$request" $status', "custom")
    program = compile_layout(layout)
    assert program is not None
    offsets, memory = list_offsets(None), array("q", [-1]) * MEMORY
    cut_off, rest = b'2025-03-10T12:00:00Z "curl', b'" "GET /a HTTP/1.1" 200'
    assert read_line(program, cut_off + rest, offsets, memory) is not None
    assert read_line(program, cut_off, offsets, memory, behind=rest) is None


def test_long_fields_are_read_to_their_ends() -> None:
    program = compile_layout(parse_layout('$time_iso8601 "$agent" "$request" $status', "custom"))
    assert program is not None
    offsets, memory = list_offsets(None), array("q", [-1]) * MEMORY
    escaped = b"a" * 70 + b'\\"' + b"c" * 70
    for agent, path in ((b"a" * 200, b"/"), (escaped, b"/"), (b"a", b"/" + b"b" * 200)):
        line = b'2025-03-10T12:00:00Z "%b" "GET %b HTTP/1.1" 200' % (agent, path)
        found = read_line(program, line, offsets, memory)
        assert found is not None
        assert found[1:] == (b"GET " + path, b"200")


@pytest.mark.parametrize("backend", LONG_IF_COMPILED)
@layouts
def test_a_scanner_of_a_layout_makes_the_rows_of_the_reference_parser(
    backend: Opened, name: str
) -> None:
    count = 120 if backend is compiled_kernels else 20
    lines = random_layout_lines(random.Random(f"{name} 3"), name, count)
    check_scanner(backend, name, lines)


def test_a_layout_whose_fields_have_no_certain_end_is_left_to_the_reference_parser() -> None:
    for text in (
        "$time_iso8601 $request_method-$uri $status",
        "$time_iso8601 $request_method $uri $status.0",
        "$time_iso8601 $request.5 $status",
        "$time_iso8601 $request_method\n$uri $status",
        "$time_iso8601 $status $request",
    ):
        assert compile_layout(parse_layout(text, "custom")) is None
