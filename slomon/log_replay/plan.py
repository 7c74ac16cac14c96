"""
The files of a replay: all there before any of them is opened, and none of them overwritten.

What a replay is set up with, chosen by its options: formats, endpoints and speed.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final, TypeAlias

from slomon.core.endpoints import Catalogue, Endpoint
from slomon.core.events import (
    Change,
    RejectedLine,
    StatusRule,
    classify_status,
    server_errors_fail,
)
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.dates import show_duration
from slomon.endpoints.config import NO_EMAIL
from slomon.errors import ConfigurationError, OptionError
from slomon.formats.registry import Format, json_format, known_formats, regex_format
from slomon.log_replay.checkpoint import (
    Checkpoint,
    SavedState,
    Trait,
)
from slomon.options import (
    AnyPath,
    Duration,
    as_path,
    check_choice,
    check_mutually_exclusive,
    naming_option,
    option_error,
    read_duration,
    read_objective,
    read_text,
    read_texts,
)
from slomon.sources.source import MAX_LINE
from slomon.text import quote

_MATCHES: Final = {None: "the default", True: "exact", False: "template"}


def fingerprint(plan: Plan) -> dict[str, Trait]:
    """What of a plan must be the same."""
    given, defaults = plan.endpoints, plan.defaults
    return {
        "paths": repr([list(paths) for paths in plan.hosts]),
        "format": ", ".join(form.name for form in plan.formats),
        "endpoints": _sum_up(given.endpoints) if given else "found in the logs",
        "service": defaults.name or "None",
        "slo": repr(defaults.slo),
        "window": show_duration(defaults.window),
        "max endpoints": repr(plan.max_endpoints),
        "changes": _sum_up(plan.changes),
        "rejected records": repr(plan.rejected_records),
        "lateness": "the default" if plan.lateness is None else show_duration(plan.lateness),
        "match": _MATCHES[plan.match_exactly],
        "min requests": repr(plan.min_requests),
        "resolution": show_duration(plan.resolution),
        "sli series": repr(plan.sli_series),
        "close after no traffic": "off"
        if plan.no_traffic is None
        else show_duration(plan.no_traffic),
        "workers": repr(plan.workers),
        "rule of failures": _describe(plan.is_failure),
    }


def _sum_up(values: Sequence[object]) -> Trait:
    """Of too many values to show: how many they are, and whether they are the same."""
    digest = hashlib.sha256()
    for value in values:
        digest.update(repr(value).encode(errors="backslashreplace"))
    return {"count": len(values), "digest": digest.hexdigest()}


def _describe(is_failure: StatusRule) -> str:
    """A rule by what it answers, as in '100-499 succeed, 500-599 fail': two such are the same."""
    parts = []
    for failed, stretch in groupby(range(1000), partial(classify_status, is_failure)):
        statuses = list(stretch)
        if failed is not None:
            parts.append(f"{statuses[0]}-{statuses[-1]} {'fail' if failed else 'succeed'}")
    return ", ".join(parts)


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
        raise option_error(name, value, _PATHS)
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


_SLO: Final = 0.999
_WINDOW: Final = "5m"


def choose_formats(
    is_failure: StatusRule,
    zone: tzinfo | None,
    *,
    name: str | None,
    regex: str | None,
    json_keys: Mapping[str, str] | None,
) -> list[Format]:
    """The formats that a log may be in: all that are known, or the one that was asked for."""
    check_mutually_exclusive(format=name, regex=regex, json_keys=json_keys)
    if regex is not None:
        pattern = read_text("regex", regex)
        with naming_option("regex"):
            return [regex_format(pattern, is_failure, zone)]
    if json_keys is not None:
        keys = read_texts("json_keys", json_keys)
        with naming_option("json_keys"):
            return [json_format(keys, is_failure, zone)]
    known = known_formats(is_failure, zone)
    if name is None:
        return known
    check_choice("format", name, [form.name for form in known])
    return [form for form in known if form.name == name]


def choose_endpoint(owner: str, slo: float | str | None, window: Duration | None) -> Endpoint:
    """What found endpoints are like: their owner ("" for none), SLO and window."""
    return Endpoint(
        name=owner,
        email=NO_EMAIL,
        verb="",
        resource="",
        slo=read_objective("slo", _SLO if slo is None else slo),
        window=read_duration("window", _WINDOW if window is None else window, least=1),
    )


_BLOCK_BYTES: Final = 4 << 20
_LATENESS: Final = 5 * TICKS_PER_SECOND  # of access logs: lines are written when requests end


_LIKE: Final = Endpoint("", "-", "", "", slo=0.999, window=300 * TICKS_PER_SECOND)


def _ignore(*_: object) -> None:
    """For whoever doesn't want to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    What is replayed. `hosts` are the logs of each, in order; `endpoints` are given, or else found,
    at most `max_endpoints` of them and all like `defaults`; `changes` have the ticks at which they
    happened. `formats` are those a log may be in.
    """

    hosts: Sequence[Sequence[str]]
    formats: Sequence[Format]
    endpoints: Catalogue | None = None
    defaults: Endpoint = _LIKE
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
    block_bytes: int = _BLOCK_BYTES
    max_line: int = MAX_LINE
    checkpoint: Checkpoint | None = None
    saved: SavedState | None = None
    save_rejections: Callable[[], object] = list
    on_rejected: Callable[[RejectedLine], None] = _ignore
    on_recognised: Callable[[str, str], None] = _ignore
