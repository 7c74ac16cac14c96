"""
The careful reader: every line is a row, a blank or told, and it alone says which.

Blocks of a log's lines, and what stands at its beginning.
"""

from __future__ import annotations

import pytest

from slomon.core.endpoints import Catalogue
from slomon.core.events import Change, RejectedLine
from slomon.core.reorder import Order, PythonRowBuffer
from slomon.core.statuses import server_errors_fail
from slomon.endpoints.discovery import GivenRequests
from slomon.formats.registry import known_formats
from slomon.kernels.codes import BLANK, NO_TICK, REJECTED, UNMATCHED, access_code, change_code
from slomon.log_replay.lines import Block, Log, ReferenceParser, find_prefix
from slomon.sources.source import OversizedLine

SECOND = 1_000_000_000
FORMATS = {form.name: form for form in known_formats(server_errors_fail)}
CATALOGUE = Catalogue(
    [{"name": "shop", "email": "-", "verb": "GET", "resource": "/a", "slo": 0.9, "window": 5}]
)
END = b'{"type": "end-of-stream"}'


def change_line(service: str) -> bytes:
    value = f"commit: c1\\nAuthor: <a@x.org>\\nDate: today\\nService: {service}"
    return f'{{"type": "change", "value": "{value}"}}'.encode()


class Careful:
    """A careful reader of one log, and what it tells."""

    def __init__(self, name: str = "plain") -> None:
        self.order = Order(1, PythonRowBuffer(1))
        self.told: list[RejectedLine] = []
        self.reader = ReferenceParser(self.order, self.told.append)
        requests = GivenRequests(CATALOGUE.endpoints, CATALOGUE.find)
        self.log = Log("access.log", FORMATS[name], requests, match_exactly=True)

    def block(self, text: bytes, first_line: int = 1) -> Block:
        block = Block(bytearray(text), length=len(text), first_line=first_line)
        block.log = self.log
        return block

    def resolve(self, text: bytes, first_line: int = 1) -> list[tuple[int, int]]:
        block = self.block(text, first_line)
        self.reader.scan(block)
        self.reader.resolve(block)
        assert block.rows == len(block.ticks) == len(block.codes)
        return list(zip(block.ticks, block.codes, strict=True))


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (b"5 GET /a 200", (5 * SECOND, access_code(0, failed=False))),
        (b"5 GET /a 500", (5 * SECOND, access_code(0, failed=True))),
        (b"5 GET /a 200\r", (5 * SECOND, access_code(0, failed=False))),
        (b"5 GET /b 200", (5 * SECOND, UNMATCHED)),
        (b"5 GET /b 500", (5 * SECOND, UNMATCHED)),
        (b"", (NO_TICK, BLANK)),
        (b" \t\r", (NO_TICK, BLANK)),
        (b"\xe2\x80\xa8", (NO_TICK, BLANK)),
        (b"what?", (NO_TICK, REJECTED)),
        (b"5 GET /a 200\r\r", (NO_TICK, REJECTED)),
        (b"\xff", (NO_TICK, REJECTED)),
        (b"5 GET /a 0", (NO_TICK, REJECTED)),
    ],
)
def test_a_line_is_a_row(line: bytes, row: tuple[int, int]) -> None:
    assert Careful().resolve(line + b"\n") == [row]


def test_lines_are_counted_and_what_is_rejected_is_reported_with_its_number_and_its_text() -> None:
    reference = Careful()
    assert len(reference.resolve(b"what?\r\n\n5 GET /a 200\n\xff\n", first_line=7)) == 4
    allowed = "it has fields: 1; allowed: '<timestamp> <verb> <resource> <status>'"
    assert reference.told == [
        RejectedLine("access.log", 7, "what?\r", allowed),
        RejectedLine("access.log", 10, "\\xff", allowed),
    ]
    assert (reference.reader.rejected, reference.reader.changes) == (2, 0)


def test_a_fragment_is_one_row_and_reported() -> None:
    reference = Careful()
    block = reference.block(b"")
    block.oversized = OversizedLine(b"5 GET /\xff", 2_000_000, "it is too long")
    reference.reader.resolve(block)
    assert (list(block.ticks), list(block.codes), block.rows) == ([NO_TICK], [REJECTED], 1)
    assert reference.told == [RejectedLine("access.log", 1, "5 GET /\\xff", "it is too long")]


def test_a_change_is_noted_if_anything_is_of_its_service() -> None:
    reference = Careful("events")
    text = b"".join(change_line(name) + b"\n" for name in ("shop", "nobody", "shop"))
    assert reference.resolve(text) == [
        (NO_TICK, change_code(0)),
        (NO_TICK, UNMATCHED),
        (NO_TICK, change_code(1)),
    ]
    assert reference.reader.changes == 2
    assert reference.order.changes == {
        change_code(number): Change("c1", "<a@x.org>", "today", "shop") for number in (0, 1)
    }


def test_what_follows_the_end_of_a_stream_is_rejected_in_every_later_block() -> None:
    reference = Careful("events")
    access = b'{"type": "access", "value": "5 GET /a 200"}'
    first = reference.resolve(b"\n".join([access, END, access, b"", END, b""]))
    assert [code for _, code in first] == [0, BLANK, REJECTED, BLANK, REJECTED]
    assert [code for _, code in reference.resolve(access + b"\n\n", 6)] == [REJECTED, BLANK]
    assert [(bad.line, bad.reason) for bad in reference.told] == [
        (line, "it follows the end-of-stream") for line in (3, 5, 6)
    ]


def test_the_rest_of_a_block_may_be_resolved_behind_what_was_scanned() -> None:
    reference = Careful()
    block = reference.block(b"5 GET /a 200\n6 GET /a 500\nwhat?\n", first_line=4)
    block.take(3)
    block.ticks.extend([1, 2, 3, 4, 5])
    block.codes.extend([11, 12, 13, 14, 15])
    reference.reader.resolve_rest(block, 1)
    assert block.ticks.tolist() == [1, 6 * SECOND, NO_TICK]
    assert block.codes.tolist() == [11, 1, REJECTED]
    assert block.rows == 3
    assert [bad.line for bad in reference.told] == [6]


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
    whole.take(10)
    assert whole.lines() == lines


def test_a_block_is_resolved_part_by_part() -> None:
    text = block(b"a\nb\n\nd\n\n", b"of another block\n")
    parts = []
    while True:
        text.take(2)
        parts.append((text.first_line, text.lines()))
        text.rows = len(text.lines())
        if not text.advance():
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
