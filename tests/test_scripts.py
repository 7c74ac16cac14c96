"""The scripts run as the docs show them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.histories import broken, deploys, write

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "scripts"

pytestmark = pytest.mark.slow


def run(script: str, *arguments: str, seconds: float = 60) -> str:
    process = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPTS / script), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds,
    )
    return process.stdout


def test_the_nightly_report_is_a_table_in_markdown(tmp_path: Path) -> None:
    arguments = broken(tmp_path), "--changes", deploys(tmp_path)

    assert run("nightly_report.py", *arguments, "--day", "1970-01-01") == (
        "# Incidents of 1970-01-01: 1\n\n"
        "| start | lasted | endpoint | broken by | fixed by |\n|---|---|---|---|---|\n"
        "| 00:01:41 | 0:06:00 | `GET /users` | `c1 ana` | `c2 bob` |\n\n"
        "MTTR 360.00 s. 0 lines could not be read.\n"
    )
    assert run("nightly_report.py", *arguments).count("\n") == 3


def test_a_repair_that_took_no_time_is_in_the_mttr(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "1 GET / 500\n1 GET / 200\n")
    shown = run("nightly_report.py", log, "--day", "1970-01-01", "--slo", "50%")

    assert "MTTR 0.00 s. 0 lines could not be read." in shown


def test_text_from_a_log_stays_in_its_cell(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("script", ["nightly_report.py", "sweep.py"])
def test_an_error_is_reported_in_one_line(script: str) -> None:
    process = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPTS / script), "nowhere.log"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert process.returncode == 1
    assert process.stderr == "error: [Errno 2] No such file or directory: 'nowhere.log'\n"


@pytest.mark.skipif(sys.platform != "linux", reason="it mounts, limits and signals as Linux does")
def test_the_torture_says_what_it_tried_and_that_nothing_broke() -> None:
    shown = run("torture.py", "--seconds", "0", "--only", "read-only", "--seed", "1", seconds=300)

    assert re.search(r"(?m)^read-only --seed \d: fine, [\d.]+ s$", shown)
    assert re.search(r"(?m)^read-only: 1 rounds, 0 broken, \d+ s$", shown)


@contextmanager
def serving() -> Iterator[str]:
    """Run the demonstration service; its port."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", str(SCRIPTS / "demo_service.py"), "serve", "--port=0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    try:
        output = ""
        while not (port := re.search(r"running on http://127.0.0.1:(\d+)", output)):
            line = process.stderr.readline()
            assert line, output
            output += line
        yield port[1]
    finally:
        process.terminate()
        _, rest = process.communicate(timeout=60)
    assert "Application shutdown complete" in rest
    assert "Traceback" not in rest


def test_the_demonstration_breaks_and_is_repaired_as_the_docs_show() -> None:
    page = (ROOT / "docs" / "web-services.md").read_text(encoding="utf-8")
    shown = re.search(r"```console\n(\$ ask.*?)```", page, re.DOTALL)
    assert shown
    with serving() as port:
        commands = "".join(line for line in shown[1].splitlines(True) if line.startswith("$ "))
        script = commands.replace("localhost:8000", f"127.0.0.1:{port}").replace(
            "python scripts/demo_service.py deploy",
            f"'{sys.executable}' '{SCRIPTS}/demo_service.py' deploy --port={port}",
        )
        process = subprocess.run(
            ["sh", "-c", re.sub("^[$] (.*)", r"\1; echo", script, flags=re.MULTILINE)],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )

    expected = re.sub(r"(?m)^\$ .*\n", "", shown[1])
    assert lines(process.stdout) == lines(expected)


def lines(output: str) -> list[str]:
    """The lines that aren't empty, with timestamps replaced."""
    return [re.sub(r"\d{10}\.\d+", "<time>", line) for line in output.splitlines() if line]
