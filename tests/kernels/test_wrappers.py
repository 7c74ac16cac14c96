"""The taking off of wrappers: the kernel finds the contents that the reference parser finds."""

from __future__ import annotations

import json
import random
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.compiled.json_lines import compile_wrapper
from slomon.formats.wrappers import WRAPPERS
from slomon.kernels.json_lines import MEMORY
from slomon.kernels.swar import PADDING
from slomon.kernels.wrappers import unwrap
from tests.compiled.kernels import BACKENDS, Opened, compiled_kernels
from tests.compiled.reading import check_scanner, given_exactly, read_at
from tests.formats.layouts import layout_lines, random_layout_lines
from tests.formats.wrapped_lines import WRAPPED

TIME = "2018-07-07T23:13:12.123456789Z"
DOCKER = f'"stream":"stdout","time":"{TIME}"}}'
JOURNAL = '"__REALTIME_TIMESTAMP":"1531005192000000"}'
names = pytest.mark.parametrize("name", WRAPPED)


def contents(name: str, lines: list[bytes], room: int = 1000) -> list[bytes]:
    """The contents of lines, which are empty if a line is not plain."""
    wrapper = compile_wrapper(name)
    assert wrapper
    text = b"".join(line + b"\n" for line in lines)
    found, ends = bytearray(len(text) + PADDING), array("q", bytes(8 * (room + 1)))
    rows = unwrap(
        *(text + bytes(PADDING), 0, len(text), wrapper.kind, wrapper.program, wrapper.literals),
        *(array("q", [-1]) * MEMORY, found, ends, room),
    )
    assert [text[end] for end in ends[:rows]] == [10] * rows
    return bytes(found[: ends[rows]]).split(b"\n")[:-1]


def check(name: str, lines: list[bytes]) -> int:
    """Compare the contents with those of the reference parser. Return how many are not empty."""
    wrapper = name.partition("/")[0]
    found = contents(wrapper, lines)
    assert len(found) == len(lines)
    for line, content in zip(lines, found, strict=True):
        if content:
            text = line.decode("utf-8", "backslashreplace").removesuffix("\r")
            expected = WRAPPERS[wrapper].unwrap(text)
            assert expected == (content.decode("utf-8", "backslashreplace"), True), line
    return sum(map(bool, found))


@pytest.mark.parametrize(
    ("name", "line", "content"),
    [
        ("cri", f"{TIME} stdout F a b", "a b"),
        ("cri", "2018-07-07T23:13:12+02:00 stderr F  a\r", " a"),
        ("docker", '{"log":"a\\n",' + DOCKER, "a"),
        ("docker", '{"log":"a\\r\\n",' + DOCKER, "a"),
        ("docker", '{"stream": "stderr", "log" : "a\\n" } ', "a"),
        ("docker", '{"log":"\\"a\\": \\\\\\/\\t\\u0026\\u003Cz\\n",' + DOCKER, '"a": \\/\t&<z'),
        ("docker", '{"log":' + json.dumps('{"a":"b"}' * 9 + "\n") + "," + DOCKER, '{"a":"b"}' * 9),
        ("journald", '{"MESSAGE":"a",' + JOURNAL, "a"),
        ("journald", '{"MESSAGE":"a\\n",' + JOURNAL, "a"),
        ("loki", '{"labels":{"a":"b"},"line":"a"}', "a"),
    ],
)
def test_the_content_of_a_plain_line_is_copied(name: str, line: str, content: str) -> None:
    assert contents(name, [line.encode()] * 2) == [content.encode()] * 2


