"""A host's logs come as blocks of whole lines, in order, scanned, and not too far ahead."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from slomon.core.endpoints import Endpoint
from slomon.core.statuses import server_errors_fail
from slomon.endpoints.discovery import FoundEndpoints, FoundRequests, PythonEndpointNames
from slomon.formats.registry import known_formats
from slomon.kernels.scan import PADDING
from slomon.log_replay.lines import Block, Log, LogPosition
from slomon.log_replay.reader import Host, Scan

MAX_LINE = 30
PLAIN = next(form for form in known_formats(server_errors_fail) if form.name == "plain")
REQUESTS = FoundRequests(
    FoundEndpoints(PythonEndpointNames(5), Endpoint("", "-", "", "", 0.9, 300))
)


class Recognise:
    """Tells in a log's name what it was recognised by."""

    needed = 1

    def __call__(self, name: str, head: bytes, before: Log | None) -> Log:
        return Log(
            f"{Path(name).name} by {head!r} after {before and before.name[:1]}",
            *(PLAIN, REQUESTS),
            match_exactly=False,
            recognised=bool(head.strip()),
        )


def choose_all(block: Block) -> None:
    """All lines of a block are one part."""
    block.take(block.length)


def make_host(
    paths: Sequence[Path], scan: Scan = choose_all, block_bytes: int = 0, depth: int = 2
) -> Host:
    return Host(
        *([str(path) for path in paths], Recognise(), scan),
        block_bytes=block_bytes,
        max_line=MAX_LINE,
        depth=depth,
    )


def write(folder: Path, *logs: bytes) -> list[Path]:
    paths = [folder / f"{number}.log" for number in range(len(logs))]
    for path, log in zip(paths, logs, strict=True):
        path.write_bytes(log)
    return paths


@asynccontextmanager
async def reading(host: Host) -> AsyncIterator[Host]:
    async with anyio.create_task_group() as group:
        host.start(group, anyio.CapacityLimiter(2))
        yield host
        host.close()


async def blocks(host: Host) -> AsyncIterator[Block]:
    """All blocks of a host, settled as a reader would."""
    async with reading(host):
        while block := await host.next():
            yield block
            block.rows = 1 if block.oversized else len(block.lines())
            block.advance()
            host.release(block)


async def texts(host: Host) -> list[bytes]:
    return [bytes(block.buffer[: block.length]) async for block in blocks(host)]


async def test_the_blocks_are_the_lines_of_all_logs_in_order(tmp_path: Path) -> None:
    lines = [b"%d GET /a 200\n" % number for number in range(100)]
    paths = write(tmp_path, b"".join(lines[:60]), b"", b"".join(lines[60:])[:-1])
    for size in (0, 50, 1000, 10_000):
        found = await texts(make_host(paths, block_bytes=size))
        assert b"".join(found) == b"".join(lines)
        assert all(text.endswith(b"\n") for text in found)
        assert len(found) >= 2


async def test_lines_are_numbered_in_each_log_and_counted_over_all(tmp_path: Path) -> None:
    paths = write(tmp_path, b"a\nb\n" * 20, b"c\nd")
    host = make_host(paths)
    numbers = [
        (block.end.file, block.first_line + row, line)
        async for block in blocks(host)
        for row, line in enumerate(block.lines())
    ]
    first = [(0, number, b"ab"[(number - 1) % 2 :][:1]) for number in range(1, 41)]
    assert numbers == [*first, (1, 1, b"c"), (1, 2, b"d")]
    assert host.lines == 42
    assert (host.place.file, host.place.offset, host.place.lines) == (1, 3, 2)
    assert host.bytes_read == 83


async def test_a_log_is_recognised_by_its_first_lines_that_are_not_all_blank(
    tmp_path: Path,
) -> None:
    blank = b"\n" * (MAX_LINE + 1)
    first = b"x\ny\n" + b"z" * 28 + b"\n"
    paths = write(tmp_path, blank * 2 + first, b"w\n")
    for size in (0, 50, 10_000):
        found = [block.log async for block in blocks(make_host(paths, block_bytes=size))]
        assert {log.name for log in found if log.recognised} == {
            f"0.log by {first!r} after None",
            "1.log by b'w\\n' after 0",
        }


async def test_a_log_is_recognised_behind_a_line_that_is_too_long(tmp_path: Path) -> None:
    [path] = write(tmp_path, b"x" * 100_000 + b"\ny\n")
    found = [(block.log.name, block.oversized is None) async for block in blocks(make_host([path]))]
    assert found == [("0.log by b'' after None", False), ("0.log by b'y\\n' after None", True)]


async def test_a_line_that_is_too_long_comes_as_a_fragment_in_its_place(tmp_path: Path) -> None:
    paths = write(tmp_path, b"a\n" + b"x" * 100 + b"\nb\n")
    found = [(block.oversized, block.length) async for block in blocks(make_host(paths))]
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

    paths = write(tmp_path, b"a\n" * 100, b"x" * 100)
    async for block in blocks(make_host(paths, scan)):
        assert block.unresolved_count == 77


