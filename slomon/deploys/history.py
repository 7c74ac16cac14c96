"""
The deploy history: the changes of all change files, in order of time.

The format of a change file is detected from its text.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Final

from slomon.core.events import Change, Excluded, RejectedLine
from slomon.dates import Undated, read_rough_date
from slomon.deploys.parsers import FORMATS
from slomon.deploys.records import DEFAULT_RULES, DeployRules, Record
from slomon.errors import ConfigurationError
from slomon.sources.source import Source, open_source
from slomon.text import excerpt, quote

MAX_BYTES: Final = 64 * 1024 * 1024
"""The most bytes of a change file, decompressed."""

MAX_LINES: Final = 4_000_000
"""The most lines of a change file."""

MAX_RECORDS: Final = 250_000
"""The most records of a change file, rejected ones included."""

_BLOCK_BYTES: Final = 1024 * 1024
_DETECTION_CHARACTERS: Final = 64 * 1024  # from the first line on that is not blank


@dataclass(frozen=True, slots=True)
class History:
    """
    Changes with the ticks of their deploys, in order of time, the rejected records by the line at
    which they begin, and the number of deploys that don't count by reason.
    """

    changes: list[tuple[int, Change]]
    rejected: list[RejectedLine]
    excluded: dict[str, int] = field(default_factory=dict)


def read_history(
    paths: Sequence[str], zone: tzinfo | None, service: str, rules: DeployRules = DEFAULT_RULES
) -> History:
    """
    The changes of all these files, which may be compressed; `-` is standard input. See
    `read_changes` for `zone`, `service` and `rules`.

    Raises OSError if a file can't be read to its end or is larger than `MAX_BYTES` or `MAX_LINES`,
    ConfigurationError as `read_changes` does.
    """
    changes: list[tuple[int, Change]] = []
    rejected: list[RejectedLine] = []
    excluded: dict[str, int] = {}
    for path in paths:
        name, text = _read_text(path)
        try:
            read = read_changes(text, name, zone=zone, service=service, rules=rules)
        except ConfigurationError as error:
            raise ConfigurationError(f"{excerpt(name, 1000)}: {error}") from None
        changes += read.changes
        rejected += read.rejected
        for reason, count in read.excluded.items():
            _count(excluded, reason, count)
    changes.sort(key=_tick)
    return History(changes, rejected, excluded)


def read_changes(
    text: str,
    file: str = "",
    *,
    zone: tzinfo | None = None,
    service: str = "",
    rules: DeployRules = DEFAULT_RULES,
) -> History:
    """
    The changes of a file's text, whose format is detected.

    * `file`: the name of the file in the rejected records
    * `zone`: the zone of dates that don't name one
    * `service`: the service of records that don't name one
    * `rules`: the fields of records, and the environments that count

    Changes of the same time are in the order in which they were made: in the order of the file, or
    in reverse if the file runs from new to old, as the output of `git log` does.

    Raises ConfigurationError if no format is detected, if there are over `MAX_RECORDS` records, or
    if a date has no zone and `zone` is None: accesses are in UTC, and without a zone the two
    can't be put in order.
    """
    # git log -z ends commits with null characters.
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\0", "\n")
    name = _detect_format(text, rules)
    changes: list[tuple[int, Change]] = []
    rejected: list[RejectedLine] = []
    excluded: dict[str, int] = {}
    for number, record in enumerate(FORMATS[name].read(text, rules) if name else (), 1):
        if number > MAX_RECORDS:
            raise ConfigurationError(f"it {_over(MAX_RECORDS, 'records')}")
        dated = _date_change(record, zone)
        if isinstance(dated, str):
            rejected.append(RejectedLine(file, record.line, record.text, dated))
        elif isinstance(dated, Excluded):
            _count(excluded, dated.reason)
        else:
            tick, change = dated
            changes.append((tick, replace(change, service=change.service or service)))
    return History(_order(changes, name), rejected, excluded)


def _read_text(path: str) -> tuple[str, str]:
    buffer = bytearray(_BLOCK_BYTES)
    parts: list[bytes] = []
    size = lines = 0
    with open_source(path) as source:
        while count := source.read(buffer):
            parts.append(bytes(memoryview(buffer)[:count]))
            size += count
            lines += buffer.count(b"\n", 0, count)
            if size > MAX_BYTES:
                raise _unreadable(source, f"it {_over(MAX_BYTES, 'bytes of text')}")
            if lines > MAX_LINES:
                raise _unreadable(source, f"it {_over(MAX_LINES, 'lines')}")
        if source.problem is not None:
            raise _unreadable(source, source.problem)
    # One by one: an interrupt waits for the end of a decoding, which is slow if little is UTF-8.
    decoder = getincrementaldecoder("utf-8")("backslashreplace")
    return source.name, "".join([*map(decoder.decode, parts), decoder.decode(b"", final=True)])


def _unreadable(source: Source, reason: str) -> OSError:
    return OSError(f"{excerpt(source.name, 1000)}: {reason}")


def _over(most: int, things: str) -> str:
    return f"has over {most} {things}; allowed: at most {most}"


def _detect_format(text: str, rules: DeployRules) -> str:
    for line in _list_first_lines(text):
        for name, form in FORMATS.items():
            if form.starts(line, rules):
                return name
    if text.strip():
        raise ConfigurationError(
            f"the changes begin with {quote(text.lstrip())}; allowed: {_ALLOWED_FORMATS}"
        )
    return ""


def _list_first_lines(text: str) -> list[str]:
    """The whole lines by which the format is detected: the first one that isn't blank, and more."""
    begin = text.rfind("\n", 0, len(text) - len(text.lstrip())) + 1
    end = text.rfind("\n", begin, begin + _DETECTION_CHARACTERS)
    if end < 0:
        end = text.find("\n", begin)
    return text[begin : len(text) if end < 0 else end].split("\n")


