"""The answer never depends on how the bytes of a log arrive: as a file, or bit by bit in a pipe."""

from __future__ import annotations

import fcntl
import gzip
import os
import select
import struct
import sys
import termios
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import IO

import pytest

from slomon import ConfigurationError, replay
from slomon.sources.source import MAX_LINE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes")

ACCESSES = b"".join(
    b"%d GET /a %d\n" % (1000 + n, 500 if 300 < n < 400 else 200) for n in range(900)
)
BANNER = b"# this is my log\n"
TOO_LONG = b"x" * (MAX_LINE + 1) + b"\n"


def answer(*paths: Path) -> object:
    """All that a replay says of logs, or why it takes none."""
    try:
        monitor = replay(paths)
    except ConfigurationError as error:
        return str(error).removeprefix(str(paths[-1]))
    rejected = [(line.line, line.text[:20], line.reason) for line in monitor.rejections]
    return [monitor.mttr(), monitor.incident_details(), asdict(monitor.accounting), rejected]


def say(pipe: Path, pieces: Sequence[bytes]) -> None:
    """Write pieces, each when all before it were read, as long as there is somebody who reads."""
    with suppress(BrokenPipeError), pipe.open("wb", buffering=0) as writer:
        reader_gone = select.poll()
        reader_gone.register(writer, 0)
        for piece in pieces:
            writer.write(piece)
            while count_unread(writer) and not reader_gone.poll(0):
                os.sched_yield()


def count_unread(pipe: IO[bytes]) -> int:
    [count] = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))
    return int(count)


def answer_bit_by_bit(pipe: Path, text: bytes) -> object:
    """The same of a pipe that hands on a few bytes, then a line, then some, and then the rest."""
    second = text.find(b"\n", 3) + 1
    cuts = sorted({0, 3, second, second + 500, second + 3000, len(text)})
    os.mkfifo(pipe)
    writer = threading.Thread(target=say, args=[pipe, [text[a:b] for a, b in pairwise(cuts)]])
    writer.start()
    found = answer(pipe)
    writer.join(timeout=30)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("before", "rejected"),
    [
        (b"", 0),
        (BANNER, 1),
        (b"\n  \n\r\n" + BANNER * 3, 3),
        (b"\n" * 100_000 + BANNER, 1),
        (TOO_LONG + BANNER, 2),
        (b"\n" + TOO_LONG * 2, 2),
    ],
    ids=["access", "banner", "blank", "many blank", "too long", "too long twice"],
)
def test_a_log_that_begins_badly_is_read(
    tmp_path: Path, before: bytes, rejected: int, compress: Callable[[bytes], bytes]
) -> None:
    text, path = compress(before + ACCESSES), tmp_path / "a.log"
    path.write_bytes(text)
    found = answer(path)
    assert isinstance(found, list)
    assert found[2]["rejected"] == rejected
    assert found[2]["accesses"] == 900
    assert answer_bit_by_bit(tmp_path / "pipe", text) == found


def test_a_log_without_requests_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"\n" + BANNER * 100)
    found = answer(path)
    assert isinstance(found, str)
    assert found.startswith(": no format reads line 1 of its first lines, '# this is my log': it h")
    assert answer_bit_by_bit(tmp_path / "pipe", path.read_bytes()) == found


def test_a_log_of_lines_that_are_all_too_long_is_one_of_rejected_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(TOO_LONG * 2)
    found = answer(path)
    assert isinstance(found, list)
    assert [line for line, *_ in found[3]] == [1, 2]
