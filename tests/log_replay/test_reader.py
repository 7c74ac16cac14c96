"""A log comes as blocks of whole lines, in order, scanned, and not too far ahead."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from slomon.core.endpoints import Endpoint
from slomon.core.statuses import server_errors_fail
from slomon.endpoints.discovery import FoundEndpoints, FoundRequests, PythonEndpointNames
from slomon.formats.registry import known_formats
from slomon.kernels.swar import PADDING
from slomon.log_replay.lines import Block, Log
from slomon.log_replay.reader import LogReader, Scan
from slomon.log_replay.survey import LogState
from tests.streams import GUARD_SECONDS

MAX_LINE = 30
PLAIN = next(form for form in known_formats(server_errors_fail) if form.name == "plain")
REQUESTS = FoundRequests(
    FoundEndpoints(PythonEndpointNames(5), Endpoint("", "-", "", "", 0.9, 300))
)


class Recognise:
    """Says in a log's name what it was recognised by."""

    needed = 1

    def __call__(self, name: str, head: bytes) -> Log:
        return Log(
            f"{Path(name).name} by {head!r}",
            *(PLAIN, REQUESTS),
            match_exactly=False,
            recognised=bool(head.strip()),
        )


def choose_all(block: Block) -> None:
    """All lines of a block are one part."""
    block.take(block.length)


@dataclass
class Reading:
    """A log, and how it is to be read."""

    log: LogReader
    block_bytes: int
    depth: int

    def start(self, threads: ThreadPoolExecutor) -> None:
        made = [Block(bytearray()) for _ in range(self.depth)]
        self.log.start(threads, made, lambda: self.block_bytes)


def make_log(
    path: Path, scan: Scan = choose_all, block_bytes: int = 0, depth: int = 2, **state: Any
) -> Reading:
    saved = LogState(str(path), **state)
    log = LogReader(
        saved,
        Recognise(),
        scan,
        on_recognised=lambda *_: None,
        max_line=MAX_LINE,
        resumable=True,
    )
    return Reading(log, block_bytes, depth)


def write(folder: Path, *logs: bytes) -> list[Path]:
    paths = [folder / f"{number}.log" for number in range(len(logs))]
    for path, log in zip(paths, logs, strict=True):
        path.write_bytes(log)
    return paths


@asynccontextmanager
async def reading(one: Reading) -> AsyncIterator[LogReader]:
    with ThreadPoolExecutor(2) as threads:
        one.start(threads)
        try:
            yield one.log
        finally:
            one.log.close()


async def blocks(one: Reading) -> AsyncIterator[Block]:
    """All blocks of a log, resolved as `BlockReader` would."""
    async with reading(one) as log:
        while block := await log.next():
            yield block
            block.rows = 1 if block.oversized else len(block.lines())
            block.advance()
            log.release(block)
        assert len(log.end()) == one.depth, "no block is lost"


async def texts(one: Reading) -> list[bytes]:
    return [bytes(block.buffer[: block.length]) async for block in blocks(one)]


async def test_the_blocks_are_the_lines_in_order(tmp_path: Path) -> None:
    lines = [b"%d GET /a 200\n" % number for number in range(100)]
    [path] = write(tmp_path, b"".join(lines)[:-1])
    for size in (0, 50, 1000, 10_000):
        found = await texts(make_log(path, block_bytes=size))
        assert b"".join(found) == b"".join(lines)
        assert all(text.endswith(b"\n") for text in found)
        assert len(found) >= 2 or size == 10_000


async def test_a_block_has_as_many_bytes_as_are_enough_or_one_line(tmp_path: Path) -> None:
    [path] = write(tmp_path, b"a\n" * 10 + b"b" * MAX_LINE + b"\n" + b"c\n")
    found = await texts(make_log(path, block_bytes=6))
    assert [len(text) for text in found] == [6, 6, 6, 2, MAX_LINE + 1, 2]


