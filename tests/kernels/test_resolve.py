"""Which lines are resolved without the reference parser, and which are left to it."""

from __future__ import annotations

import pytest

from slomon.compiled.backend import CompiledBackend
from slomon.compiled.request_table import CompiledEndpointNames
from slomon.kernels.line import is_plain
from slomon.kernels.route import LONGEST
from slomon.kernels.swar import PADDING
from slomon.log_replay.lines import Block
from tests.compiled.kernels import BACKENDS, Opened
from tests.compiled.reading import BlockReading, found, given_by_template

PLAIN = (
    b"GET /;a",
    b"GET /a",
    b"get /",
    b"PATCH /~ana/!",
    b"Z /z{id}",
    b"GET /users/7",
    b"GET //a",
    b"A" * 62 + b" /a",
    b"GET /" + b"a" * 100 + b"/7",
)
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
    *(
        LONG + b"a",
        b" /a",
        b"GET /a ",
        b"GET /a /b",
        b"A" * 63 + b" /a",
        b"GET /" + b"a" * 100 + b"#",
    ),
)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_plain_request_to_a_found_endpoint_needs_no_reference_parser(backend: Opened) -> None:
    for text in (*PLAIN, LONG, *OTHERS):
        resolved = text not in OTHERS
        assert bool(is_plain(text, 0, len(text)) and len(text) <= LONGEST) is resolved, text
        line = b"5 " + text + b" 500\n"
        with backend() as library:
            reading = BlockReading(CompiledBackend(library), found)
            block = Block(bytearray(line * 2 + bytes(PADDING)), length=2 * len(line))
            block.log = reading.log("plain", b"", match_exactly=True)
            reading.settler.scan(block)
            table = reading.names
            assert isinstance(table, CompiledEndpointNames)
            stopped = table.resolve(
                block.buffer,
                block.requests,
                block.unresolved,
                0,
                block.unresolved_count,
                block.codes,
            )
            assert (block.unresolved_count, stopped) == (2, 2 if resolved else 0), text
            if resolved:
                assert block.codes[:2].tolist() == [1, 1], text
                assert len(table) == 1, text


def test_a_host_before_the_path_is_plain() -> None:
    for text in (b"GET a.b-c_9\n/", b"put 10.0.0.1\n/a;b"):
        assert is_plain(text, 0, len(text)), text
    for text in (b"GET \n/", b"GET A\n/", b"GET a\n", b"GET a\nb", b"GET a\n\n/", b"GET a b\n/"):
        assert not is_plain(text, 0, len(text)), text


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_request_to_a_given_endpoint_needs_the_reference_parser_once(backend: Opened) -> None:
    line = b"5 GET /nobody/watches/this 500\n"
    with backend() as library:
        reading = BlockReading(CompiledBackend(library), given_by_template)
        block = Block(bytearray(line * 2 + bytes(PADDING)), length=2 * len(line))
        block.log = reading.log("plain", b"", match_exactly=False)
        table = CompiledEndpointNames(library)
        reading.settler.scan(block)
        columns = (
            block.buffer,
            block.requests,
            block.unresolved,
            0,
            block.unresolved_count,
            block.codes,
        )
        assert table.resolve(*columns) == 0
        table.learn(b"GET /nobody/watches/this", 7 << 1)
        assert table.resolve(*columns) == 2
        assert block.codes[:2].tolist() == [7 << 1 | 1] * 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_table_without_room_is_left_to_who_can_make_some(backend: Opened) -> None:
    requests = [b"GET /x%d" % number for number in range(3000)]
    text = b"".join(b"5 %b 500\n" % request for request in requests)
    with backend() as library:
        reading = BlockReading(CompiledBackend(library), found)
        table = CompiledEndpointNames(library, 5000)
        block = Block(bytearray(text + bytes(PADDING)), length=len(text))
        block.log = reading.log("plain", b"", match_exactly=True)
        reading.settler.scan(block)
        columns = (
            block.buffer,
            block.requests,
            block.unresolved,
            0,
            block.unresolved_count,
            block.codes,
        )
        stopped = table.resolve(*columns)
        assert (len(table), block.unresolved_count) == (stopped, 3000)
        assert 0 < stopped < 3000
        assert [table.key(request) for request in requests] == list(range(3000))
