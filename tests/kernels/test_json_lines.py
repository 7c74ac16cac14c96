"""The reading of JSON lines: the kernel finds what the reference parser finds."""

from __future__ import annotations

import random
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.compiled.json_lines import compile_keys
from slomon.compiled.layout import list_offsets
from slomon.core.events import Access
from slomon.formats.json_keys import JsonKeys
from slomon.kernels.codes import NO_TICK
from slomon.kernels.json_lines import MEMORY, read_json
from slomon.kernels.swar import PADDING
from tests.compiled.kernels import LONG_IF_COMPILED, Opened, compiled_kernels
from tests.compiled.reading import check_scanner
from tests.formats.json_texts import JSON
from tests.formats.layouts import layout_lines, make_formats, random_layout_lines

FORMATS = make_formats(lambda _: False)  # every status is one
SHORT = JsonKeys({"time": "t", "method": "r.m", "path": "r.p", "status": "s"})
NO_ZONE = list_offsets(None)
names = pytest.mark.parametrize("name", JSON)


def read_lines(
    keys: JsonKeys, lines: list[bytes], offsets: array[int], *, with_host: bool = False
) -> list[tuple[int, bytes, bytes] | None]:
    """
    The tick, the request and the status that the kernel finds in each line; None if the line isn't
    plain.
    """
    program = compile_keys(keys, with_host=with_host)
    assert program
    text = bytearray(b"\n" + b"".join(line + b"\n" for line in lines) + bytes(PADDING))
    requests, memory, start = bytearray(len(text)), array("q", [-1]) * MEMORY, 1
    read: list[tuple[int, bytes, bytes] | None] = []
    for line in lines:
        stop = start + len(line.removesuffix(b"\r"))
        tick, request, end, status, composed = read_json(
            *(text, start, stop, program.steps, program.literals, offsets, memory, requests)
        )
        source = requests if composed else text
        fields = tick, bytes(source[request:end]), bytes(text[status : status + 3])
        read.append(None if tick == NO_TICK else fields)
        start += len(line) + 1
    return read


def check(name: str, lines: list[bytes]) -> int:
    """Compare what the kernel finds with what the reference parser finds. Return how much it is."""
    count, offsets = 0, list_offsets(FORMATS[name].zone)
    for with_host in (False, True):
        read = read_lines(JSON[name], lines, offsets, with_host=with_host)
        for line, seen in zip(lines, read, strict=True):
            access = FORMATS[name].parse(
                line.decode("utf-8", "backslashreplace").removesuffix("\r")
            )
            if seen is None or not 100 <= int(seen[2]) <= 599:
                continue
            count += 1
            assert isinstance(access, Access), line
            host = f"{access.host}\n" if with_host and access.host else ""
            assert (seen[0], seen[1].decode()) == (
                access.tick,
                f"{access.verb} {host}{access.resource}",
            ), line
    return count


PLAIN = '{"t":1431857103,"r":{"m":"GET","p":"/a"},"s":200'


@pytest.mark.parametrize(
    "line",
    [
        PLAIN + "}",
        PLAIN + ',"x":[{},[],{"a":[1,-2.5E+7]},true,null,false]},',
        PLAIN + ',"x":"\\"\\u00e9\\\\"  } ',
        "web-1  | " + PLAIN + "}",
        '{"t":"2015-05-17T10:05:03Z", "r.p": "/a", "r": {"m": "GET"}, "s": "200"}',
        '{"r":{},"t":1431857103,"r.m":"GET","r.p":"/a","s":200}',
        '{"r": 5,"t":1431857103,"r.m":"GET","r.p":"/a","s":200}',
    ],
)
def test_a_plain_line_is_read(line: str) -> None:
    expected = 1431857103 * 10**9, b"GET /a", b"200"
    assert read_lines(SHORT, [line.encode()], NO_ZONE) == [expected]
    assert read_lines(SHORT, [line.encode()] * 3, NO_ZONE) == [expected] * 3


