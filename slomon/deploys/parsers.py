"""
The formats of change files, in `FORMATS`. Each has a function that recognises the first line of a
record, or of the file's header, and one that reads all records of a text.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from itertools import dropwhile, pairwise, takewhile
from typing import Final, NamedTuple

from slomon.core.events import Change, Excluded, Malformed, parse_change
from slomon.dates import Undated, is_day, read_rough_date
from slomon.deploys.records import (
    DeployRules,
    Record,
    find_deploys,
    is_header,
    read_deploy,
)
from slomon.deploys.tools import flatten
from slomon.text import excerpt, quote

_BLOCK_START: Final = re.compile("commit: ")

_COMMIT_START: Final = re.compile(r"commit ([0-9a-f]{4,64})(?!\S)")
_COMMIT_FIELD: Final = re.compile(r"(Author|Date|CommitDate|committer)(?:: *|(?= ))(.*)")

_HASH: Final = re.compile("[0-9a-f]{7,64}")
_VERSION: Final = r"v\d[\w.+-]*|\d+\.\d+(?:\.\d+)?(?:[+-][\w.+-]+)?"
_NAME: Final = re.compile(rf"{_HASH.pattern}|(?:[a-zA-Z][\w./-]*[@/-])?(?:{_VERSION})", re.ASCII)
# What stands before a hash: the graph of git, or the version of a release of Heroku
_BEFORE_HASH: Final = re.compile(r"[\s*|/\\]*(?:v\d+\s+Deploy\s)?", re.ASCII)
_DECORATION: Final = re.compile(r" \((?=HEAD|tag: |\w+/)(?:[^)]*?tag: ([^,)]+))?[^)]*\)")
_SEPARATORS: Final = re.compile(r"[\s|,;\"'(){}]+")
_MAX_DATE_WORDS: Final = 7
_MAX_COMMIT_LINE: Final = 400  # characters
_EPOCH: Final = re.compile(r"\d{9,19}")

_OBJECTS_START: Final = re.compile(r"\s*(\{|\[+\s*(\{|\]*\s*$))")
_VALUE_START: Final = re.compile(r"[^\s,\[\]]")
_USUAL_OBJECT: Final = 65_536  # characters
_ALLOWED_OBJECTS: Final = "an object of JSON"
# Numbers stay text: a time must not pass through a float.
_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)

_ALIGNED: Final = "  "  # the delimiter of columns that spaces align
_DELIMITERS: Final = (*",;\t", _ALIGNED)
_MAX_ROW_LINES: Final = 100


def read_blocks(text: str, _: DeployRules) -> Iterator[Record]:
    """Changes of four lines each, as in an event stream; blank lines are skipped."""
    for number, lines in _split_records(text, _BLOCK_START):
        block = "\n".join(line for line in lines if line.strip())
        change = parse_change(block)
        yield Record(number, block, change.reason if isinstance(change, Malformed) else change)


def read_log(text: str, _: DeployRules) -> Iterator[Record]:
    """
    The commits in the output of `git log`, in git's default format or in `--format=fuller`, with
    any `--date=` that has a day or a time.

    The author's date stays the same when a commit is rebased, amended or picked, which can be weeks
    later. The committer's date (`fuller`) is nearer to the deploy, so it is used if present.
    Messages, notes, patches and statistics are skipped: they follow a blank line, and none of their
    lines starts like a commit.
    """
    for number, lines in _split_records(text, _COMMIT_START):
        head = list(takewhile(str.strip, lines))
        yield Record(number, "\n".join(head), _read_commit(head))


def _read_commit(head: list[str]) -> Change | str:
    start = _COMMIT_START.match(head[0])
    if start is None:
        return "it stands above the first line 'commit <hash>'"
    fields = {field[1]: field[2] for line in head if (field := _COMMIT_FIELD.fullmatch(line))}
    raw = fields.get("committer", "").rpartition("> ")[2]
    date = fields.get("CommitDate") or fields.get("Date") or raw
    if not date:
        return "it has no line 'Date: ' or 'CommitDate: '"
    return Change(start[1], fields.get("Author", ""), date, service="")


def read_lines(text: str, _: DeployRules) -> Iterator[Record]:
    """
    The commits in the output of `git log` with a line for each: the hash and then the date, as in
    `--format='%H %an %cI'` and `--format=reference`, or the date and directly behind it the hash.
    A tag that is a version may stand for the hash, directly beside the date. Separators are white
    space, commas, semicolons, bars, quotes, parentheses and braces. The first word with an `@` in
    it is the author. Lines of a mere graph are skipped.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip(" *|/\\_"):
            yield Record(number, line, _read_line(line) or "it has no hash with a date")


