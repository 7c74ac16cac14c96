"""The README is true: its examples run, its help is the command's, its table names every file."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from slomon.cli.main import main
from tests.cli.terminal import Terminal
from tests.histories import morning

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def python(*arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return run.stdout


@pytest.mark.slow
def test_every_python_example_prints_what_stands_below_it() -> None:
    examples = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)

    assert len(examples) == README.count("```python")
    for code, printed in examples:
        assert python("-c", code) == printed


def test_the_help_shown_is_the_commands_own() -> None:
    shown = re.search(r"\$ python main.py --help\n(.*?)```", README, re.DOTALL)

    assert shown
    assert shown[1] == python("main.py", "--help")


def test_the_report_shown_is_what_a_terminal_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    morning(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    shown = re.search(r"\$ slomon (replay .*)\n([^`]*)```", README)

    assert shown
    with Terminal(columns=80) as terminal:
        main([*shown[1].split(), "--backend", "python"], terminal.stream, io.StringIO())
    assert terminal.text == shown[2]


def test_the_flow_names_every_file_of_the_package() -> None:
    flow = README.split("## How data flows")[1].split("## ")[0]
    named = set(re.findall(r"`([\w/]+\.py)`", flow))
    files = {
        path.relative_to(ROOT / "slomon").as_posix() for path in (ROOT / "slomon").rglob("*.py")
    }

    assert named == {name for name in files if not name.endswith("__init__.py")}