async def test_lines_are_numbered(tmp_path: Path) -> None:
    [path] = write(tmp_path, b"a\nb\n" * 20 + b"c")
    one = make_log(path)
    numbers = [
        (block.first_line + row, line)
        async for block in blocks(one)
        for row, line in enumerate(block.lines())
    ]
    first = [(number, b"ab"[(number - 1) % 2 :][:1]) for number in range(1, 41)]
    assert numbers == [*first, (41, b"c")]
    assert (one.log.place.offset, one.log.place.lines, one.log.bytes_read) == (81, 41, 81)


async def test_a_log_is_recognised_by_its_first_lines_that_are_not_all_blank(
    tmp_path: Path,
) -> None:
    blank = b"\n" * (MAX_LINE + 1)
    first = b"x\ny\n" + b"z" * 28 + b"\n"
    [path] = write(tmp_path, blank * 2 + first)
    for size in (0, 50, 10_000):
        found = [block.log async for block in blocks(make_log(path, block_bytes=size))]
        assert {log.name for log in found if log.recognised} == {f"0.log by {first!r}"}


async def test_a_log_is_recognised_behind_a_line_that_is_too_long(tmp_path: Path) -> None:
    [path] = write(tmp_path, b"x" * 100_000 + b"\ny\n")
    found = [(block.log.name, block.oversized is None) async for block in blocks(make_log(path))]
    assert found == [("0.log by b''", False), ("0.log by b'y\\n'", True)]


async def test_a_line_that_is_too_long_comes_as_a_fragment_in_its_place(tmp_path: Path) -> None:
    [path] = write(tmp_path, b"a\n" + b"x" * 100 + b"\nb\n")
    found = [(block.oversized, block.length) async for block in blocks(make_log(path))]
    assert [length for _, length in found] == [2, 0, 2]
    fragments = [oversized for oversized, _ in found]
    assert fragments[0] is fragments[2] is None
    assert fragments[1] is not None
    assert fragments[1].length == 100


async def test_every_block_is_scanned_before_it_is_handed_out_and_has_room_behind_it(
    tmp_path: Path,
) -> None:
    def scan(block: Block) -> None:
        assert len(block.buffer) >= block.length + PADDING
        assert threading.current_thread() is not threading.main_thread()
        block.unresolved_count = 77

    [path] = write(tmp_path, b"a\n" * 100 + b"x" * 100)
    async for block in blocks(make_log(path, scan)):
        assert block.unresolved_count == 77


async def test_blocks_keep_their_order_in_whatever_order_they_were_scanned(tmp_path: Path) -> None:
    lines = [b"%d\n" % number for number in range(8)]
    ready = [threading.Event() for _ in lines]
    scanned: list[int] = []

    def scan_even_ones_late(block: Block) -> None:
        number = int(block.buffer[:1])
        if number % 2 == 0:
            assert ready[number + 1].wait(GUARD_SECONDS)
        scanned.append(number)
        ready[number].set()

    [path] = write(tmp_path, b"".join(lines))
    assert await texts(make_log(path, scan_even_ones_late, block_bytes=2, depth=3)) == lines
    assert scanned == [1, 0, 3, 2, 5, 4, 7, 6]


async def test_no_more_is_read_ahead_than_its_depth(tmp_path: Path) -> None:
    scanned = threading.Semaphore(0)
    [path] = write(tmp_path, b"a\n" * 1000)
    async with reading(make_log(path, lambda _: scanned.release(), depth=3)) as log:
        assert await log.next() is not None
        for _ in range(3):
            assert scanned.acquire(timeout=GUARD_SECONDS)
    assert not scanned.acquire(blocking=False)


async def test_a_failure_of_the_scanner_comes_out_in_the_place_of_its_block(tmp_path: Path) -> None:
    def scan(block: Block) -> None:
        if block.buffer[:1] == b"2":
            raise ArithmeticError

    [path] = write(tmp_path, b"1\n2\n3\n")
    async with reading(make_log(path, scan, block_bytes=2)) as log:
        assert await log.next() is not None
        with pytest.raises(ArithmeticError):
            await log.next()