def _read_line(line: str) -> Change | None:
    # The hash and the date are near the beginning or, in --format=reference, at the end.
    line = _BEFORE_HASH.sub("", line[:_MAX_COMMIT_LINE], count=1)
    line = _DECORATION.sub(r" \1", line, count=1)
    words = [word for word in _SEPARATORS.split(line) if word]
    for is_date in (_is_written_date, _is_epoch):
        for first in range(len(words)):
            date = _find_date(words[first:], is_date)
            names = words[len(date.split(" ")) :][:1] if first == 0 else words[:1]
            name = _HASH if first > 1 else _NAME
            if date and names and name.fullmatch(names[0]):
                others = (word.strip("<>@") for word in words if word != names[0])
                author = next((word for word in others if "@" in word), "")
                return Change(names[0].removeprefix("refs/tags/"), author, date, service="")
            if not _NAME.fullmatch(words[0]):
                break
    return None


def _find_date(words: list[str], is_date: Callable[[str], bool]) -> str:
    """The longest date at the beginning of these words; "" if they begin with none."""
    dates = (" ".join(words[:size]) for size in range(min(_MAX_DATE_WORDS, len(words)), 0, -1))
    return next(filter(is_date, dates), "")


def _is_written_date(text: str) -> bool:
    # Other numbers would be seconds of 1970.
    has_form = ":" in text or is_day(text)
    return has_form and not isinstance(read_rough_date(text, UTC), Undated)


def _is_epoch(text: str) -> bool:
    return _EPOCH.fullmatch(text) is not None


def read_objects(text: str, rules: DeployRules) -> Iterator[Record]:
    """
    The deploys of JSON objects: in one array, one object per line, or one after another over
    several lines; each is a deploy, or holds a list of deploys. Brackets, commas and white space
    between objects are skipped. Text that isn't JSON is rejected up to the end of its line.
    """
    line, place, limit = 1, 0, len(text)
    while found := _VALUE_START.search(text, place):
        start = found.start()
        line += text.count("\n", place, start)
        value, length = _decode(text, start, limit)
        if isinstance(value, dict) and length:
            place = start + length
            for shown, change in _read_object(text[start:place], value, rules):
                yield Record(line, shown, change)
        else:
            if not length:
                limit = _USUAL_OBJECT  # a long text is tried to its end only once
            place = start + length if length else _find_line_end(text, start)
            reason = f"it is {quote(value)}; allowed: {_ALLOWED_OBJECTS}" if length else str(value)
            yield Record(line, text[start:place], reason)
        line += text.count("\n", start, place)


def _decode(text: str, start: int, limit: int) -> tuple[object, int]:
    """
    The value that begins at `start` and its length; a reason and 0 if it isn't JSON.

    Only a part of the text is decoded, a longer one if that is too short: for an error, the decoder
    counts the lines from the beginning.
    """
    size = _USUAL_OBJECT
    while True:
        try:
            return _DECODER.raw_decode(text[start : start + size])
        except (ValueError, RecursionError) as error:
            if size >= limit or start + size >= len(text):
                return f"it is not JSON: {error}; allowed: {_ALLOWED_OBJECTS}", 0
        size *= 16


