"""
Logs that name their columns in a line of their own: W3C logs (IIS, CloudFront) and CSV files.

The columns may change inside a file: the line that names them switches the format of the lines
after it.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from functools import partial
from typing import Final

from slomon.core.events import Malformed
from slomon.dates import Undated
from slomon.errors import ConfigurationError
from slomon.formats.format import Format, Item, Reading, Switch
from slomon.formats.layout import Field, Kind
from slomon.formats.names import choose_service, find_missing, guess_fields, keep_value
from slomon.formats.requests import read_request
from slomon.formats.times import find_time_form, read_any_time
from slomon.text import quote

_HEADER: Final = "#Fields:"
_SEPARATORS: Final = ",;\t|"
_ALIGNED: Final = "  "  # the separator of columns that spaces align
_WORD: Final = re.compile(r'"[^"]*"(?= |$)|[^ ]+')
_CLOCKS: Final = (("date", "time"), ("date-local", "time-local"))


@dataclass(frozen=True, slots=True)
class TableLayout:
    """
    The columns of a table: each line is a row of cells with `separator` between them.

    If two columns are times, they are a date and a time of day, and a space joins them. The path
    gets the text of the QUERY column behind a `?`, unless that is empty or `-`. The form of the
    time is "" until a row was read. If cells are `quoted`, a cell may stand in double quotes, in
    which a quote is doubled (RFC 4180). Two spaces as `separator` stand for one or more. Between
    spaces, a cell may stand in double quotes, unless the row has as many words as columns: IIS
    writes `+` for a space, and leaves quotes as they are. A time without a zone is in UTC if `utc`
    says so.
    """

    name: str
    separator: str
    columns: tuple[Field, ...]
    quoted: bool = False
    utc: bool = False

    def __post_init__(self) -> None:
        if missing := find_missing([column.kind for column in self.columns]):
            found = ", ".join(quote(column.name) for column in self.columns) or "none"
            raise ConfigurationError(f"the columns are {found}; allowed: names of {missing}")

    def show(self) -> str:
        """The header of the table, from which `given_table` makes the same layout."""
        names = self.separator.join(column.name for column in self.columns)
        return names if self.quoted else f"{_HEADER}{self.separator}{names}"

    def cells_of(self, kind: Kind) -> list[int]:
        """The numbers of the columns of this kind; at most two, for a time."""
        return [number for number, column in enumerate(self.columns) if column.kind is kind]


def w3c_format(reading: Reading, layout: TableLayout | None = None) -> Format:
    """The format of W3C logs, with the columns of the last `#Fields:` line if there was one."""
    layout = _choose_service_of(layout, reading)
    parse = partial(_parse_w3c, reading=reading, layout=layout)
    return _table_format("w3c", parse, layout, reading)


def csv_format(reading: Reading, layout: TableLayout | None = None) -> Format:
    """The format of CSV files, with the columns of the last header if there was one."""
    layout = _choose_service_of(layout, reading)
    parse = partial(_parse_csv, reading=reading, layout=layout)
    return _table_format("csv", parse, layout, reading)


def table_format(layout: TableLayout, reading: Reading) -> Format:
    """The format of a table whose columns are known."""
    return (csv_format if layout.quoted else w3c_format)(reading, layout)


def restore_table(text: str, reading: Reading) -> Format:
    """The format of a table, given the part of its `spec` after `table:`."""
    name, separator, quoted, form, names = json.loads(text)
    make = csv_layout if quoted else _w3c_layout
    layout = make(names, separator)
    return table_format(_with_form(replace(layout, name=name), form), reading)


def given_table(text: str) -> TableLayout | None:
    """The layout that a header describes: a `#Fields:` line or the header of a CSV file."""
    if text.startswith(_HEADER):
        return _read_fields(text)
    return _read_header(text)


def csv_layout(names: Sequence[str], separator: str) -> TableLayout:
    """The layout of a CSV file with these columns. Raises ConfigurationError if one is missing."""
    return TableLayout("csv", separator, guess_fields(tuple(names)), quoted=True)


def _choose_service_of(layout: TableLayout | None, reading: Reading) -> TableLayout | None:
    if layout is None or not reading.by_service:
        return layout
    return replace(layout, columns=tuple(choose_service(layout.columns)))


def _table_format(name: str, parse: object, layout: TableLayout | None, reading: Reading) -> Format:
    if layout is None:
        return Format(name, parse, spec=name)  # type: ignore[arg-type]
    form = layout.columns[layout.cells_of(Kind.TIME)[0]].form
    names = [column.name for column in layout.columns]
    state = json.dumps([layout.name, layout.separator, layout.quoted, form, names])
    known = layout if form else None
    zone, spec = UTC if layout.utc else reading.zone, f"table:{state}"
    return Format(layout.name, parse, layout=known, spec=spec, zone=zone)  # type: ignore[arg-type]


def _parse_w3c(line: str, *, reading: Reading, layout: TableLayout | None) -> Item | Switch:
    if line.startswith("#"):
        if not line.startswith(_HEADER):
            return None
        try:
            found = _read_fields(line)
        except ConfigurationError as error:
            return Malformed(line, str(error))
        found = _choose_service_of(found, reading) or found
        return None if found == layout else Switch(None, w3c_format(reading, found))
    if layout is None:
        return Malformed(line, f"no line before it names its columns; allowed: '{_HEADER} ...'")
    if layout.separator != "\t" and "\t" in line:
        tabbed = replace(layout, separator="\t")
        item = _read_cells(line, line.split("\t"), tabbed, reading)
        return Switch(item, w3c_format(reading, tabbed))
    if layout.separator == _ALIGNED or (layout.separator == " " and '"' in line):
        return _read_cells(line, _split_words(line, len(layout.columns)), layout, reading)
    return _read_cells(line, line.split(layout.separator), layout, reading)


def _split_words(line: str, count: int) -> list[str]:
    """The cells of a row that may have quotes, if there should be this many."""
    words = line.split(" ")
    if len(words) != count:
        words = _WORD.findall(line)
    return [word[1:-1] if len(word) > 1 and word[0] == word[-1] == '"' else word for word in words]


def _read_fields(line: str) -> TableLayout:
    text = line.removeprefix(_HEADER).strip()
    spaces = _ALIGNED if _ALIGNED in text else " "
    return _w3c_layout(text.split(), "\t" if "\t" in text else spaces)


def _w3c_layout(names: Sequence[str], separator: str) -> TableLayout:
    fields = list(guess_fields(tuple(names)))
    clock = next((pair for pair in _CLOCKS if set(pair) <= set(names)), ())
    for name in clock:  # in this order, or the other
        fields[list(names).index(name)] = Field(name, Kind.TIME, "iso")
    is_cloudfront = any(name.startswith("x-edge-") for name in names)
    for number, field in enumerate(fields):
        if field.kind is Kind.DURATION and field.name == "time-taken":
            fields[number] = replace(field, form="s" if is_cloudfront else "ms")
    name = "cloudfront" if is_cloudfront else "w3c"
    return TableLayout(
        *(name, "\t" if is_cloudfront else separator, tuple(fields)), utc="date-local" not in clock
    )


def _parse_csv(line: str, *, reading: Reading, layout: TableLayout | None) -> Item | Switch:
    if layout is None:
        try:
            found = _read_header(line)
        except ConfigurationError as error:
            return Malformed(line, str(error))
        if found is None:
            return Malformed(line, "no line before it names its columns; allowed: a header")
        return Switch(None, csv_format(reading, found))
    cells = _split_row(line, layout.separator)
    item = _read_cells(line, cells, layout, reading)
    if isinstance(item, Malformed):
        return _read_other(line, layout, reading) or item if _is_header(cells) else item
    at = layout.cells_of(Kind.TIME)[0]
    if layout.columns[at].form:
        return item
    form = find_time_form(cells[at])
    if form is None:
        return item
    return Switch(item, csv_format(reading, _with_form(layout, form.name)))


def _read_other(line: str, layout: TableLayout, reading: Reading) -> Switch | None:
    """The switch to the columns of another header in the file."""
    try:
        found = _read_header(line)
    except ConfigurationError:
        return None
    same = found is not None and [c.name for c in found.columns] == [c.name for c in layout.columns]
    return None if found is None else Switch(None, csv_format(reading, layout if same else found))


def _read_header(line: str) -> TableLayout | None:
    """The columns of a line if it is the header of a table; None if it is no header at all."""
    separator = max(_SEPARATORS, key=line.count)
    names = [name.strip() for name in _split_row(line, separator)]
    if len(names) < 3 or not _is_header(names):
        return None
    return csv_layout(names, separator)


def _is_header(cells: Sequence[str]) -> bool:
    """Can these be names? No name is empty, a number or a time."""
    return all(cell[:1].isalpha() or cell[:1] in "@_" for cell in cells)


def _split_row(line: str, separator: str) -> list[str]:
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _with_form(layout: TableLayout, form: str) -> TableLayout:
    columns = [
        replace(column, form=form) if column.kind is Kind.TIME else column
        for column in layout.columns
    ]
    return replace(layout, columns=tuple(columns))


def _read_cells(line: str, cells: Sequence[str], layout: TableLayout, reading: Reading) -> Item:
    if len(cells) < len(layout.columns):
        found, wanted = len(cells), len(layout.columns)
        return Malformed(line, f"it has {found} columns; allowed: {wanted}, as its header names")
    fields: dict[str, str] = {}
    times: list[str] = []
    for column, cell in zip(layout.columns, cells, strict=False):
        if column.kind is Kind.TIME:
            times.append(cell)
        elif column.kind is not Kind.SKIP:
            fields[column.kind.value] = keep_value(column, cell)
    tick = read_any_time(" ".join(times), UTC if layout.utc else reading.zone)
    if isinstance(tick, Undated):
        return Malformed(line, tick.reason)
    return read_request(line, tick, fields, reading.is_failure)
