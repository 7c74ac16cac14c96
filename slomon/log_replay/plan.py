"""
What a replay does: a frozen `Plan`, and how the options of `replay` become one.

The files of a plan exist before any of them is opened, and none of them is overwritten.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Final

from slomon.core.endpoints import Catalogue, Endpoint
from slomon.core.events import Change
from slomon.core.statuses import StatusRule, StatusTable, server_errors_fail
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.endpoints.config import NO_EMAIL
from slomon.errors import ConfigurationError
from slomon.formats.builtin import ALIASES
from slomon.formats.dialects import read_given
from slomon.formats.format import Format, Reading
from slomon.formats.json_lines import check_keys
from slomon.formats.registry import (
    find_format,
    find_json_format,
    known_formats,
    make_format,
    regex_format,
)
from slomon.log_replay.checkpoint import Trait
from slomon.options import STANDARD_INPUT, AnyPath, distinct_paths, naming_option
from slomon.sources.source import MAX_LINE
from slomon.text import quote

LATENESS: Final = 5 * TICKS_PER_SECOND
"""The default for access logs: a line is written when its request ends."""

FORMAT_NAMES: Final = (*(form.name for form in known_formats(server_errors_fail)), *ALIASES)

_BLOCK_BYTES: Final = 4 << 20
_DEFAULTS: Final = Endpoint("", NO_EMAIL, "", "", slo=0.999, window=300 * TICKS_PER_SECOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    What is replayed, and how.

    `hosts` are the logs of each host, in order; `formats` are those that a log may be in. A time in
    a log that names no zone is in `zone`. Without `endpoints`, at most `max_endpoints` are found in
    the logs, each with the owner, SLO and window of `defaults`. `changes` have the ticks at which
    they happened, and `rejected_records` counts the records of deploys that could not be read.
    Durations are ticks. If `lateness` or `match_exactly` is None, the format of each log decides;
    if `no_traffic` is None, no incident expires; if `resolution` is 0, windows are exact.
    """

    hosts: Sequence[Sequence[str]]
    formats: Sequence[Format]
    endpoints: Catalogue | None = None
    defaults: Endpoint = _DEFAULTS
    max_endpoints: int = 10_000
    changes: Sequence[tuple[int, Change]] = ()
    rejected_records: int = 0
    lateness: int | None = None
    match_exactly: bool | None = None
    min_requests: int = 1
    resolution: int = 0
    sli_series: bool = False
    no_traffic: int | None = None
    workers: int = 1
    is_failure: StatusRule = server_errors_fail
    zone: tzinfo | None = None
    block_bytes: int = _BLOCK_BYTES
    max_line: int = MAX_LINE


def identify_inputs(plan: Plan) -> dict[str, Trait]:
    """
    The part of a checkpoint's identity that no single option tells: the files, and what was read
    from those of the endpoints and the changes.
    """
    given = plan.endpoints
    return {
        "paths": repr([list(paths) for paths in plan.hosts]),
        "format": ", ".join(form.spec for form in plan.formats),
        "endpoints": _sum_up(given.endpoints) if given else "found in the logs",
        "changes": _sum_up(plan.changes),
        "rejected records": repr(plan.rejected_records),
    }


def _sum_up(values: Sequence[object]) -> Trait:
    """The number and a digest of values that are too many to show."""
    digest = hashlib.sha256()
    for value in values:
        digest.update(repr(value).encode(errors="backslashreplace"))
    return {"count": len(values), "digest": digest.hexdigest()}


def show_rule(is_failure: StatusRule) -> str:
    """A rule by its answers, as in '100-499 succeed, 500-599 fail': equal answers, equal text."""
    return StatusTable.from_rule(is_failure).describe()


def choose_formats(
    is_failure: StatusRule,
    zone: tzinfo | None,
    *,
    name: str | None,
    log_format: str | None = None,
    regex: str | None,
    json_keys: Mapping[str, str] | None,
) -> list[Format]:
    """
    The formats that a log may be in: the one that an option names, or else all known ones. If a
    configuration has several, the one that reads the log counts, or else nginx's own default.
    """
    reading = Reading(is_failure, zone)
    if log_format is not None:
        with naming_option("log_format"):
            given = [make_format(layout, reading) for layout in read_given(log_format)]
        combined = find_format("combined", known_formats(is_failure, zone))
        return given if len(given) == 1 or combined is None else [*given, combined]
    if regex is not None:
        with naming_option("regex"):
            return [regex_format(regex, is_failure, zone)]
    if json_keys is not None:
        with naming_option("json_keys"):
            check_keys(json_keys)
            return [find_json_format(json_keys, reading)]
    known = known_formats(is_failure, zone)
    if name is None:
        return known
    form = find_format(name, known)
    return [form] if form else []


def check_files(
    logs: Sequence[str],
    histories: Sequence[str],
    others: Iterable[AnyPath],
    outputs: Mapping[str, AnyPath | None],
) -> None:
    """
    Check the files of a replay before any of them is opened: the logs, the files of changes,
    `others` that are read as well, and the outputs by the names of their options.

    Raises OSError if a file that is read is missing or not readable, ConfigurationError if
    standard input or a file would be read twice, or a file that is read would be overwritten.
    """
    inputs = [*logs, *histories, *(os.fspath(other) for other in others)]
    _check_readable(inputs)
    _check_once([*logs, *histories])
    distinct_paths(outputs, inputs)


def measure(paths: Sequence[str]) -> int | None:
    """The bytes on disk of all these files; None if one of them is standard input or a pipe."""
    if not all(path != STANDARD_INPUT and Path(path).is_file() for path in paths):
        return None
    return sum(Path(path).stat().st_size for path in paths)


def _check_readable(paths: Sequence[str]) -> None:
    if (times := paths.count(STANDARD_INPUT)) > 1:
        raise ConfigurationError(f"standard input, '-', is given {times} times; allowed: once")
    for path in paths:
        if path != STANDARD_INPUT:
            _check_file(path)


def _check_once(paths: Sequence[str]) -> None:
    """Nobody wants the lines of a file counted twice, even under two names."""
    names: dict[tuple[int, int], str] = {}
    for path in paths:
        if path == STANDARD_INPUT or not Path(path).is_file():
            continue  # a pipe or a device delivers other bytes when it is read again
        found = Path(path).stat()
        if first := names.get((found.st_dev, found.st_ino)):
            raise ConfigurationError(
                f"{quote(path)} is given twice, the first time as {quote(first)}; allowed: each "
                "file once"
            )
        names[found.st_dev, found.st_ino] = path


def _check_file(path: str) -> None:
    """
    Raise the OSError that opening would raise. The file is not opened: opening and closing a pipe
    would end its writer.
    """
    Path(path).stat()
    if Path(path).is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not os.access(path, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
