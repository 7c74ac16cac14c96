"""The files of a replay: all there before any of them is opened, and none of them overwritten."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from slomon.errors import ConfigurationError, OptionError
from slomon.options import AnyPath, as_path, refuse
from slomon.text import quote

Paths: TypeAlias = AnyPath | Sequence[AnyPath]

STANDARD_INPUT: Final = "-"


@dataclass(frozen=True, slots=True)
class Files:
    """
    What is read: the logs of each host, in order, and the change files. `size` is that of all logs
    on disk, in bytes; None where a pipe is among them.
    """

    hosts: list[list[str]]
    histories: list[str]
    size: int | None


def find_files(
    paths: Paths,
    merge: Paths | Sequence[Paths],
    changes: Paths | None,
    others: Iterable[AnyPath],
    outputs: Mapping[str, AnyPath | None],
) -> Files:
    """
    The files of these options, `others` of which are read as well and `outputs` written.

    Raises OSError where one is missing or can't be read, ConfigurationError where an option has no
    paths, standard input or a file is to be read twice, or a file would be overwritten.
    """
    further = _list("merge", merge)
    hosts = [list_paths("paths", paths), *(list_paths("merge", host) for host in further)]
    histories = [] if changes is None else list_paths("changes", changes)
    logs = [path for host in hosts for path in host]
    inputs = [*logs, *histories, *(os.fspath(other) for other in others)]
    _check_readable(inputs)
    _check_once([*logs, *histories])
    check_apart(inputs, outputs)
    return Files(hosts, histories, _measure(logs))


def list_paths(name: str, value: object) -> list[str]:
    """The paths that an option gives, at least one."""
    paths: list[str] = []
    for given in _list(name, value):
        path = as_path(given)
        if path is None:
            raise OptionError([name], f" has {quote(given)}; allowed: {_PATHS}")
        paths.append(path)
    if not paths:
        raise OptionError([name], f" is empty; allowed: {_PATHS}")
    return paths


def _list(name: str, value: object) -> Iterable[object]:
    if isinstance(value, str | os.PathLike):
        return [value]
    if not isinstance(value, Iterable) or isinstance(value, bytes | bytearray | Mapping):
        raise refuse(name, value, _PATHS)
    return value


def check_apart(inputs: Iterable[AnyPath], outputs: Mapping[str, AnyPath | None]) -> None:
    """
    Raises ConfigurationError where a file that is to be written is read, or written twice, or would
    have the name that means standard input.
    """
    taken = {os.path.realpath(path): "read" for path in inputs if path != STANDARD_INPUT}
    for option, path in outputs.items():
        if path is None:
            continue
        if str(path) == STANDARD_INPUT:
            raise OptionError(
                [option],
                " is '-', which stands for standard input; allowed: a file, for example ./-",
            )
        place = os.path.realpath(path)
        if place in taken:
            raise OptionError(
                [option],
                f" is {quote(str(path))}, which is {taken[place]} as well; allowed: a file of its "
                "own",
            )
        if Path(place).is_file() or not Path(place).exists():  # a device takes everything
            taken[place] = "written"


def _check_readable(paths: Sequence[str]) -> None:
    if (times := paths.count(STANDARD_INPUT)) > 1:
        raise ConfigurationError(f"standard input, '-', is given {times} times; allowed: once")
    for path in paths:
        if path != STANDARD_INPUT:
            _check_file(path)


def _check_once(paths: Sequence[str]) -> None:
    """Nobody means to count the lines of a file twice, whatever its names."""
    names: dict[tuple[int, int], str] = {}
    for path in paths:
        if path == STANDARD_INPUT or not Path(path).is_file():
            continue  # what a pipe or a device says isn't the same again
        found = Path(path).stat()
        if first := names.get((found.st_dev, found.st_ino)):
            raise ConfigurationError(
                f"{quote(path)} is given twice, the first time as {quote(first)}; allowed: each "
                "file once"
            )
        names[found.st_dev, found.st_ino] = path


def _check_file(path: str) -> None:
    """What opening would say; but to open a pipe and close it again would end its writer."""
    Path(path).stat()
    if Path(path).is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not os.access(path, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


def _measure(paths: Sequence[str]) -> int | None:
    if not all(path != STANDARD_INPUT and Path(path).is_file() for path in paths):
        return None
    return sum(Path(path).stat().st_size for path in paths)


_PATHS: Final = "a path, or a list of paths that is not empty"
