"""
The survey of the logs: before any log is read, the first lines of each file say in which format it
is and when it begins. A replay that is resumed looks instead whether the files are still the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from slomon.errors import ConfigurationError, StateFileError
from slomon.log_replay.copies import Opening, find_copies
from slomon.log_replay.detect import cut_to_first_access, judge_order, read_head
from slomon.log_replay.files import is_file
from slomon.log_replay.lines import Log, LogPosition
from slomon.sources.source import Source, open_source


class Recognise(Protocol):
    """Makes a log from its name and its first lines; it needs at least `needed` lines."""

    needed: int

    def __call__(self, name: str, head: bytes) -> Log:
        """The log. Raises ConfigurationError if its format is unknown."""
        ...


@dataclass(frozen=True, slots=True)
class LogState:
    """
    What is known of a log, and where the reading of it begins: at its first line, or where a
    checkpoint was saved.

    * `is_file`: is it a file, which may be opened again?
    * `size`: its bytes on disk, as far as they are known; 0 for a pipe
    * `ended`: was it read to its end, or is it not read at all?
    * `problem`: why it was not read, or not completely
    * `refusal`: the error if no format reads it
    * `copy_of`: the path of the log of which it is a copy; then it is not read
    """

    path: str
    is_file: bool = False
    is_compressed: bool = False
    size: int = 0
    log: Log | None = None
    place: LogPosition = field(default_factory=LogPosition)
    ended: bool = False
    problem: str | None = None
    refusal: ConfigurationError | None = None
    copy_of: str | None = None


class Survey:
    """
    Finds the order in which logs begin. `look_at` each log; `conclude` returns all of them, each
    with the least tick among its first lines: 0 if they have none, and for a pipe, which is not
    opened. Logs that begin at the same tick keep their order. A file that can't be opened, that no
    format reads or that is a copy of another one has ended. The only log of a replay is not opened
    either, if `alone`: nothing depends on when it begins.
    """

    def __init__(self, recognise: Recognise, max_line: int, *, alone: bool) -> None:
        self._recognise = recognise
        self._max_line = max_line
        self._alone = alone
        self._found: list[tuple[int, LogState]] = []
        self._openings: list[Opening] = []

    def look_at(self, path: str) -> None:
        """Add the log at a path."""
        opened = is_file(path) and not self._alone
        state = (0, LogState(path, is_file=is_file(path))) if not opened else self._open(path)
        self._found.append(state)

    def conclude(self) -> list[tuple[int, LogState]]:
        """The logs in the order in which they begin."""
        copies = find_copies(self._openings, self._max_line)
        found = [
            (tick, replace(state, ended=True, copy_of=copies[state.path]))
            if state.path in copies
            else (tick, state)
            for tick, state in self._found
        ]
        return sorted(found, key=lambda one: one[0])

    def _open(self, path: str) -> tuple[int, LogState]:
        recognise = self._recognise
        try:
            source = open_source(path, self._max_line)
        except OSError as error:
            return 0, LogState(path, is_file=True, ended=True, problem=str(error))
        with source:
            state = LogState(
                path, is_file=True, is_compressed=source.is_compressed, size=source.size or 0
            )
            head = read_head(source, recognise.needed)
            try:
                log = recognise(source.name, head)
            except ConfigurationError as error:
                return 0, replace(state, ended=True, problem=str(error), refusal=error)
            log.beginning = source.beginning
            if text := cut_to_first_access(log, head):
                self._openings.append(Opening(path, source.is_compressed, text))
            return judge_order(log, head, source, recognise.needed), replace(state, log=log)


def survey(paths: Sequence[str], recognise: Recognise, max_line: int) -> list[tuple[int, LogState]]:
    """The logs at these paths in the order in which they begin, as `Survey` finds it."""
    logs = Survey(recognise, max_line, alone=len(paths) == 1)
    for path in paths:
        logs.look_at(path)
    return logs.conclude()


def check_unchanged(state: LogState, max_line: int) -> None:
    """
    Raises StateFileError if a file is not the one that it was when its state was saved, and OSError
    if it can't be opened. This checks how the file begins, and that it is no shorter than before.
    It also checks how a file ends that was read: a compressed file by its size, another by the last
    bytes that were read.
    """
    log = state.log
    if log is None or not state.is_file:
        return
    if not is_file(state.path):
        raise _refuse(state.path, "it is no file")
    with open_source(state.path, max_line) as source:
        if problem := compare_beginning(source.beginning, log):
            raise _refuse(source.name, problem)
        if (source.size or 0) < state.size:
            raise _refuse(source.name, f"it has {source.size} bytes, not {state.size}")
        if not state.ended:
            return
        if source.is_compressed != state.is_compressed:
            raise _refuse(source.name, "it is compressed otherwise")
        if not source.is_compressed:
            if state.place.offset:
                skip_to(source, state.place, log)
        elif source.size != state.size:
            raise _refuse(source.name, f"it has {source.size} bytes, not {state.size}")


def compare_beginning(beginning: bytes, log: Log) -> str | None:
    """Why a file with this beginning is not that of the log; None if it may be."""
    return None if beginning.startswith(log.beginning) else "it begins otherwise"


def skip_to(source: Source, place: LogPosition, log: Log | None) -> None:
    """
    Skip the part that was read before the checkpoint. Raises StateFileError if it is not the same
    text: all of it is compared for a pipe, both its ends for a file.
    """
    known = log.beginning if log else b""
    if bool(known) != bool(source.beginning) or not source.beginning.startswith(known):
        raise _refuse(source.name, "it begins otherwise")
    source.skip(place.offset)
    if source.offset < place.offset:
        raise _refuse(source.name, str(source.problem))
    if place.offset and source.fingerprint != place.fingerprint:
        problem = f"before byte {place.offset} of its text stands something else"
        raise _refuse(source.name, problem)


def _refuse(name: str, problem: str) -> StateFileError:
    return StateFileError(
        f"{name} is not the file that was read before: {problem}; remove the checkpoint to begin "
        "anew"
    )
