"""The cases of the replay benchmark: an access log each, written once per folder."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from peers.process import SCRIPTS, run

MOST_ENDPOINTS: Final = 1_000_000
SLO: Final = "0.99"  # of discovered endpoints


@dataclass(frozen=True, slots=True)
class Case:
    """
    One table of results. All tools read the same files. If the endpoints are `discovered`, only
    slomon discovers them; the other tools get the list.
    """

    name: str
    folder: Path
    lines: int
    endpoints: int
    form: str = "plain"
    compressed: bool = False
    discovered: bool = False

    @property
    def log(self) -> Path:
        return self.folder / ("access.log.gz" if self.compressed else "access.log")

    @property
    def entries(self) -> Path:
        return self.folder / "endpoints.json"


def plain(data: Path, lines: int, endpoints: int) -> Case:
    return Case("plain", data / f"plain-{lines}-{endpoints}", lines, endpoints)


def combined(data: Path, lines: int, endpoints: int) -> Case:
    folder = data / f"combined-{lines}-{endpoints}"
    return Case("combined", folder, lines, endpoints, form="combined")


def json(data: Path, lines: int, endpoints: int) -> Case:
    return Case("json", data / f"json-{lines}-{endpoints}", lines, endpoints, form="json")


def compressed(data: Path, lines: int, endpoints: int) -> Case:
    folder = data / f"plain-{lines}-{endpoints}"
    return Case("compressed", folder, lines, endpoints, compressed=True)


def discovered(data: Path, lines: int, _: int) -> Case:
    folder = data / f"discovered-{lines}-{MOST_ENDPOINTS}"
    return Case("discovered", folder, lines, MOST_ENDPOINTS, discovered=True)


CASES: Final = {make.__name__: make for make in (plain, combined, json, compressed, discovered)}


def prepare(case: Case) -> None:
    """Write the files that don't exist yet."""
    if not case.folder.exists():
        _write_log(case)
    if not case.log.exists():
        _compress(case)


def _write_log(case: Case) -> None:
    if importlib.util.find_spec("numpy") is None:
        sys.exit("numpy makes the data and is not installed: pip install numpy")
    options = [f"--lines={case.lines}", f"--endpoints={case.endpoints}", f"--format={case.form}"]
    if case.discovered:
        options.append(f"--slo={SLO}")
    run([sys.executable, str(SCRIPTS / "bench.py"), "data", str(case.folder), *options])


def _compress(case: Case) -> None:
    temporary = case.log.with_suffix(".tmp")
    with temporary.open("wb") as file:
        subprocess.run(["gzip", "-c", str(case.log.with_suffix(""))], stdout=file, check=True)
    temporary.rename(case.log)