async def test_no_more_is_read_ahead_than_its_depth(tmp_path: Path) -> None:
    scanned: list[LogPosition] = []
    paths = write(tmp_path, b"a\n" * 1000)
    host = make_host(paths, lambda block: scanned.append(block.end), depth=3)
    async with reading(host):
        for _ in range(100):
            await anyio.lowlevel.checkpoint()
        block = await host.next()
        assert block is not None
        await anyio.wait_all_tasks_blocked()
        assert len(scanned) <= 3


async def test_a_log_that_can_not_be_opened_is_a_problem_and_the_others_are_read(
    tmp_path: Path,
) -> None:
    first, last = write(tmp_path, b"a\n", b"b\n")
    host = make_host([first, tmp_path / "missing.log", tmp_path, last])
    assert await texts(host) == [b"a\n", b"b\n"]
    missing, folder = host.problems
    assert "missing.log" in missing
    assert str(tmp_path) in folder


async def test_of_a_damaged_log_the_good_part_is_read_and_the_problem_reported(
    tmp_path: Path,
) -> None:
    lines = b"".join(b"%d\n" % (number * number) for number in range(2000))
    paths = write(tmp_path, gzip.compress(lines)[:-20], b"b\n")
    host = make_host(paths, block_bytes=1000)
    found = b"".join(await texts(host))
    assert found.endswith(b"\nb\n")
    assert lines.startswith(found[: found.rindex(b"\n", 0, -3) - 20])
    [problem] = host.problems
    assert problem.startswith(f"{paths[0]}: ")


@pytest.mark.parametrize("resolved", range(12))
async def test_a_host_continues_from_any_place_it_was_in(tmp_path: Path, resolved: int) -> None:
    paths = write(tmp_path, b"%025d\n" % 7 * 5, b"", b"%025d\n" % 8 * 4 + b"x" * 50)
    host = make_host(paths)
    before = []
    async with reading(host):
        for _ in range(resolved):
            if block := await host.next():
                block.rows = 1
                before.append((bytes(block.buffer[: block.length]), block.oversized))
                block.advance()
                host.release(block)
    again = make_host(paths)
    again.place, again.log, again.lines = host.place, host.log, host.lines
    after = [
        (bytes(block.buffer[: block.length]), block.oversized) async for block in blocks(again)
    ]
    whole = make_host(paths)
    assert before + after == [
        (bytes(block.buffer[: block.length]), block.oversized) async for block in blocks(whole)
    ]
    assert again.lines == whole.lines == 10
    assert again.place == whole.place


async def test_a_host_may_be_closed_at_any_moment(tmp_path: Path) -> None:
    paths = write(tmp_path, b"a\n" * 100, b"b\n", b"", b"c\n")
    for moments in range(200):
        host = make_host(paths, lambda _: None)
        async with reading(host):
            for _ in range(moments):
                await anyio.lowlevel.checkpoint()


async def test_a_host_does_not_go_on_without_the_log_that_it_was_in(tmp_path: Path) -> None:
    paths = write(tmp_path, b"a\n", b"b\n")
    host = make_host(paths)
    await texts(host)
    again = make_host(paths)
    again.place, again.log = host.place, host.log
    paths[1].unlink()
    with pytest.RaisesGroup(pytest.RaisesExc(FileNotFoundError, match=r"1\.log")):
        await texts(again)


async def test_a_host_that_is_closed_reads_no_more_and_leaves_no_task(tmp_path: Path) -> None:
    paths = write(tmp_path, b"a\n" * 100_000)
    for taken in range(3):  # of the two blocks that there are
        host = make_host(paths, lambda _: None)
        with anyio.fail_after(10):
            async with reading(host):
                for _ in range(taken):
                    await host.next()
        assert host.bytes_read < 100_000


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("said", [None, b"", b"a\n", b"a\nb"])
@pytest.mark.parametrize("closed", [False, True], ids=["cancelled", "closed"])
def test_a_host_that_waits_for_a_pipe_ends_when_it_is_closed(
    tmp_path: Path, closed: bool, said: bytes | None, compress: Callable[[bytes], bytes]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threads = set(threading.enumerate())

    async def wait(host: Host) -> None:
        with ExitStack() as stack, anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                host.start(group, anyio.CapacityLimiter(2))
                if said is not None:
                    writer = await anyio.to_thread.run_sync(lambda: pipe.open("wb", buffering=0))
                    stack.enter_context(writer).write(compress(said))
                await anyio.wait_all_tasks_blocked()
                if closed:
                    host.close()
                else:
                    group.cancel_scope.cancel()
        host.close()

    anyio.run(wait, make_host([pipe]))
    for left in set(threading.enumerate()) - threads:
        left.join(timeout=30)
    assert set(threading.enumerate()) <= threads