@pytest.mark.parametrize(
    "line",
    [
        "",
        "GET /a",
        "{}",
        PLAIN,
        PLAIN + "}x",
        PLAIN + "},,",
        PLAIN + ",}",
        PLAIN + ',"x"}',
        PLAIN + ',"x":}',
        PLAIN + ',"x":01}',
        PLAIN + ',"x":"\\x"}',
        PLAIN + ',"x":"\\u12g4"}',
        PLAIN + ',"x":"\t"}',
        PLAIN + ',"x":"\u00e9"}',
        PLAIN + ',"x":[1 2]}',
        PLAIN + ',"x":[1}',
        PLAIN + ',"x":{"a":1,}}',
        PLAIN + ',"x":{1:1}}',
        PLAIN + ',"x":' + "[" * 61 + "]" * 61 + "}",
        PLAIN + ',"\\u0073":500}',
        PLAIN + ',"s":500}',
        PLAIN + ',"r":{}}',
        PLAIN + ',"r.m":"PUT"}',
        PLAIN.replace('"/a"', '"/a\\/b"') + "}",
        PLAIN.replace('"/a"', '"/a b"') + "}",
        PLAIN.replace('"/a"', "null") + "}",
        PLAIN.replace('"/a"', '"*"') + "}",
        PLAIN.replace("GET", "M-SEARCH") + "}",
        PLAIN.replace("200", "20") + "}",
        PLAIN.replace("200", "2e2") + "}",
        PLAIN.replace("1431857103", "5") + "}",
        PLAIN.replace("1431857103", "1431857103.1234567890") + "}",
        PLAIN.replace("1431857103", "1" * 30) + "}",
        PLAIN.replace('{"m"', '{,"m"') + "}",
        '{"t":1431857103,"r":{,"s":200}',
    ],
)
def test_an_unusual_line_is_left_to_the_reference_parser(line: str) -> None:
    assert read_lines(SHORT, [line.encode()], NO_ZONE) == [None]


def test_keys_that_are_not_the_same_as_in_the_line_before_are_read_anew() -> None:
    lines = [
        '{"t":1431857103,"a":1,"r":{"m":"GET","p":"/a"},"s":200}',
        '{"t":1431857103,"a":1,"s":200,"r":{"m":"GET","p":"/b"}}',
        '{"t":1431857103,"r":{"p":"/c","m":"PUT"},"a" :1,"s":200}',
        '{"t":1431857103,"m":"PUT","r":{"m":"GET","p":"/d"},"s":200}',
    ]
    read = read_lines(SHORT, [line.encode() for line in lines], NO_ZONE)
    assert [seen and seen[1] for seen in read] == [b"GET /a", b"GET /b", b"PUT /c", b"GET /d"]


def test_objects_and_lists_that_are_the_same_as_in_the_line_before_are_passed_over() -> None:
    good = PLAIN + ',"x":{"a":[1,2]},"y":["b"]}'
    lines = [good, good, good.replace("[1,2]", "[1,3]"), good.replace("[1,2]", "[1 2]"), good]
    read = read_lines(SHORT, [line.encode() for line in lines], NO_ZONE)
    assert [seen is not None for seen in read] == [True, True, True, False, True]


def test_more_keys_than_are_compared_with_the_line_before_are_read() -> None:
    many = ",".join(f'"x{number}":{number}' for number in range(60))
    line = f"{{{many},{PLAIN[1:]}}}".encode()
    assert None not in read_lines(SHORT, [line, line], NO_ZONE)


def test_keys_of_which_a_scanner_knows_too_many_or_two_alike_are_left_to_the_parser() -> None:
    fields = {"time": "t", "method": "m", "path": "p", "status": "s"}
    for changed in ({"path": "m"}, {"path": "a.b.c.d.e.f.g.h"}, {"request": "r"}):
        assert compile_keys(JsonKeys({**fields, **changed})) is None
    assert compile_keys(JsonKeys({"time": "t"})) is None


@names
def test_the_kernel_finds_the_fields_that_the_reference_parser_finds(name: str) -> None:
    assert check(name, random_layout_lines(random.Random(name), name, 600)) > 100


@settings(deadline=None)
@given(st.data())
def test_the_smallest_lines_that_are_read_otherwise_would_be_shown(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*JSON]))
    check(name, data.draw(st.lists(layout_lines(name), min_size=1, max_size=3)))


@pytest.mark.parametrize("backend", LONG_IF_COMPILED)
@names
def test_a_scanner_of_keys_makes_the_rows_of_the_reference_parser(
    backend: Opened, name: str
) -> None:
    count = 400 if backend is compiled_kernels else 40
    lines = random_layout_lines(random.Random(f"{name} 3"), name, count)
    check_scanner(backend, name, lines)
