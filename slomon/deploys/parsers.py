"""
The formats of change files. Each has a function that recognises the first line of a record, or of
the file's header, and one that reads all records of a text.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from itertools import dropwhile, pairwise, takewhile
from typing import Final

from slomon.core.events import Change, Malformed, parse_change
from slomon.deploys.records import Record, is_header, read_deploy
from slomon.text import quote

_BLOCK_START: Final = re.compile("commit: ")

_COMMIT_START: Final = re.compile(r"commit ([0-9a-f]{4,64})(?!\S)")
_COMMIT_FIELD: Final = re.compile(r"(Author|Date|CommitDate): *(.*)")

_OBJECTS_START: Final = re.compile(r"\s*(\{|\[\s*(\{|\]?\s*$))")
_VALUE_START: Final = re.compile(r"[^\s,\[\]]")
_MAX_OBJECT: Final = 65_536  # characters
_ALLOWED_OBJECTS: Final = f"an object of JSON of at most {_MAX_OBJECT} characters"
# Numbers stay text: a time must not pass through a float.
_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)

_DELIMITERS: Final = ",;\t"
_MAX_ROW_LINES: Final = 100


def starts_block(line: str) -> bool:
    """Is this the first line of a change as in an event stream?"""
    return _BLOCK_START.match(line) is not None


def read_blocks(text: str) -> Iterator[Record]:
    """Changes of four lines each, as in an event stream; blank lines are skipped."""
    for number, lines in _split_records(text, _BLOCK_START):
        block = "\n".join(line for line in lines if line.strip())
        change = parse_change(block)
        yield Record(number, block, change.reason if isinstance(change, Malformed) else change)


def starts_commit(line: str) -> bool:
    """Is this the first line of a commit in the output of `git log`?"""
    return _COMMIT_START.match(line) is not None


def read_log(text: str) -> Iterator[Record]:
    """
    The commits in the output of `git log`, in git's default format or in `--format=fuller`, with
    any `--date=` that has the time to the second.

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
    date = fields.get("CommitDate") or fields.get("Date")
    if not date:
        return "it has no line 'Date: ' or 'CommitDate: '"
    return Change(start[1], fields.get("Author", ""), date, service="")


def starts_objects(line: str) -> bool:
    """Does a JSON object, or an array of objects, begin in this line?"""
    return _OBJECTS_START.match(line) is not None


def read_objects(text: str) -> Iterator[Record]:
    """
    The deploys of JSON objects: in one array, one object per line, or one after another over
    several lines. Brackets, commas and white space between objects are skipped. Text that isn't
    JSON is rejected up to the end of its line.
    """
    line, place = 1, 0
    while found := _VALUE_START.search(text, place):
        start = found.start()
        line += text.count("\n", place, start)
        change, place = _read_object(text, start)
        yield Record(line, text[start:place], change)
        line += text.count("\n", start, place)


def _read_object(text: str, start: int) -> tuple[Change | str, int]:
    # Only a part of the text: for an error, the decoder counts the lines from the beginning.
    try:
        value, length = _DECODER.raw_decode(text[start : start + _MAX_OBJECT])
    except (ValueError, RecursionError) as error:
        return f"it is not JSON: {error}; allowed: {_ALLOWED_OBJECTS}", _find_line_end(text, start)
    if not isinstance(value, dict):
        return f"it is {quote(value)}; allowed: {_ALLOWED_OBJECTS}", start + length
    return read_deploy(value), start + length


def _find_line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def starts_table(line: str) -> bool:
    """Is this line a header of CSV, with a column for the commit and one for the date?"""
    return _find_delimiter(line) is not None


def read_table(text: str) -> Iterator[Record]:
    """
    The deploys of CSV rows below a header, separated by commas, semicolons or tabs. Lines above the
    header are rejected one by one.

    A row may span several lines within quotes. If a row doesn't fit the header, only its first line
    is rejected, so a quote that is never closed doesn't consume the rest of the table.
    """
    lines = text.split("\n")
    top = next(number for number, line in enumerate(lines) if starts_table(line))
    for number, line in enumerate(lines[:top], 1):
        if line.strip():
            yield Record(number, line, "it stands above the header")
    yield from _read_rows(lines, top)


def _read_rows(lines: list[str], top: int) -> Iterator[Record]:
    delimiter = _find_delimiter(lines[top]) or ""
    names, _ = _split_row(lines, top, delimiter)
    place = top + 1
    while place < len(lines):
        row, height = _split_row(lines, place, delimiter)
        change = _read_row(names, row)
        if isinstance(change, str):
            height = 1
        text = "\n".join(lines[place : place + height])
        if text.strip():
            yield Record(place + 1, text, change)
        place += height


def _read_row(names: list[str], row: list[str]) -> Change | str:
    if not row:
        return "it is no row: a quote in it is out of place or never closed, or a field too long"
    if len(row) != len(names):
        return f"it has fields: {len(row)}; allowed: {len(names)}, as in the header"
    return read_deploy(dict(zip(names, row, strict=True)))


def _split_row(lines: list[str], place: int, delimiter: str) -> tuple[list[str], int]:
    """The fields of the row at a line and its number of lines; no fields if quotes are broken."""
    rest = (f"{line}\n" for line in lines[place : place + _MAX_ROW_LINES])
    rows = csv.reader(rest, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        return next(rows), rows.line_num
    except csv.Error:
        return [], 1


def _find_delimiter(line: str) -> str | None:
    found = (delimiter for delimiter in _DELIMITERS if delimiter in line)
    splits = ((delimiter, _split_row([line], 0, delimiter)[0]) for delimiter in found)
    return next((delimiter for delimiter, names in splits if is_header(names)), None)


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
