"""Programs under test: how a trial starts them, waits for them for a while, and judges them."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

ROOT: Final = Path(__file__).resolve().parent.parent.parent
SLOMON: Final = (sys.executable, "-m", "slomon")
MAIN: Final = (sys.executable, str(ROOT / "main.py"))
SERVICE: Final = (sys.executable, str(Path(__file__).parent / "service.py"))
LIMIT_SECONDS: Final = 60.0  # a program that takes longer hangs, even on a busy machine
_COMPILE_SECONDS: Final = 300.0
_POLL_SECONDS: Final = 0.002

Problems: TypeAlias = list[str]


class SkippedTrial(Exception):  # noqa: N818 (no error)
    """A trial can't be done on this machine; the message says why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """
    One kind of torture. `run` draws a case, tries it with files in an empty folder, and returns a
    sentence for each thing that broke. It raises SkippedTrial if this machine can't do it.
    """

    name: str
    run: Callable[[Random, Path], Problems]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended. `code` is negative after a signal, as subprocess has it."""

    command: str
    code: int
    stdout: bytes
    stderr: str
    hung: bool = False

    @property
    def shell_code(self) -> int:
        """The exit code that a shell shows."""
        return 128 - self.code if self.code < 0 else self.code

    def __str__(self) -> str:
        how = "no end within the time limit" if self.hung else f"exit code {self.code}"
        said = self.stderr.strip()
        return f"{how}, stderr {said[-300:]!r}: {self.command}"


class Program:
    """A program that was started, with stdout and stderr in files, so that it never waits."""

    def __init__(self, command: Sequence[str], process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._command = show_command(command)

    def wait(self, seconds: float = LIMIT_SECONDS) -> Outcome:
        """Wait for the end; a program that takes too long is killed."""
        hung = False
        try:
            stdout, stderr = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            hung = True
            self.kill()
            stdout, stderr = self.process.communicate()
        text = (stderr or b"").decode(errors="replace")
        return Outcome(self._command, self.process.returncode, stdout or b"", text, hung)

    def wait_for(self, path: Path, seconds: float = LIMIT_SECONDS) -> bool:
        """Wait until a file is there or the program has ended; returns whether it is there."""
        wait_until(lambda: path.exists() or self.process.poll() is not None, seconds)
        return path.exists()

    def signal(self, number: int) -> None:
        """Send a signal to the program alone; nothing if it has ended."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill(self) -> None:
        """Kill the program and all that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


@contextmanager
def started(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    stdout: int = subprocess.PIPE,
    **options: Any,
) -> Iterator[Program]:
    """A program of its own session, which is killed at the end if it still runs."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**_base_environment(), **(environment or {})},
        start_new_session=True,
        **options,
    )
    program = Program(command, process)
    try:
        yield program
    finally:
        program.kill()
        process.communicate()


def run(command: Sequence[str], *, seconds: float = LIMIT_SECONDS, **options: Any) -> Outcome:
    """Run a program to its end. `options` are those of `started`."""
    with started(command, **options) as program:
        return program.wait(seconds)


def show_command(command: Iterable[str]) -> str:
    """A command as a shell would take it, with short names for the interpreter and the checkout."""
    shown = shlex.join(command)
    return shown.replace(sys.executable, "python").replace(f"{ROOT}/", "")


def wait_until(is_true: Callable[[], bool], seconds: float) -> bool:
    """Poll a condition; returns whether it came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_true():
            return True
        time.sleep(_POLL_SECONDS)
    return is_true()


@cache
def backends() -> tuple[str, ...]:
    """The backends that are installed. Compiles the kernels once if they aren't in the cache."""
    command = [*SLOMON, "replay", os.devnull, "--format", "plain", "--backend", "compiled"]
    outcome = run(command, seconds=_COMPILE_SECONDS)
    return ("python", "compiled") if outcome.code == 0 else ("python",)


@cache
def startup_seconds() -> float:
    """How long a Python interpreter takes to start here: until then no code of slomon's runs."""
    began = time.monotonic()
    run([sys.executable, "-c", "import runpy, argparse"])
    return time.monotonic() - began


def check_answered(outcome: Outcome, stdout: bytes | None = None) -> Problems:
    """Exit code 0, and if `stdout` is given, that on stdout."""
    problems = check_ended(outcome)
    if not problems and outcome.code != 0:
        problems.append(f"refused: {outcome}")
    if not problems and stdout is not None and outcome.stdout != stdout:
        got, expected = len(outcome.stdout), len(stdout)
        problems.append(f"wrong answer ({got} bytes of {expected}): {outcome}")
    return problems


def check_refused(outcome: Outcome, *codes: int) -> Problems:
    """One of the exit codes (by default 1), and one line of error."""
    problems = check_ended(outcome)
    if not problems and outcome.code not in (codes or (1,)):
        problems.append(f"exit code is not {codes or 1}: {outcome}")
    lines = outcome.stderr.splitlines()
    if not problems and len(lines) != 1:
        problems.append(f"{len(lines)} lines of error instead of one: {outcome}")
    return problems


def check_ended(outcome: Outcome) -> Problems:
    """No hang, no crash and no traceback."""
    if outcome.hung:
        return [f"hangs: {outcome}"]
    if "Traceback" in outcome.stderr or "Exception ignored" in outcome.stderr:
        last = outcome.stderr.strip().splitlines()[-1]
        return [f"traceback ({last[:200]}): {outcome}"]
    if outcome.code < 0 or "Fatal Python error" in outcome.stderr:
        return [f"crash: {outcome}"]
    return []


def check_no_leftovers(folder: Path, *expected: str) -> Problems:
    """No file is in a folder but the expected ones and locks, which stay by design."""
    names = sorted(path.name for path in folder.iterdir())
    more = [name for name in names if name not in expected and not name.endswith(".lock")]
    return [f"left behind: {name}" for name in more]


def names_another_run(line: str) -> bool:
    """Does an error say that another run is in the way?"""
    return bool(re.search(r"another (run|process|replay|monitor)|process \d+|pid \d+", line))


def _base_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
