"""
Compares the scanner with the reference parser. Run by hand, from the checkout:

    python scripts/fuzz.py --lines 1000000 --seed 1    damaged real lines, compiled kernels
    python scripts/fuzz.py --layouts --lines 1000000   damaged lines of many layouts, some wrapped
    python scripts/fuzz.py --guided --seconds 600      guided by coverage, plain Python kernels

The last needs atheris, and keeps inputs that reached new code in the folder --corpus. All stop
at the first disagreement, or at the first line that is not accounted for, and print the fewest
lines that reproduce it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from slomon.core.endpoints import Endpoint  # noqa: E402 (found in the checkout)
from tests.compiled.kernels import (  # noqa: E402
    Opened,
    compiled_kernels,
    uncompiled_kernels,
)
from tests.compiled.reading import (  # noqa: E402
    GIVEN,
    found,
    given_by_template,
    given_exactly,
    read_at,
)
from tests.formats.json_texts import JSON  # noqa: E402
from tests.formats.layouts import LAYOUTS, TABLES, random_layout_lines  # noqa: E402
from tests.formats.lines import SCANNED, damage, random_lines  # noqa: E402
from tests.formats.wrapped_lines import WRAPPED  # noqa: E402
from tests.log_replay import replays  # noqa: E402

SAMPLES = {
    "plain": ("plain.log",),
    "events": ("events.jsonl",),
    "combined": (
        *("apache_combined.log", "apache_common.log", "nginx_combined.log", "odd.log"),
        *("ingress_nginx.log", "traefik.log", "vhost_combined.log", "wrapped.log", "invalid.log"),
    ),
}
FEW = 5  # endpoints
# How requests are matched, whether exactly, and the most endpoints that may be discovered.
KNOWN = [
    *((given_exactly, True, 0), (given_by_template, False, 0)),
    *((found, False, 1000), (found, False, FEW), (found, True, 1000)),
]
# Beginnings of logs. A format may be detected only at the first access.
HEADS = (b"", b"\n" * 2000, b'{"type": "change", "value": "commit: c"}\n' * 50)
BLOCK = 500  # lines
REPLAY_EVERY = 20  # one block of this many is replayed as files

Lines = Sequence[bytes]
Check = Callable[[Lines], None]


def fuzz_lines(count: int, seed: int) -> None:
    """Check damaged lines in every format and with every way of matching requests."""
    rng = random.Random(seed)
    pools = {name: read_samples(name) for name in SCANNED}
    begin = time.monotonic()
    done = 0
    for number in range(-(-count // BLOCK)):
        name, known = rng.choice(SCANNED), rng.choice(KNOWN)
        lines = [draw_line(rng, name, pools) for _ in range(BLOCK)]
        check = (
            replay_check(name, rng)
            if number % REPLAY_EVERY == 0
            else read_check(name, known, compiled_kernels)
        )
        attempt(check, lines, f"seed {seed}, block {number}: {name}, {known}")
        done += len(lines)
        if number % 100 == 0:
            print(f"{done} lines, {time.monotonic() - begin:.0f} s", flush=True)
    print(f"{done} lines, no disagreement, {time.monotonic() - begin:.0f} s")


def fuzz_layouts(count: int, seed: int) -> None:
    """Check lines of layouts, tables and JSON logs, wrapped or not, with all ways of matching."""
    rng = random.Random(seed)
    begin = time.monotonic()
    names = (*LAYOUTS, *TABLES, *JSON, *WRAPPED)
    for number in range(-(-count // BLOCK)):
        name = names[number % len(names)]
        # A scanner ends a block at a line in parts. With few endpoints, the codes of the accesses
        # that are not counted depend on where blocks end.
        known = rng.choice([one for one in KNOWN if one[2] != FEW or name not in WRAPPED])
        lines = random_layout_lines(rng, name, BLOCK)
        what = f"seed {seed}, block {number}: {name}, {known}"
        attempt(read_check(name, known, compiled_kernels), lines, what)
        if number % 100 == 99:
            done, seconds = (number + 1) * BLOCK, time.monotonic() - begin
            print(f"{done} lines, {seconds:.0f} s", flush=True)
    print(f"{count} lines, no disagreement, {time.monotonic() - begin:.0f} s")


def read_samples(name: str) -> list[bytes]:
    folder = ROOT / "tests" / "data" / "samples"
    return [line for file in SAMPLES[name] for line in (folder / file).read_bytes().split(b"\n")]


def draw_line(rng: random.Random, name: str, pools: dict[str, list[bytes]]) -> bytes:
    """A real or a generated line, damaged a few times or joined with a part of another."""
    if rng.random() < 0.3:
        [line] = random_lines(rng, name, 1)
    else:
        line = rng.choice(pools[name])
    if rng.random() < 0.1:
        other = rng.choice(pools[rng.choice(SCANNED)])
        line = line[: rng.randrange(len(line) + 1)] + other[rng.randrange(len(other) + 1) :]
    for _ in range(rng.choice((0, 0, 1, 1, 2, 5))):
        line = damage(rng.choice, line)
    return line.replace(b"\n", b"")


def read_check(name: str, known: tuple[Any, bool, int], backend: Opened) -> Check:
    """A check that compares the rows of lines, which are read in blocks of four sizes."""
    requests, match_exactly, most = known

    def check(lines: Lines) -> None:
        ends = [0, 1, len(lines) // 10, len(lines) // 2, len(lines)]
        blocks = [lines[start:end] for start, end in pairwise(ends)]
        read_at(backend, requests, (name, match_exactly, blocks), most=most)

    return check


def replay_check(name: str, rng: random.Random) -> Check:
    """A check that compares the reports of replays of logs, cut into blocks."""
    defaults = Endpoint("", "-", "", "", 0.9, 5 * 10**9)
    options: dict[str, Any] = rng.choice(
        (
            {"endpoints": GIVEN, "match_exactly": True},
            {"defaults": defaults},
            {"defaults": defaults, "max_endpoints": 3},
        )
    )
    options["lateness"] = rng.choice((None, 0, 10**9))
    ways = [(1, 1 << 17), (rng.choice((1, 2, 3)), rng.choice((301, 1000, 10_000)))]
    count, head = rng.choice((1, 1, 2, 3)), rng.choice(HEADS)

    def check(lines: Lines) -> None:
        # Not lines that begin like compressed data.
        shown = [line if line[:1].isdigit() else b" " + line for line in lines]
        logs = [head + b"\n".join(shown[number::count]) for number in range(count)]
        reports = {
            replays.told(
                *(backend, logs, name),
                **options,
                workers=workers,
                block_bytes=count * block_bytes,
                max_line=300,
            ).report()
            for backend in (replays.python_backend, replays.compiled_backend)
            for workers, block_bytes in ways
        }
        assert len(reports) == 1, "the reports differ"

    return check


def attempt(check: Check, lines: Lines, what: str) -> None:
    """Check lines. If the check fails, exit with the fewest lines that fail."""
    if fails(check, lines) is None:
        return
    lines = shrink(check, lines)
    shown = "\n".join(map(repr, lines))
    sys.exit(f"{what}:\n{shown}\n{fails(check, lines)!r}")


def shrink(check: Check, lines: Lines) -> Lines:
    """Remove smaller and smaller groups of lines as long as the rest still fails."""
    size = len(lines) // 2
    while size:
        start = 0
        while start < len(lines):
            fewer = [*lines[:start], *lines[start + size :]]
            if fails(check, fewer):
                lines = fewer
            else:
                start += size
        size //= 2
    return lines


def fails(check: Check, lines: Lines) -> Exception | None:
    try:
        check(lines)
    except Exception as error:  # noqa: BLE001 (any exception is a finding)
        return error
    return None


def fuzz_guided(seconds: int, corpus: Path) -> None:
    """Check lines of any bytes, guided by coverage of the kernels and the reference parser."""
    try:
        atheris = import_module("atheris")
    except ModuleNotFoundError:
        sys.exit("--guided needs atheris: pip install atheris")
    corpus.mkdir(parents=True, exist_ok=True)
    for name in SCANNED:
        for number, line in enumerate(read_samples(name)):
            (corpus / f"{name}{number}").write_bytes(bytes([SCANNED.index(name)]) + line)
    atheris.instrument_all()
    rng = random.Random(0)

    def test_one_input(data: bytes) -> None:
        if not data:
            return
        name, known = SCANNED[data[0] % 3], KNOWN[data[0] // 3 % len(KNOWN)]
        lines = data[1:].split(b"\n")
        if data[0] >= 240:  # a whole replay takes as long as hundreds of lines
            replay_check(name, rng)(lines)
        read_check(name, known, uncompiled_kernels)(lines)

    options = [f"-max_total_time={seconds}", "-max_len=600", "-timeout=60"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], test_one_input)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0].strip())
    parser.add_argument("--lines", type=int, default=100_000, help="number of lines to check")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layouts", action="store_true", help="check lines of layouts")
    parser.add_argument("--guided", action="store_true", help="guide by coverage; needs atheris")
    parser.add_argument("--seconds", type=int, default=60, help="duration with --guided")
    parser.add_argument("--corpus", type=Path, default=Path("fuzz-corpus"))
    arguments = parser.parse_args()
    if arguments.guided:
        fuzz_guided(arguments.seconds, arguments.corpus)
    elif arguments.layouts:
        fuzz_layouts(arguments.lines, arguments.seed)
    else:
        fuzz_lines(arguments.lines, arguments.seed)


if __name__ == "__main__":
    main()
