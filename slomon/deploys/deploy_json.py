"""Deploys as objects of JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from slomon.core.event import Change
from slomon.deploys.change_record import Record
from slomon.deploys.deploy import read_deploy
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
