"""The command as a process: its streams, signals and exit codes."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path
from runpy import run_module
from typing import Final

import pytest

import slomon
from slomon.__main__ import run
from slomon.cli import main as command
from slomon.cli.main import main
from slomon.cli.process import FAILED, FINE, HUNG_UP, INTERRUPTED, MISUSED, TERMINATED
from tests.histories import BROKEN, broken, write

SLOMON: Final = [sys.executable, "-m", "slomon"]
REPLAY: Final = [*SLOMON, "replay", "--backend", "python", "--log-level", "error"]


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"], sys.stdout, sys.stderr)

    assert capsys.readouterr().out == f"slomon {slomon.__version__}\n"


@pytest.mark.parametrize("arguments", [["--"], ["repeat"]])
def test_a_verb_is_required(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments, sys.stdout, sys.stderr)

    assert caught.value.code == MISUSED
    assert "VERB" in capsys.readouterr().err


def test_without_arguments_it_says_what_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], sys.stdout, sys.stderr) == MISUSED

    out, err = capsys.readouterr()
    assert out == ""
    assert "\n  slomon demo " in err
    assert "\n  slomon replay --help " in err
    assert len(err.splitlines()) < 8


@pytest.mark.slow
def test_the_module_is_the_command(tmp_path: Path) -> None:
    process = subprocess.run(
        [*REPLAY, broken(tmp_path)],
        env={**os.environ, "PYTHONWARNINGS": "error", "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert ast.literal_eval(process.stdout.splitlines()[0]) == 360.0
    assert process.stderr == ""


def run_on_full_disk(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    with Path("/dev/full").open("w") as full:
        return subprocess.run(
            command,
            env=os.environ | environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.mark.slow
def test_a_full_disk_behind_stdout_is_reported_once(tmp_path: Path) -> None:
    process = run_on_full_disk([*REPLAY, broken(tmp_path)])

    assert process.returncode == FAILED
    assert process.stderr == "error: [Errno 28] No space left on device: 'standard output'\n"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the devices are Unix's")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("option", ["--version", "--help"])
def test_a_full_disk_is_a_failure_of_what_prints_about_itself_too(
    option: str, unbuffered: str
) -> None:
    process = run_on_full_disk([*SLOMON, option], PYTHONUNBUFFERED=unbuffered)

    assert process.returncode == FAILED
    assert process.stderr == "error: [Errno 28] No space left on device: 'standard output'\n"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the shell is Unix's")
@pytest.mark.parametrize(
    ("closed", "log", "code", "message"),
    [
        ("<&-", "LOG", FINE, ""),
        ("<&-", "-", FAILED, "standard input: [Errno 9] Bad file descriptor"),
        (">&-", "LOG", FAILED, "error: [Errno 9] Bad file descriptor: 'standard output'"),
        ("2>&-", "LOG", FINE, ""),
        ("2>&-", "nowhere.log", FAILED, ""),
        ("<&- >&- 2>&-", "LOG", FAILED, ""),
    ],
)
def test_standard_streams_may_be_closed(
    tmp_path: Path, closed: str, log: str, code: int, message: str
) -> None:
    process = subprocess.run(
        ["/bin/sh", "-c", f'"$@" {closed}', "sh", *REPLAY, log.replace("LOG", broken(tmp_path))],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert process.returncode == code, process.stderr
    assert process.stdout.startswith("360.0\n") == (code == FINE)
    assert message in process.stderr
    assert bool(message) == bool(process.stderr)


def test_the_place_of_a_closed_stream_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["slomon", "replay", "--backend", "python", broken(tmp_path)])
    kept = os.dup(0)
    os.close(0)
    try:
        assert run() == FINE
        assert os.fstat(0).st_rdev == Path(os.devnull).stat().st_rdev
    finally:
        os.dup2(kept, 0)
        os.close(kept)
    assert capsys.readouterr().out.startswith("360.0\n")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the devices are Unix's")
def test_a_run_goes_on_if_its_messages_can_not_be_written(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "bad\n" + BROKEN)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as gone, Path("/dev/full").open("w") as full:
        for stderr in (gone, full):
            process = subprocess.run(
                [*SLOMON, "replay", "--backend", "python", log],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                check=False,
                timeout=60,
            )
            assert process.returncode == FINE
            assert process.stdout.startswith("360.0\n")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the shell is Unix's")
@pytest.mark.parametrize(
    ("sent", "before", "code"),
    [
        (signal.SIGINT, "", INTERRUPTED),
        (signal.SIGTERM, "", TERMINATED),
        (signal.SIGTERM, "trap '' INT;", TERMINATED),  # as a shell starts a background process
        (signal.SIGTERM, "trap '' TERM;", FINE),
        (signal.SIGHUP, "", HUNG_UP),
        (signal.SIGHUP, "trap '' HUP;", FINE),  # as nohup does
    ],
)
def test_a_replay_that_is_ended_says_so_by_its_exit_code_and_leaves_nothing(
    tmp_path: Path, sent: signal.Signals, before: str, code: int
) -> None:
    pipe, output = tmp_path / "pipe", tmp_path / "answers"
    os.mkfifo(pipe)
    shell = "/bin/sh", "-c", f'{before} exec "$@"', "sh"
    process = subprocess.Popen(
        [*shell, *REPLAY, str(pipe), "-o", str(output)], stderr=subprocess.PIPE, text=True
    )
    with pipe.open("w"):  # opening blocks until the pipe is read
        process.send_signal(sent)
        if code != FINE:
            process.wait(timeout=60)
    _, stderr = process.communicate(timeout=60)

    assert (process.returncode, stderr) == (code, "")
    assert output.exists() == (code == FINE)
    assert {path.name for path in tmp_path.iterdir()} <= {"pipe", "answers"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the alarm is Unix's")
@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED)]
)
@pytest.mark.parametrize("is_recognised", [True, False])
def test_a_replay_whose_expression_never_ends_is_ended_by_one_signal(
    tmp_path: Path, sent: signal.Signals, code: int, is_recognised: bool
) -> None:
    """In the lines from which the log is recognised, or after them."""
    fine, endless = "1 GET /a 200 a\n", "2 GET /a 200 " + "a" * 100 + "!\n"
    logs = [
        write(tmp_path, "a.log", fine * 200 + endless if is_recognised else fine),
        write(tmp_path, "b.log", fine if is_recognised else endless),
    ]
    pattern = r"(?P<time>\S+) (?P<method>\S+) (?P<path>\S+) (?P<status>\S+) (a+)+$"
    process = subprocess.Popen(
        [*SLOMON, "replay", *logs, "--regex", pattern, "-o", str(tmp_path / "answers")],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "log.format_detected" in process.stderr.readline()
    process.send_signal(sent)
    _, stderr = process.communicate(timeout=60)

    assert (process.returncode, stderr) == (code, "")
    assert {path.name for path in tmp_path.iterdir()} == {"a.log", "b.log"}


@pytest.mark.slow
def test_an_interrupt_while_modules_are_imported_is_one_like_any_other() -> None:
    script = """