@pytest.mark.parametrize("size", range(25, 40))
def test_quotes_are_copied_wherever_they_stand(size: int) -> None:
    content = "x" * size + '"' + "y" * size + '"'
    line = json.dumps({"log": content + "\n", "stream": "stdout"}).encode()
    assert contents("docker", [line]) == [content.encode()]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("cri", ""),
        ("cri", f"{TIME} stdout P a"),
        ("cri", f"{TIME} stdout F:x a"),
        ("cri", f"{TIME} stdin F a"),
        ("cri", f"{TIME} stdout F"),
        ("cri", f"x{TIME} stdout F a"),
        ("cri", "2018-07-07 23:13:12Z stdout F a"),
        ("cri", "2018-07-07T23:13:12.Z stdout F a"),
        ("cri", "2018-07-07T23:13:12 stdout F a"),
        ("cri", "2018-07-07T23:13:12+0200 stdout F a"),
        ("docker", ""),
        ("docker", '{"log":"a",' + DOCKER),
        ("docker", '{"log":"",' + DOCKER),
        ("docker", '{"log":"\\n",' + DOCKER),
        ("docker", '{"log":"a\\nb\\n",' + DOCKER),
        ("docker", '{"log":"a\\r",' + DOCKER),
        ("docker", '{"log":"\\b\\n",' + DOCKER),
        ("docker", '{"log":"\\u000a\\n",' + DOCKER),
        ("docker", '{"log":"\\u00g0\\n",' + DOCKER),
        ("docker", '{"log":"\\u0100\\n",' + DOCKER),
        ("docker", '{"log":"\u00e9\\n",' + DOCKER),
        ("docker", '{"log":5,' + DOCKER),
        ("docker", '{"log":"a\\n"}'),
        ("docker", '{"log":"a\\n",' + DOCKER + ","),
        ("docker", ' {"log":"a\\n",' + DOCKER),
        ("journald", '{"MESSAGE":[97],' + JOURNAL),
        ("journald", '{"MESSAGE":"a\\r",' + JOURNAL),
        ("loki", '{"line":"a"}'),
    ],
)
def test_an_unusual_line_has_no_content(name: str, line: str) -> None:
    assert contents(name, [line.encode()]) == [b""]


def test_no_more_lines_are_read_than_there_is_room_for() -> None:
    lines = [f"{TIME} stdout F {number}".encode() for number in range(5)]
    assert contents("cri", lines, room=3) == [b"0", b"1", b"2"]


def test_a_wrapper_that_only_the_reference_parser_takes_off_has_no_program() -> None:
    assert compile_wrapper("colours") is None


@names
def test_the_kernel_finds_the_contents_that_the_reference_parser_finds(name: str) -> None:
    assert check(name, random_layout_lines(random.Random(name), name, 400)) > 100


@settings(deadline=None)
@given(st.data())
def test_the_smallest_lines_that_are_unwrapped_otherwise_would_be_shown(
    data: st.DataObject,
) -> None:
    name = data.draw(st.sampled_from(WRAPPED))
    check(name, data.draw(st.lists(layout_lines(name), min_size=1, max_size=3)))


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@names
def test_a_scanner_of_wrapped_lines_makes_the_rows_of_the_reference_parser(
    backend: Opened, name: str
) -> None:
    count = 150 if backend is compiled_kernels else 20
    check_scanner(backend, name, random_layout_lines(random.Random(f"{name} 2"), name, count))


COMBINED = '192.0.2.1 - - [07/Jul/2018:23:13:12 +0000] "GET /a HTTP/1.1" 500 5 "-" "curl/8.0"'
WHOLE = {
    "docker/combined": '{"log":' + json.dumps(COMBINED + "\n") + "," + DOCKER,
    "cri/combined": f"{TIME} stdout F {COMBINED}",
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", WHOLE)
def test_a_scanner_goes_on_behind_a_line_in_parts(backend: Opened, name: str) -> None:
    whole = WHOLE[name].encode()
    parts = [whole.replace(b"F 192", b"P 192"), f"{TIME} stdout F /".encode()]
    if name == "docker/combined":
        parts = [whole.replace(b"\\n", b""), b'{"log":"/\\n",' + DOCKER.encode()]
    lines = [whole, *parts, *[whole] * 20]
    read = read_at(backend, given_exactly, (name, True, [lines, [whole] * 5]), ahead=2)
    assert read.unresolved_count < 10
