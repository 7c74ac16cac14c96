"""Deploys as rows of a table: CSV with a header, divided by commas, semicolons or tabs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Final

from slomon.core.event import Change
from slomon.deploys.change_record import Record
from slomon.deploys.deploy import is_header, read_deploy


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
