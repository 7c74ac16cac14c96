"""The scripts that people copy run as they stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.histories import broken, deploys, write

SCRIPTS = Path(__file__).parent.parent / "scripts"


def run(script: str, *arguments: str) -> str:
    process = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPTS / script), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return process.stdout


def test_the_nightly_report_is_a_table_in_markdown(tmp_path: Path) -> None:
    arguments = broken(tmp_path), "--changes", deploys(tmp_path)

    assert run("nightly_report.py", *arguments, "--day", "1970-01-01") == (
        "# Incidents of 1970-01-01: 1\n\n"
        "| start | lasted | endpoint | broken by | fixed by |\n|---|---|---|---|---|\n"
        "| 00:01:41 | 0:06:00 | `GET /users` | `c1 ana` | `c2 bob` |\n\n"
        "MTTR 360.0 s. 0 lines could not be read.\n"
    )
    assert run("nightly_report.py", *arguments).count("\n") == 3


def test_what_a_log_says_stays_in_its_cell(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "1 GET /`|x 500\n")
    shown = run("nightly_report.py", log, "--day", "1970-01-01")

    assert "| 00:00:01 | still open | `GET /'\\|x` |  |  |" in shown


def test_the_sweep_is_a_table_of_slos_and_windows(tmp_path: Path) -> None:
    shown = run("sweep.py", broken(tmp_path), "--slo", "50%", "99%", "--window", "5m")

    assert [line.split() for line in shown.splitlines()] == [
        ["slo", "window", "incidents", "open", "MTTR"],
        ["50%", "5m", "0", "0", "0.00", "s"],
        ["99%", "5m", "1", "0", "360.00", "s"],
    ]