@pytest.mark.parametrize("name", ["missing.log", ""])
async def test_a_log_that_can_not_be_opened_is_a_problem(tmp_path: Path, name: str) -> None:
    one = make_log(tmp_path / name)
    assert await texts(one) == []
    assert one.log.ended
    assert str(tmp_path / name) in str(one.log.problem)


async def test_a_log_that_was_replaced_since_it_was_looked_at_is_a_problem(tmp_path: Path) -> None:
    [path] = write(tmp_path, b"a\n")
    known = Log("0.log", PLAIN, REQUESTS, match_exactly=False, beginning=b"b\n")
    one = make_log(path, log=known)
    assert await texts(one) == []
    assert one.log.problem == (
        f"{path} was replaced after the replay had begun: it begins otherwise"
    )


async def test_of_a_damaged_log_the_good_part_is_read_and_the_problem_reported(
    tmp_path: Path,
) -> None:
    lines = b"".join(b"%d\n" % (number * number) for number in range(2000))
    [path] = write(tmp_path, gzip.compress(lines)[:-20])
    one = make_log(path, block_bytes=1000)
    found = b"".join(await texts(one))
    assert lines.startswith(found)
    assert found
    assert str(one.log.problem).startswith(f"{path}: ")


@pytest.mark.parametrize("resolved", range(12))
async def test_a_log_continues_from_any_place_it_was_in(tmp_path: Path, resolved: int) -> None:
    [path] = write(tmp_path, b"%025d\n" % 7 * 5 + b"%025d\n" % 8 * 4 + b"x" * 50)
    one = make_log(path)
    before = []
    async with reading(one) as log:
        for _ in range(resolved):
            if block := await log.next():
                block.rows = 1
                before.append((bytes(block.buffer[: block.length]), block.oversized))
                block.advance()
                log.release(block)
    again = make_log(path, log=one.log.log, place=one.log.place)
    after = [
        (bytes(block.buffer[: block.length]), block.oversized) async for block in blocks(again)
    ]
    whole = make_log(path)
    assert before + after == [
        (bytes(block.buffer[: block.length]), block.oversized) async for block in blocks(whole)
    ]
    assert again.log.place == whole.log.place
    assert whole.log.place.lines == 10


async def test_a_log_may_be_closed_at_any_moment(tmp_path: Path) -> None:
    [path] = write(tmp_path, b"a\n" * 100)
    for moments in range(200):
        async with reading(make_log(path, lambda _: None)):
            for _ in range(moments):
                await anyio.lowlevel.checkpoint()


async def test_a_log_that_was_read_in_part_does_not_go_on_if_it_is_gone(tmp_path: Path) -> None:
    [path] = write(tmp_path, b"a\n")
    one = make_log(path)
    await texts(one)
    again = make_log(path, log=one.log.log, place=one.log.place)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"0\.log"):
        await texts(again)


async def test_a_log_that_was_read_is_closed(tmp_path: Path) -> None:
    [path] = write(tmp_path, b"a\n" * 100)
    one = make_log(path)
    await texts(one)
    assert one.log.ended
    assert not one.log.is_open
    with pytest.raises(RuntimeError, match="not being read"):
        await one.log.next()


@pytest.mark.slow
async def test_a_log_that_is_closed_is_read_no_more_and_leaves_no_task(tmp_path: Path) -> None:
    [path] = write(tmp_path, b"a\n" * 100_000)
    for taken in range(3):  # of the two blocks that there are
        one = make_log(path, lambda _: None)
        with anyio.fail_after(10):
            async with reading(one) as log:
                for _ in range(taken):
                    await log.next()
        assert one.log.bytes_read < 100_000


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("said", [None, b"", b"a\n", b"a\nb"])
def test_a_log_that_waits_for_a_pipe_ends_when_it_is_closed(
    tmp_path: Path, said: bytes | None, compress: Callable[[bytes], bytes]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    one = make_log(pipe)
    with ExitStack() as stack, ThreadPoolExecutor(2) as threads:
        one.start(threads)
        if said is not None:
            stack.enter_context(pipe.open("wb", buffering=0)).write(compress(said))
        one.log.close()
    assert not one.log.is_open
