"""Blocks of a log's lines, and what stands at its beginning."""

from __future__ import annotations

import pytest

from slomon.log_replay.lines import Block, find_prefix


def block(text: bytes, behind: bytes = b"") -> Block:
    return Block(bytearray(text + behind), length=len(text))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", []),
        (b"a\n", [b"a"]),
        (b"a\r\n\nb\n", [b"a\r", b"", b"b"]),
        (b"a\x0bb\x85\xe2\x80\xa8\n", [b"a\x0bb\x85\xe2\x80\xa8"]),
    ],
)
def test_the_lines_of_a_block_end_at_newlines_and_nowhere_else(
    text: bytes, lines: list[bytes]
) -> None:
    whole = block(text, b"of another block\n")
    whole.choose(10)
    assert whole.lines() == lines


def test_a_block_is_settled_part_by_part() -> None:
    text = block(b"a\nb\n\nd\n\n", b"of another block\n")
    parts = []
    while True:
        text.choose(2)
        parts.append((text.first_line, text.lines()))
        text.rows = len(text.lines())
        if not text.go_on():
            break
    assert parts == [(1, [b"a", b"b"]), (3, [b"", b"d"]), (5, [b""])]
    assert text.first_line == 6


@pytest.mark.parametrize(
    ("lines", "prefix"),
    [
        (b'{"type": "access", "value": "5 GET', b'{"type": "access", "value": "'),
        (b'{"type":"access","value":"5 GET', b'{"type":"access","value":"'),
        (b'{"type": "change"}\n{"type":"access","value":"5', b'{"type":"access","value":"'),
        (b'{"type": "change", "value": "c"}\n', b""),
        (b'{"value": "5 GET /a 200", "type": "access"}', b""),
        (b"5 GET /a 200", b""),
    ],
)  # fmt: skip
def test_the_prefix_of_a_recorded_stream_is_as_its_writer_spaces_it(
    lines: bytes, prefix: bytes
) -> None:
    assert find_prefix(lines) == prefix
