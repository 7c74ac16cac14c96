"""What is settled between the blocks without the careful reader, and what is left to it."""

from __future__ import annotations

import pytest

from slomon.compiled.backend import CompiledBackend
from slomon.compiled.request_table import Table
from slomon.kernels.resolve import is_plain
from slomon.kernels.route import LONGEST
from slomon.kernels.scan import PADDING
from slomon.log_replay.lines import Block
from tests.compiled.kernels import SPEEDS
from tests.compiled.reading import Opened, Reading, found, given_by_template

PLAIN = (b"GET /a", b"get /", b"PATCH /~ana/!", b"Z /z{id}", b"GET /users/7", b"GET //a")
LONG = b"GET /" + b"a" * (LONGEST - 5)
OTHERS = (
    *(b"GET a", b"GET  /a", b"GET", b"G-T /a", b"1 /a", b"GET *", b"@ /a", b"[ /a", b"` /a"),
    *(
        b"{ /a",
        b'GET /"',
        b"GET /#",
        b"GET /?",
        b"GET /\\",
        b"GET /\x7f",
        b"GET /\x1f",
        b"GET /\xff",
    ),
    *(LONG + b"a", b" /a", b"GET /a ", b"GET /a /b"),
)


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_plain_request_to_what_is_found_needs_no_careful_reader(speed: Opened) -> None:
    for text in (*PLAIN, LONG, *OTHERS):
        settled = text not in OTHERS
        assert bool(is_plain(text, 0, len(text)) and len(text) <= LONGEST) is settled, text
        line = b"5 " + text + b" 500\n"
        with speed() as library:
            reading = Reading(CompiledBackend(library), found)
            block = Block(bytearray(line * 2 + bytes(PADDING)), length=2 * len(line))
            block.log = reading.log("plain", b"", exact=True)
            reading.settler.scan(block)
            table = reading.names
            assert isinstance(table, Table)
            stopped = table.settle(block.buffer, block.odd, 0, block.odds, block.codes)
            assert (block.odds, stopped) == (2, 2 if settled else 0), text
            if settled:
                assert block.codes[:2].tolist() == [1, 1], text
                assert len(table) == 1, text


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_given_request_needs_a_careful_reader_once(speed: Opened) -> None:
    line = b"5 GET /nobody/watches/this 500\n"
    with speed() as library:
        reading = Reading(CompiledBackend(library), given_by_template)
        block = Block(bytearray(line * 2 + bytes(PADDING)), length=2 * len(line))
        block.log = reading.log("plain", b"", exact=False)
        table = Table(library)
        reading.settler.scan(block)
        columns = block.buffer, block.odd, 0, block.odds, block.codes
        assert table.settle(*columns) == 0
        table.learn(b"GET /nobody/watches/this", 7 << 1)
        assert table.settle(*columns) == 2
        assert block.codes[:2].tolist() == [7 << 1 | 1] * 2
