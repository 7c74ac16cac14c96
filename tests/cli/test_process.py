"""Standard output that is written whole, signals at any moment, and limits of the system."""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread, get_ident
from typing import Final, TextIO

import anyio
import pytest

from slomon import interrupts as interrupts_module
from slomon.cli.process import FAILED, FINE, HUNG_UP, INTERRUPTED, TERMINATED, Main, run_process
from slomon.concurrency import run_on_own_loop
from slomon.files import AtomicFile
from slomon.interrupts import interrupts

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits are Unix's")

SIZE: Final = 300_000  # more than a pipe holds
CODES: Final = [
    (signal.SIGINT, INTERRUPTED),
    (signal.SIGTERM, TERMINATED),
    (signal.SIGHUP, HUNG_UP),
]


@pytest.fixture(autouse=True)
def hangups_are_heard() -> Iterator[None]:
    """SIGHUP ends a process: tests that are started by nohup would ignore it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("blocking", [True, False])
def test_an_unbuffered_stdout_is_written_whole_if_its_reader_stalls(
    monkeypatch: pytest.MonkeyPatch, blocking: bool
) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, blocking)
    stdout = os.fdopen(writer, "wb", buffering=0)
    unbuffered = io.TextIOWrapper(stdout, write_through=True)
    monkeypatch.setattr(sys, "stdout", unbuffered)
    received = bytearray()
    writing = get_ident()

    def read() -> None:
        while part := os.read(reader, 1000):
            if not received and blocking:  # the system writes only a part if a signal comes
                signal.pthread_kill(writing, signal.SIGUSR1)
            received.extend(part)

    def answer(_: Sequence[str], stdout: TextIO, __: TextIO) -> int:
        stdout.write("x" * SIZE + "\n")
        return FINE

    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    thread = Thread(target=read)
    thread.start()
    try:
        assert run_process(answer) == FINE
    finally:
        stdout.close()
        thread.join()
        os.close(reader)
        signal.signal(signal.SIGUSR1, before)

    assert len(received) == SIZE + 1


@pytest.mark.parametrize(("number", "code"), CODES)
def test_later_signals_do_not_disturb_the_cleanup(
    number: signal.Signals, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    cleaned = []

    def interrupted(*_: object) -> int:
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            cleaned.append(True)
        return FINE

    assert run_process(interrupted) == code
    assert cleaned
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("number", "code"), CODES)
def test_a_signal_cancels_what_runs_on_an_event_loop(number: signal.Signals, code: int) -> None:
    cleaned = []

    async def wait() -> None:
        try:
            signal.raise_signal(number)
            await anyio.sleep_forever()
        finally:
            signal.raise_signal(number)
            cleaned.append(True)

    def interrupted(*_: object) -> int:
        run_on_own_loop(wait)
        return FINE

    assert run_process(interrupted) == code
    assert cleaned


def test_a_signal_is_deferred_until_a_file_is_safe() -> None:
    done = []

    def interrupted(*_: object) -> int:
        with interrupts.deferred():
            with interrupts.deferred():
                signal.raise_signal(signal.SIGTERM)
            done.append("inside")
        done.append("after")
        return FINE

    assert run_process(interrupted) == TERMINATED
    assert done == ["inside"]


def test_a_signal_ends_a_cleanup_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    class Exited(BaseException):
        pass

    def leave(code: int) -> None:
        raise Exited(code)

    def hanging(*_: object) -> int:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGINT)
        return FINE

    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(interrupts_module, "_CLEANUP_SECONDS", 0.0)
    caught: list[Exited] = []

    def watching(*_: object) -> int:
        try:
            return hanging()
        except Exited as exited:
            caught.append(exited)
            raise

    run_process(watching)
    assert [error.args for error in caught] == [(TERMINATED,)]


def test_a_match_that_never_ends_is_ended_after_a_second_and_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Exited(BaseException):
        pass

    def leave(code: int) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        left.extend(tmp_path.iterdir())
        codes.append(code)
        raise Exited

    async def match() -> None:
        signal.raise_signal(signal.SIGINT)
        re.match("(a+)+$", "a" * 100 + "!")

    def matching(*_: object) -> int:
        with AtomicFile(tmp_path / "answers"):
            assert list(tmp_path.iterdir())
            run_on_own_loop(match)
        return FINE

    left: list[Path] = []
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(interrupts_module, "_CLEANUP_SECONDS", 0.02)
    assert run_process(matching) == INTERRUPTED
    assert (codes, left) == ([INTERRUPTED], [])
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_a_signal_in_a_destructor_shows_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupting:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    def interrupted(*_: object) -> int:
        Interrupting()
        return FINE

    assert run_process(interrupted) == INTERRUPTED
    assert capsys.readouterr().err == ""


def test_nohup_keeps_hangups_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def hung_up(*_: object) -> int:
        signal.raise_signal(signal.SIGHUP)
        return FINE

    assert run_process(hung_up) == FINE
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), CODES)
def test_a_signal_while_the_interpreter_shuts_down_shows_no_traceback(
    number: signal.Signals, code: int
) -> None:
    script = f"""