import runpy, signal, sys

class Interrupt:
    def find_spec(self, name, *_):
        if name == "slomon.core":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
runpy.run_module("slomon", run_name="__main__")
"""
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )

    assert (process.returncode, process.stdout, process.stderr) == (INTERRUPTED, "", "")


@pytest.mark.slow
def test_an_interrupt_ends_the_wait_for_a_pipe_that_says_nothing_more() -> None:
    process = subprocess.Popen(
        [*SLOMON, "replay", "--backend", "python", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write("100 GET /users 200\n" * 100)
    process.stdin.flush()
    assert "log.format_detected" in process.stderr.readline()
    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=60) == INTERRUPTED
    assert process.communicate() == ("", "")


@pytest.mark.slow
def test_strict_stops_at_a_bad_line_though_the_pipe_says_nothing_more() -> None:
    process = subprocess.Popen(
        [*REPLAY, "--strict", "--group-paths", "off", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write("100 GET /users 200\n" * 100 + "what?\n")
    process.stdin.flush()

    assert process.wait(timeout=60) == FAILED
    _, stderr = process.communicate()
    assert stderr.startswith("error: standard input, line 101: ")


def test_it_takes_the_arguments_and_the_streams_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["slomon", "replay", "--backend", "python", broken(tmp_path)])
    monkeypatch.delitem(sys.modules, "slomon.__main__")  # as in a process of its own

    with pytest.raises(SystemExit) as caught:
        run_module("slomon", run_name="__main__")
    assert caught.value.code == FINE
    out, err = capsys.readouterr()
    assert out.startswith("360.0\n")
    assert "replay.finished" in err


def test_a_reader_that_has_had_enough_is_no_failure_to_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["slomon", "replay", "--log-level", "error", broken(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert run() == FAILED

    assert capsys.readouterr().err == ""


def test_an_interrupt_is_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "main", interrupted)

    assert run() == INTERRUPTED
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
