"""
Wrappers are taken off (`formats.wrappers`): the contents of a block of wrapped lines become a text
of their own, which the scanner reads as it reads the lines of any log.

A line is plain if the reference parser finds the same content in it, and if the content is a whole
line. Every other line becomes an empty one: no format of access logs reads such a line, so the
scanner leaves it to the reference parser.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final, TypeAlias

from slomon.kernels.json_lines import skip_digits, skip_spaces, walk
from slomon.kernels.request import CONTENT_PLACE, copy
from slomon.kernels.swar import find_line_end, leading_bytes, load
from slomon.kernels.times import count_digits

# The kinds of wrappers
CRI: Final = 0  # the line of a container runtime: a time, a stream and a tag before the content
LINE_IN_JSON: Final = 1  # a JSON object with the line, whose content ends with a newline
TEXT_IN_JSON: Final = 2  # a JSON object with the text of the line; the newline may be missing

_STREAM: Final = int.from_bytes(b" stdout ", "little")
_ERRORS: Final = int.from_bytes(b" stderr ", "little")
_TAG: Final = int.from_bytes(b"F ", "little")
_NEWLINE: Final = 10
_CARRIAGE_RETURN: Final = 13
_PLUS: Final = 43
_MINUS: Final = 45
_POINT: Final = 46
_COLON: Final = 58
_T: Final = 84
_Z: Final = 90
_OPEN: Final = 123

Text: TypeAlias = Sequence[int]
Column: TypeAlias = MutableSequence[int]


def unwrap(
    text: Text,
    at: int,
    length: int,
    kind: int,
    program: Column,
    literals: Text,
    memory: Column,
    contents: MutableSequence[int],
    ends: Column,
    room: int,
) -> int:
    """
    Write the contents of the lines of `text` from `at` to `length` to `contents`, each with a
    newline, until there is no room for another line. In `ends`, write where each line ends in the
    text, and behind them how long the contents are. Return how many lines there are.

    `program`, `literals` and `memory` are those of `json_lines.walk`, if the wrapper is JSON. The
    contents are not longer than the text, and must have as much padding.
    """
    rows = place = 0
    while at < length and rows < room:
        end = find_line_end(text, at)
        stop = end
        if stop > at and text[stop - 1] == _CARRIAGE_RETURN:
            stop -= 1
        if kind == CRI:
            place = _unwrap_cri(text, at, stop, contents, place)
        else:
            memory[CONTENT_PLACE] = memory[CONTENT_PLACE + 1] = place
            place = _unwrap_json(text, at, stop, kind, program, literals, memory, contents)
        contents[place] = _NEWLINE
        ends[rows] = end
        place += 1
        rows += 1
        at = end + 1
    ends[rows] = place
    return rows


def _unwrap_cri(text: Text, at: int, stop: int, contents: MutableSequence[int], place: int) -> int:
    """Copy the content of a line. Return where it ends; `place` if the line isn't plain."""
    begin = _skip_time(text, at)
    if begin < 0 or stop - begin < 10:
        return place
    stream = load(text, begin)
    if stream not in (_STREAM, _ERRORS) or leading_bytes(load(text, begin + 8), 2) != _TAG:
        return place
    return copy(text, begin + 10, stop, contents, place)


def _unwrap_json(
    text: Text,
    at: int,
    stop: int,
    kind: int,
    program: Column,
    literals: Text,
    memory: Column,
    contents: MutableSequence[int],
) -> int:
    """Copy the content of a line. Return where it ends; where it began if it isn't plain."""
    begin = memory[CONTENT_PLACE]
    if text[at] != _OPEN:
        return begin
    at = walk(text, at, program, literals, memory, contents)
    if at < 0 or skip_spaces(text, at) != stop:
        return begin
    end = memory[CONTENT_PLACE + 1]
    if end > begin and contents[end - 1] == _NEWLINE:
        return end - 1
    return begin if kind == LINE_IN_JSON else end


def _skip_time(text: Text, at: int) -> int:
    """Where a time as in 2018-07-07T23:13:12.123456789Z ends; -1 if it is not plain."""
    if count_digits(text, at) != 4 or text[at + 4] != _MINUS:
        return -1
    if not (
        _is_pair(text, at + 5, _MINUS)
        and _is_pair(text, at + 8, _T)
        and _is_pair(text, at + 11, _COLON)
        and _is_pair(text, at + 14, _COLON)
        and count_digits(text, at + 17) == 2
    ):
        return -1
    at += 19
    if text[at] == _POINT:
        at = skip_digits(text, at + 1)
        if at < 0:
            return -1
    if text[at] == _Z:
        return at + 1
    has_zone = (text[at] == _PLUS or text[at] == _MINUS) and _is_pair(text, at + 1, _COLON)
    return at + 6 if has_zone and count_digits(text, at + 4) == 2 else -1


def _is_pair(text: Text, at: int, after: int) -> bool:
    """Whether two digits stand there, with a certain byte after them."""
    return count_digits(text, at) == 2 and text[at + 2] == after