import atexit, runpy, signal, sys
atexit.register(signal.raise_signal, {int(number)})
sys.argv = ["slomon", "--version"]
runpy.run_module("slomon", run_name="__main__")
"""
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )

    assert 128 - process.returncode == code  # as a shell shows it
    assert process.stderr == ""


@pytest.mark.slow
def test_a_signal_while_main_py_imports_modules_shows_no_traceback() -> None:
    script = """
import runpy, signal, sys

class Interrupt:
    def find_spec(self, name, *_):
        if name == "slomon.core":
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)

sys.meta_path.insert(0, Interrupt())
runpy.run_path("main.py", run_name="__main__")
"""
    process = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (process.returncode, process.stdout, process.stderr) == (TERMINATED, "", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "start", ['run_path("main.py", run_name=', 'run_module("slomon", run_name=']
)
def test_an_interrupt_at_the_very_start_shows_no_traceback(start: str) -> None:
    script = f"""
import pkgutil, runpy, signal, sys

class Interrupt:
    def find_spec(self, name, *_):
        if name in ("typing", "slomon.cli"):
            signal.raise_signal(signal.SIGINT)

sys.modules.pop("typing", None)  # runpy needs it, and Python's own start does not
sys.meta_path.insert(0, Interrupt())
runpy.{start}"__main__")
"""
    process = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert 128 - process.returncode == INTERRUPTED  # as a shell shows it
    assert (process.stdout, process.stderr) == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), CODES)
def test_a_signal_while_a_data_class_is_made_has_the_exit_code_of_that_signal(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    (tmp_path / "interrupted.py").write_text(f"""
import signal, sys
from slomon.cli.process import run_process

def main(*_):
    exec("signal.raise_signal({int(number)})", globals())  # so are their methods made

sys.exit(run_process(main))
""")
    process = subprocess.run(
        [sys.executable, "-m", "interrupted"],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (process.returncode, process.stdout, process.stderr) == (code, "", "")


def failing(failure: Exception) -> Main:
    def main(*_: object) -> int:
        raise failure

    return main


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (MemoryError(), "out of memory"),
        (RuntimeError("can't start new thread"), "can't start new thread"),
        (OSError(errno.EMFILE, "Too many open files"), "[Errno 24] Too many open files"),
        (ImportError("a.so: failed to map segment"), "a.so: failed to map segment"),
    ],
)
def test_a_limit_of_the_system_is_one_line(
    failure: Exception, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_process(failing(failure)) == FAILED
    assert capsys.readouterr().err == f"error: {message}\n"


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(RuntimeError, match="a bug"):
        run_process(failing(RuntimeError("a bug")))
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_event_loop_without_descriptors_is_an_error() -> None:
    import resource  # noqa: PLC0415 (Windows has none)

    async def call() -> None:
        pytest.fail("there is no loop")

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    kept = os.open(os.devnull, os.O_RDONLY)
    resource.setrlimit(resource.RLIMIT_NOFILE, (kept + 6, before[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            run_on_own_loop(call)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        os.close(kept)
