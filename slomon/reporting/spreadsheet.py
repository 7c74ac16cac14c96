"""
Incidents as CSV (RFC 4180), which nothing can break and no spreadsheet takes for more than text.

Numbers and times are written as JSON has them, None as an empty cell. Lists are joined by `;`, the
candidates by their commits; a `;` or a backslash inside has a backslash before it.

A spreadsheet runs what begins with = + - @, a tab or a line's end as a formula, and commits and
names come from outside. So such text has an apostrophe before it, as OWASP advises
(https://owasp.org/www-community/attacks/CSV_Injection), also after spaces, as wide characters, and
where it begins with apostrophes already: whoever reads it back takes off one, and has the text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Final

from slomon.core.attribution import Candidate
from slomon.core.records import IncidentRecord
from slomon.reporting.column import COLUMNS

FORMULA: Final = re.compile(r"'*(?:[\s\0]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n\0])")
"""How text begins that is written with one more apostrophe than it has."""


def csv_lines(records: Iterable[IncidentRecord]) -> Iterator[str]:
    """The columns' names, then a row an incident. Cells may hold line ends; rows lack theirs."""
    yield _write(column.name for column in COLUMNS)
    for record in records:
        yield _write(_cell(column.look(record)) for column in COLUMNS)


def _write(cells: Iterable[object]) -> str:
    row = StringIO()
    csv.writer(row).writerow(cells)  # ends rows with CRLF, so it quotes cells with either of them
    return row.getvalue().removesuffix("\r\n")


def _cell(value: object) -> object:
    match value:
        case str():
            return f"'{value}" if FORMULA.match(value) else str(value)
        case tuple():
            return _cell(";".join(map(_item, value)))
    return value


def _item(value: object) -> str:
    text = value.commit if isinstance(value, Candidate) else str(value)
    return re.sub(r"([;\\])", r"\\\1", text)
