"""
The files of a replay. They exist before any of them is opened, and none of them is overwritten.

A directory stands for all logs in it.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from slomon.errors import ConfigurationError
from slomon.options import STANDARD_INPUT, AnyPath, distinct_paths
from slomon.text import quote

_NUMBER: Final = re.compile("([0-9]+)")
_Inode: TypeAlias = tuple[int, int]


def check_files(
    logs: Sequence[str],
    histories: Sequence[str],
    others: Iterable[AnyPath],
    outputs: Mapping[str, AnyPath | None],
) -> None:
    """
    Check the files of a replay before any of them is opened: the logs and directories of logs, the
    files of changes, `others` that are read as well, and the outputs by the names of their options.

    Raises OSError if a file that is read is missing or not readable, ConfigurationError if
    standard input is given twice, a file of changes is given twice or as a log, or a file that is
    read would be overwritten.
    """
    inputs = [*histories, *(os.fspath(other) for other in others)]
    _check_readable([*logs, *inputs])
    for path in inputs:
        if Path(path).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    _check_once(logs, histories)
    distinct_paths(outputs, [*logs, *inputs])


def list_logs(paths: Sequence[str], others: Iterable[AnyPath | None]) -> list[str]:
    """
    The logs at these paths, in natural order: `access.log.2` comes before `access.log.10`.

    A directory stands for the files in it and in its subdirectories, without hidden ones, empty
    ones and `others`, which the replay uses for something else. A file with several names is listed
    once. Raises ConfigurationError if a directory has no such file, and OSError if it can't be
    read.
    """
    logs: list[str] = []
    used = {_identify(path) for path in others if path is not None}
    listed: set[_Inode | None] = set()
    for path in sorted(paths, key=_is_directory):  # so a file keeps the name that was given
        found = _list_directory(path, used) if _is_directory(path) else [path]
        for log in found:
            inode = _identify(log)
            if inode is None or inode not in listed:  # a pipe may be read several times
                listed.add(inode)
                logs.append(log)
    return sorted(logs, key=_natural_order)


def measure(paths: Sequence[str]) -> int | None:
    """The bytes on disk of all these files; None if one of them is standard input or a pipe."""
    if not all(is_file(path) for path in paths):
        return None
    return sum(Path(path).stat().st_size for path in paths)


def is_file(path: str) -> bool:
    """Is the path that of a regular file, which may be opened again and again?"""
    return path != STANDARD_INPUT and Path(path).is_file()


def _is_directory(path: str) -> bool:
    return path != STANDARD_INPUT and Path(path).is_dir()


def _natural_order(path: str) -> tuple[list[str | int], str]:
    parts: list[str | int] = list(_NUMBER.split(path))
    parts[1::2] = map(int, parts[1::2])  # numbers stand between texts, so each has its like
    return parts, path


def _list_directory(path: str, used: Container[_Inode | None]) -> list[str]:
    """The logs in a directory, without those that are used for something else."""
    found = [
        file
        for file in sorted(_walk(path), key=_natural_order)
        if (inode := _identify(file)) and inode not in used and Path(file).stat().st_size
    ]
    if not found:
        raise ConfigurationError(
            f"{quote(path)} is a directory without logs; allowed: one with files that are neither "
            "hidden nor empty"
        )
    return found


def _walk(path: str) -> Iterator[str]:
    def fail(error: OSError) -> None:
        raise error

    for folder, folders, names in os.walk(path, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (os.path.join(folder, name) for name in names if not name.startswith("."))  # noqa: PTH118


def _identify(path: AnyPath) -> _Inode | None:
    """What is the same for all names of a file; None if the path is not that of a file."""
    if not is_file(os.fspath(path)):
        return None
    found = Path(path).stat()
    return found.st_dev, found.st_ino


def _check_readable(paths: Sequence[str]) -> None:
    if (times := paths.count(STANDARD_INPUT)) > 1:
        raise ConfigurationError(f"standard input, '-', is given {times} times; allowed: once")
    for path in paths:
        if path != STANDARD_INPUT:
            _check_file(path)


def _check_once(logs: Sequence[str], histories: Sequence[str]) -> None:
    names = {_identify(path): path for path in logs}
    for path in histories:
        inode = _identify(path)
        if inode is None:
            continue  # a pipe or a device delivers other bytes when it is read again
        if first := names.get(inode):
            raise ConfigurationError(
                f"{quote(path)} is given twice, the first time as {quote(first)}; allowed: each "
                "file once"
            )
        names[inode] = path


def _check_file(path: str) -> None:
    """
    Raise the OSError that opening would raise. The file is not opened: opening and closing a pipe
    would end its writer.
    """
    Path(path).stat()
    if not os.access(path, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
