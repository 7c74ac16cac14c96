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
from slomon.kernels.scan import PADDING
from tests.compiled.kernels import BACKENDS, compiled_kernels
from tests.compiled.reading import Opened, found, given_by_template, given_exactly, read_at
from tests.formats.json_texts import JSON
from tests.formats.layouts import layout_lines, make_formats, random_layout_lines

FORMATS = make_formats(lambda _: False)  # every status is one
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
            host = f"{access.host} " if with_host and access.host else ""
            assert (seen[0], seen[1].decode()) == (
                access.tick,
                f"{access.verb} {host}{access.resource}",
            ), line
    return count


@names
def test_the_kernel_finds_the_fields_that_the_reference_parser_finds(name: str) -> None:
    assert check(name, random_layout_lines(random.Random(name), name, 400)) > 60


@pytest.mark.slow
@names
def test_the_kernel_finds_the_fields_of_many_lines(name: str) -> None:
    assert check(name, random_layout_lines(random.Random(f"{name} 2"), name, 30_000)) > 5_000


@settings(deadline=None)
@given(st.data())
def test_the_smallest_lines_that_are_read_otherwise_would_be_shown(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*JSON]))
    check(name, data.draw(st.lists(layout_lines(name), min_size=1, max_size=3)))


@pytest.mark.parametrize("backend", BACKENDS)
@names
def test_a_scanner_of_keys_makes_the_rows_of_the_reference_parser(
    backend: Opened, name: str
) -> None:
    count = 400 if backend is compiled_kernels else 40
    lines = random_layout_lines(random.Random(f"{name} 3"), name, count)
    blocks = [lines[: count // 4], lines[count // 4 :]]
    for requests, match_exactly in ((found, False), (given_by_template, False)):
        read_at(backend, requests, (name, match_exactly, blocks))
    if backend is compiled_kernels:
        read_at(backend, given_exactly, (name, True, blocks))