def _date_change(record: Record, zone: tzinfo | None) -> tuple[int, Change] | Excluded | str:
    change = record.change
    if not isinstance(change, Change):
        return change
    tick = read_rough_date(change.date, zone)
    if not isinstance(tick, Undated):
        return tick, change
    if zone is None and not isinstance(read_rough_date(change.date, UTC), Undated):
        raise ConfigurationError(
            f"line {record.line}: the date {quote(change.date)} has no offset from UTC, so it "
            "can't be compared with the times of accesses; allowed: a date with an offset, or "
            "--change-zone (change_zone=) with the zone of all dates without one"
        )
    return tick.reason


def _count(excluded: dict[str, int], reason: str, count: int = 1) -> None:
    """Count a reason. Environments are unbounded, so only the first reasons are kept apart."""
    if reason not in excluded and len(excluded) >= _MAX_REASONS:
        reason = "other"
    excluded[reason] = excluded.get(reason, 0) + count


def _order(changes: list[tuple[int, Change]], format_name: str) -> list[tuple[int, Change]]:
    ticks = [tick for tick, _ in changes]
    # After a rebase many commits have the same second; in a short log all of them may.
    backwards = ticks[:1] > ticks[-1:] or (ticks[:1] == ticks[-1:] and "git" in format_name)
    return sorted(reversed(changes) if backwards else changes, key=_tick)


def _tick(change: tuple[int, Change]) -> int:
    return change[0]


_MAX_REASONS: Final = 100

_ALLOWED_FORMATS: Final = (
    "blocks of the lines 'commit: ', 'Author: ', 'Date: ' and 'Service: '; what git log prints, "
    "in its default form, with --format=fuller, or as lines of a hash and a date; tags with their "
    "dates; JSON of deploys or CDEvents; CSV or aligned columns of deploys, with a header that "
    "names a commit's and a date's column, such as "
    "'commit,deployed_at'; --change-keys (change_keys=) names other columns"
)