def _read_object(
    text: str, value: dict[str, object], rules: DeployRules
) -> Iterator[tuple[str, Change | Excluded | str]]:
    deploys = list(find_deploys(value, rules))
    for found, fields in deploys:
        yield text if found is value else _show(found), read_deploy(fields, rules)
    if not deploys:
        yield text, read_deploy(flatten(value), rules)


def _show(found: Mapping[str, object]) -> str:
    try:
        return json.dumps(found)
    except RecursionError:  # writing takes more of the stack than reading
        return excerpt(found, 1000)


def _find_line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def read_table(text: str, rules: DeployRules) -> Iterator[Record]:
    """
    The deploys of CSV rows below a header, separated by commas, semicolons or tabs, or aligned by
    two spaces and more. Lines above the header are rejected one by one.

    A row may span several lines within quotes. If a row doesn't fit the header, only its first line
    is rejected, so a quote that is never closed doesn't consume the rest of the table.
    """
    lines = text.split("\n")
    top = next(number for number, line in enumerate(lines) if _find_delimiter(line, rules))
    for number, line in enumerate(lines[:top], 1):
        if line.strip():
            yield Record(number, line, "it stands above the header")
    yield from _read_rows(lines, top, rules)


def _read_rows(lines: list[str], top: int, rules: DeployRules) -> Iterator[Record]:
    delimiter = _find_delimiter(lines[top], rules) or ""
    names, _ = _split_row(lines, top, delimiter)
    place = top + 1
    while place < len(lines):
        row, height = _split_row(lines, place, delimiter)
        change = _read_row(names, row, rules)
        if isinstance(change, str):
            height = 1
        text = "\n".join(lines[place : place + height])
        if text.strip():
            yield Record(place + 1, text, change)
        place += height


def _read_row(names: list[str], row: list[str], rules: DeployRules) -> Change | Excluded | str:
    if not row:
        return "it is no row: a quote in it is out of place or never closed, or a field too long"
    if len(row) != len(names):
        return f"it has fields: {len(row)}; allowed: {len(names)}, as in the header"
    return read_deploy(flatten(dict(zip(names, row, strict=True))), rules)


def _split_row(lines: list[str], place: int, delimiter: str) -> tuple[list[str], int]:
    """The fields of the row at a line and its number of lines; no fields if quotes are broken."""
    if delimiter == _ALIGNED:
        return re.split(r"\s{2,}", lines[place].strip()), 1
    rest = (f"{line}\n" for line in lines[place : place + _MAX_ROW_LINES])
    rows = csv.reader(rest, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        return next(rows), rows.line_num
    except csv.Error:
        return [], 1


def _find_delimiter(line: str, rules: DeployRules) -> str | None:
    found = (delimiter for delimiter in _DELIMITERS if delimiter in line)
    splits = ((delimiter, _split_row([line], 0, delimiter)[0]) for delimiter in found)
    return next((delimiter for delimiter, names in splits if is_header(names, rules)), None)


def _split_records(text: str, start: re.Pattern[str]) -> Iterator[tuple[int, list[str]]]:
    """
    Each record's first line number and lines. A record begins at a line that `start` matches. Lines
    before the first such line are a record too, so that they are counted.
    """
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines) if start.match(line)]
    for begin, end in pairwise([0, *starts, len(lines)]):
        record = list(dropwhile(lambda line: not line.strip(), lines[begin:end]))
        if record:
            yield end - len(record) + 1, record


class ChangeFormat(NamedTuple):
    """A format: is a line the first one of a record or the header, and which records has a text?"""

    starts: Callable[[str, DeployRules], object]
    read: Callable[[str, DeployRules], Iterator[Record]]


FORMATS: Final = {
    "blocks": ChangeFormat(lambda line, _: _BLOCK_START.match(line), read_blocks),
    "git log": ChangeFormat(lambda line, _: _COMMIT_START.match(line), read_log),
    "json": ChangeFormat(lambda line, _: _OBJECTS_START.match(line), read_objects),
    "csv": ChangeFormat(_find_delimiter, read_table),
    "git lines": ChangeFormat(lambda line, _: _read_line(line), read_lines),
}
"""All formats by name, in the order of the trials."""
