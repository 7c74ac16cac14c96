"""
The durations of requests: read from the text of a field with its unit, and summed up when a format
is detected, so that a wrong unit is seen at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from slomon.formats.format import Format, Switch
from slomon.formats.json_keys import JsonKeys
from slomon.formats.json_lines import read_text
from slomon.formats.layout import Kind, Layout
from slomon.formats.layout_lines import make_duration_reader
from slomon.formats.tables import TableLayout

_TEXT: Final = r"\+?([0-9]+(?:\.[0-9]+)?) *([a-z\u00b5\u03bc]*)"
_UNITS: Final = {
    "s": (1.0, "seconds"),
    "sec": (1.0, "seconds"),
    "secs": (1.0, "seconds"),
    "ms": (1e-3, "milliseconds"),
    "msec": (1e-3, "milliseconds"),
    "msecs": (1e-3, "milliseconds"),
    "us": (1e-6, "microseconds"),
    "\u00b5s": (1e-6, "microseconds"),
    "\u03bcs": (1e-6, "microseconds"),
    "micros": (1e-6, "microseconds"),
    "ns": (1e-9, "nanoseconds"),
}


def read_duration(text: str, unit: str) -> tuple[float, str] | None:
    """
    The seconds of a duration and the name of its unit: the one in the text, else `unit`. None if
    the text is no duration, such as `-` or -1, or if no unit is known.
    """
    found = re.fullmatch(_TEXT, text)
    size = _UNITS.get(found[2] or unit) if found else None
    if found is None or size is None:
        return None
    return float(found[1]) * size[0], size[1]


def describe_duration(form: Format, lines: Sequence[str]) -> str:
    """The name, the unit and the median of the durations in lines; "" if they have none."""
    name, unit, read = _find_duration(_follow_switches(form, lines))
    found = [
        duration
        for text in _texts(read, lines)
        if (duration := read_duration(text, unit)) is not None
    ]
    if not found:
        return ""
    from statistics import median  # noqa: PLC0415 (few logs have durations)

    return f"{name}: {found[0][1]}, median {median(seconds for seconds, _ in found):.3g} s"


def _follow_switches(form: Format, lines: Iterable[str]) -> Format:
    """The format after these lines, whose columns their header names."""
    for line in lines:
        if isinstance(read := form.parse(line), Switch):
            form = read.format
    return form


def _find_duration(form: Format) -> tuple[str, str, Callable[[str], str | None] | None]:
    layout = form.layout
    if isinstance(layout, Layout):
        fields = [part.field for part in layout.parts if part.field.kind is Kind.DURATION]
        if fields:
            return fields[0].name, fields[0].form, make_duration_reader(layout)
    if isinstance(layout, TableLayout) and (numbers := layout.cells_of(Kind.DURATION)):
        at, separator = numbers[0], layout.separator
        field = layout.columns[at]

        def read(line: str) -> str | None:
            cells = line.split(separator)
            return cells[at].strip('"') if at < len(cells) else None

        return field.name, field.form, read
    if isinstance(layout, JsonKeys) and layout.duration:
        key, unit = layout.duration
        return key, unit, lambda line: read_text(line, key)
    return "", "", None


def _texts(read: Callable[[str], str | None] | None, lines: Sequence[str]) -> Iterable[str]:
    return () if read is None else (text for line in lines if (text := read(line)) is not None)
