"""
Deploys as objects of JSON.

Deploys as rows of a table: CSV with a header, divided by commas, semicolons or tabs.

What `git log` prints, read for its commits: who made them and when.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

from slomon.core.events import Change
from slomon.deploys.records import Record, is_header, read_deploy, split_records
from slomon.text import quote


def opens_objects(line: str) -> bool:
    """Does an object begin here, or an array of them?"""
    return _OPENING.match(line) is not None


def read_objects(text: str) -> Iterator[Record]:
    """
    The deploys of objects that stand in one array, or in a line each, or one after the other in
    many lines each: brackets, commas and white space between objects are all passed over. What is
    not JSON is rejected to the end of its line, and reading goes on with the next.
    """
    line, place = 1, 0
    while found := _BEGINNING.search(text, place):
        start = found.start()
        line += text.count("\n", place, start)
        change, place = _read_object(text, start)
        yield Record(line, text[start:place], change)
        line += text.count("\n", start, place)


def _read_object(text: str, start: int) -> tuple[Change | str, int]:
    # A piece of the text, since where JSON is wrong its lines are counted from the beginning.
    try:
        value, length = _DECODER.raw_decode(text[start : start + _LONGEST])
    except (ValueError, RecursionError) as error:
        return f"it is not JSON: {error}; allowed: {_OBJECTS}", _find_line_end(text, start)
    if not isinstance(value, dict):
        return f"it is {quote(value)}; allowed: {_OBJECTS}", start + length
    return read_deploy(value), start + length


def _find_line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


_OPENING: Final = re.compile(r"\s*(\{|\[\s*(\{|\]?\s*$))")
_BEGINNING: Final = re.compile(r"[^\s,\[\]]")
_LONGEST: Final = 65_536
_OBJECTS: Final = f"an object of JSON of at most {_LONGEST} characters"
# Numbers stay as they are written: a time must not pass through a float.
_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


def opens_table(line: str) -> bool:
    """Is this line a header: names of columns, a commit's and a date's among them?"""
    return _find_delimiter(line) is not None


def read_table(text: str) -> Iterator[Record]:
    """
    The deploys of the rows below the header; what stands above it is rejected line by line.

    A row may span lines, within quotes. One that doesn't fit the header costs its first line
    only, so a quote that is never closed doesn't swallow the rest of the table.
    """
    lines = text.split("\n")
    top = next(number for number, line in enumerate(lines) if opens_table(line))
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
    """The fields that begin in a line, and how many lines they span; no fields in torn quotes."""
    rest = (f"{line}\n" for line in lines[place : place + _TALLEST_ROW])
    rows = csv.reader(rest, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        return next(rows), rows.line_num
    except csv.Error:
        return [], 1


def _find_delimiter(line: str) -> str | None:
    splits = ((delimiter, _split_row([line], 0, delimiter)[0]) for delimiter in _DELIMITERS)
    return next((delimiter for delimiter, names in splits if is_header(names)), None)


_DELIMITERS: Final = ",;\t"
_TALLEST_ROW: Final = 100  # lines


def opens_commit(line: str) -> bool:
    """Does a commit of a log begin here?"""
    return _COMMIT_LINE.match(line) is not None


def read_log(text: str) -> Iterator[Record]:
    """
    The commits of a log in git's default format or in `--format=fuller`, with any `--date=`
    that tells the time to the second.

    The author's date stays the same when a commit is rebased, amended or picked, which can be
    weeks later; the committer's (`fuller`) is nearer to the deploy, and counts where it is there.
    Messages, notes, patches and statistics are passed over: they stand below a blank line, and
    git begins none of their lines with the word that begins a commit.
    """
    for number, lines in split_records(text, _COMMIT_LINE):
        head = list(takewhile(str.strip, lines))
        yield Record(number, "\n".join(head), _read_commit(head))


def _read_commit(head: list[str]) -> Change | str:
    opening = _COMMIT_LINE.match(head[0])
    if opening is None:
        return "it stands above the first line 'commit <hash>'"
    fields = {field[1]: field[2] for line in head if (field := _FIELD.fullmatch(line))}
    date = fields.get("CommitDate") or fields.get("Date")
    if not date:
        return "it has no line 'Date: ' or 'CommitDate: '"
    return Change(opening[1], fields.get("Author", ""), date, service="")


_COMMIT_LINE: Final = re.compile(r"commit ([0-9a-f]{4,64})(?!\S)")
_FIELD: Final = re.compile(r"(Author|Date|CommitDate): *(.*)")
