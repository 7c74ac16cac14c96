"""`main.py`, called as a function, and once as a process."""

from __future__ import annotations

import ast
import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slomon.cli import simulate
from slomon.cli.process import FAILED, FINE, INTERRUPTED, MISUSED
from slomon.cli.simulate import main, run

ROOT = Path(__file__).parents[2]
EXAMPLE = Path(__file__).parents[1] / "data" / "example"
RECORDED = ["--events", str(EXAMPLE / "events.jsonl"), "--info", str(EXAMPLE / "info.json")]


def call(*arguments: str) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    return main(arguments, stdout, stderr), stdout.getvalue(), stderr.getvalue()


def test_a_recorded_stream_gives_its_three_answers_a_literal_on_each_line() -> None:
    code, out, _ = call(*RECORDED)
    expected = json.loads((EXAMPLE / "expected.json").read_text(encoding="utf-8"))

    assert code == FINE
    assert [ast.literal_eval(line) for line in out.splitlines()] == list(expected.values())


def test_the_logs_are_on_stderr_with_the_commits_of_each_incident() -> None:
    _, _, err = call(*RECORDED)

    events = [line.split("]", 1)[1].split()[0] for line in err.splitlines()]
    # Two endpoints of two workers: each one's incidents come in order, as they are found.
    assert (events[0], events[-1]) == ("stream.started", "stream.finished")
    assert sorted(events[1:-1]) == ["incident.closed", "incident.opened", "incident.opened"]
    assert events.index("incident.opened") < events.index("incident.closed")
    assert "broken_by=191b6ce2fc724b37a063e8b07065f80b" in err
    assert "fixed_by=6d0080aaecbf4bd69f9b8962cb007e53" in err


def test_the_logs_can_be_turned_down() -> None:
    assert call(*RECORDED, "--log-level", "warning")[2] == ""


def test_a_simulated_stream_is_the_default_and_the_same_for_the_same_seed() -> None:
    arguments = ["--seed", "7", "--max-events", "20000", "--prob-bug", "1", "--prob-error", "0.5"]
    code, out, _ = call(*arguments)
    mttr, histogram, details = map(ast.literal_eval, out.splitlines())

    assert code == FINE
    assert mttr > 0
    assert {name: len(incidents) for name, incidents in details.items()} == histogram
    assert call(*arguments)[1] == out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prob-bug", "1.5"], "argument --prob-bug: '1.5'; allowed: a probability, from 0 to 1"),
        (["--prob-error", "-1"], "argument --prob-error: '-1'; allowed: a probability"),
        (["--prob-error", "nan"], "argument --prob-error: 'nan'; allowed: a probability"),
        (["--prob-error", "often"], "argument --prob-error: 'often'; allowed: a probability"),
        (["--max-events", "-1"], "argument --max-events: '-1'; allowed: a whole number from 0 up"),
        (["--max-events", "1.5"], "argument --max-events: '1.5'; allowed: a whole number"),
        (["--seed", "x"], "argument --seed: invalid int value: 'x'"),
        (["--events", "x"], "--events and --info go together"),
        (["--info", "x"], "--events and --info go together"),
        (["--unknown"], "unrecognized arguments: --unknown"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_allowed(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        call(*arguments)

    assert caught.value.code == MISUSED
    assert message in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named() -> None:
    code, out, err = call("--events", "nowhere.jsonl", "--info", str(EXAMPLE / "info.json"))

    assert (code, out) == (FAILED, "")
    assert err == "error: [Errno 2] No such file or directory: 'nowhere.jsonl'\n"


def test_a_wrong_entry_is_a_configuration_error(tmp_path: Path) -> None:
    info = tmp_path / "info.json"
    info.write_text('[{"name": "users"}]', encoding="utf-8")
    code, out, err = call("--events", str(EXAMPLE / "events.jsonl"), "--info", str(info))

    assert (code, out) == (MISUSED, "")
    assert err.startswith(f"error: {info}: entry 0 ('users'): field 'email' is missing; allowed: ")


@pytest.mark.parametrize(("text", "shown"), [("5", "5"), ("{}", "{}"), ('{"a": 1}', "{'a': 1}")])
def test_an_info_file_that_is_no_list_is_named(tmp_path: Path, text: str, shown: str) -> None:
    info = tmp_path / "info.json"
    info.write_text(text, encoding="utf-8")
    code, _, err = call("--events", str(EXAMPLE / "events.jsonl"), "--info", str(info))

    assert code == MISUSED
    assert err.startswith(f"error: {info}: the endpoints are {shown}; allowed: a list of dicts")


def test_a_full_disk_is_reported() -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    stderr = io.StringIO()

    assert main([*RECORDED, "--log-level", "warning"], Full(), stderr) == FAILED
    assert stderr.getvalue() == "error: [Errno 28] No space left on device: 'standard output'\n"


def test_an_interrupt_is_an_exit_code_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(simulate, "main", interrupted)

    assert run() == INTERRUPTED


def test_control_characters_are_escaped(tmp_path: Path) -> None:
    entries = json.loads((EXAMPLE / "info.json").read_text(encoding="utf-8"))
    for entry in entries:
        entry["name"] = "caf\u00e9\u202e\x1b[31m"
    info = tmp_path / "info.json"
    info.write_text(json.dumps(entries), encoding="utf-8")
    _, out, err = call("--events", str(EXAMPLE / "events.jsonl"), "--info", str(info))

    assert out.isascii()
    assert ast.literal_eval(out.splitlines()[1]) == {"caf\u00e9\u202e\x1b[31m": 2}
    assert "\x1b[31m" not in err
    assert "\u202e" not in err


def test_a_process_writes_to_its_own_streams(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["main.py", *RECORDED])

    assert run() == FINE
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert "stream.finished" in err


def test_a_reader_that_has_had_enough_is_no_failure_to_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["main.py", *RECORDED, "--log-level", "warning"])
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert run() == FAILED

    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_main_py_is_the_command() -> None:
    process = subprocess.run(
        [sys.executable, "main.py", "--max-events", "1000"],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "error", "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert len([ast.literal_eval(line) for line in process.stdout.splitlines()]) == 3
