"""The tools to measure: slomon, its alternatives, and `wc`, which merely reads each byte."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from peers.case import MOST_ENDPOINTS, SLO, Case
from peers.process import SCRIPTS


@dataclass(frozen=True, slots=True)
class Tool:
    """
    `command` returns the command line for a case and the file to write the incidents to. `forms`
    are those of the logs that the tool reads; None if it reads all.
    """

    name: str
    command: Callable[[Case, Path], list[str]]
    answers: bool = True
    needs: str | None = None
    forms: tuple[str, ...] | None = None

    def reads(self, case: Case) -> bool:
        return self.forms is None or case.form in self.forms


def explain_missing(tool: Tool) -> str | None:
    """How to install the package of a tool, None if it is installed."""
    if tool.needs is None or importlib.util.find_spec(tool.needs) is not None:
        return None
    return f"{tool.needs} is not installed: pip install {tool.needs}, or name others by --only"


def _replay(case: Case, out: Path) -> list[str]:
    endpoints = [f"--endpoints={case.entries}"]
    if case.discovered:
        endpoints = [f"--slo={SLO}", "--window=30s", f"--max-endpoints={MOST_ENDPOINTS}"]
    command = [sys.executable, "-m", "slomon", "replay", str(case.log)]
    return [*command, *endpoints, f"--incidents={out}"]


def _script(name: str) -> Callable[[Case, Path], list[str]]:
    script = str(SCRIPTS / "peers" / name)

    def command(case: Case, out: Path) -> list[str]:
        # With -P the script doesn't import the modules beside it.
        return [sys.executable, "-P", script, str(case.log), str(case.entries), str(out), case.form]

    return command


def _floor(case: Case, _: Path) -> list[str]:
    if case.compressed:
        return ["sh", "-c", 'gzip -dc "$0" | wc -l', str(case.log)]
    return ["wc", "-l", str(case.log)]


TOOLS: Final = {
    tool.name: tool
    for tool in (
        Tool("slomon", _replay),
        Tool("duckdb", _script("duckdb_sql.py"), needs="duckdb"),
        Tool("polars", _script("polars_lazy.py"), needs="polars"),
        Tool("chdb", _script("chdb_sql.py"), needs="chdb", forms=("plain",)),
        Tool("loop", _script("plain_loop.py")),
        Tool("wc", _floor, answers=False),
    )
}
