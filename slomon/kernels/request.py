"""
The request of a line: its method and its target, found in the line, and composed if they don't
stand side by side or if the host belongs to the request.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final, TypeAlias

from slomon.kernels.line import NOT_PLAIN, Fields
from slomon.kernels.swar import WIDE, byte_bits, copy_wide, first_bit, leading_bytes, load
from slomon.kernels.times import DATES

Text: TypeAlias = Sequence[int]

# Fields
SKIP: Final = 0
TIME: Final = 1
REQUEST: Final = 2
METHOD: Final = 3
PATH: Final = 4
STATUS: Final = 5
HOST: Final = 6
CLOCK: Final = 7  # the time of day, if that is another field than its date
CONTENT: Final = 8  # what stands in a wrapper, as a copy

FIELDS: Final = 9

MEMORY: Final = DATES + 2 * FIELDS + 5
"""
Numbers of the memory of a scanner: the cache of dates (`kernels.times`), then where each field of
the line begins and ends, then the cache of `layout.read_combined`.
"""

METHOD_PLACE: Final = DATES + 2 * METHOD
TIME_PLACE: Final = DATES + 2 * TIME
CLOCK_PLACE: Final = DATES + 2 * CLOCK
PATH_PLACE: Final = DATES + 2 * PATH
STATUS_PLACE: Final = DATES + 2 * STATUS
HOST_PLACE: Final = DATES + 2 * HOST
CONTENT_PLACE: Final = DATES + 2 * CONTENT

_NEWLINE: Final = 10
_SPACE: Final = 32
_QUOTE: Final = 34
_HASH: Final = 35
_MINUS: Final = 45
_POINT: Final = 46
_SLASH: Final = 47
_COLON: Final = 58
_QUESTION_MARK: Final = 63
_AT: Final = 64
_BACKSLASH: Final = 92
_UNDERSCORE: Final = 95
_CHUNK: Final = 63  # bytes that are looked at together
_HTTP: Final = int.from_bytes(b" HTTP/", "little")


def join_request(
    text: Text,
    at: int,
    tick: int,
    with_host: int,
    memory: MutableSequence[int],
    requests: MutableSequence[int],
) -> Fields:
    """
    The fields of a line that begins at `at` and whose fields are in `memory`. If the method and the
    target do not stand side by side, or if the host belongs to the request, the request is composed
    in `requests`, where its line stands in the text.
    """
    target, target_end = memory[PATH_PLACE], memory[PATH_PLACE + 1]
    is_part = text[target - 1] == _SPACE and memory[METHOD_PLACE + 1] == target - 1
    has_host = with_host and memory[HOST_PLACE] < memory[HOST_PLACE + 1]
    if target < target_end and text[target] == _SLASH and is_part and not has_host:
        return tick, memory[METHOD_PLACE], target_end, memory[STATUS_PLACE], 0
    end = _compose(text, at, with_host, memory, requests)
    return (tick, at, end, memory[STATUS_PLACE], 1) if end > 0 else NOT_PLAIN


def find_request(text: Text, at: int, stop: int, memory: MutableSequence[int]) -> int:
    """
    Find the method and the target of a request line `<method> <target> HTTP/<version>`. Return
    where it ends; -1 if it is not there, or not plain.
    """
    target = find_mark(text, at, stop) + 1
    if target == 0:
        return -1
    target_end = find_mark(text, target, stop)
    memory[METHOD_PLACE], memory[METHOD_PLACE + 1] = at, target - 1
    memory[PATH_PLACE], memory[PATH_PLACE + 1] = target, target_end
    return skip_protocol(text, target_end, stop)


def find_mark(text: Text, at: int, stop: int) -> int:
    """
    Where the first space, quote or backslash is, from `at` on, if it is a space with text before
    it; else -1.
    """
    begin = at
    while at < stop:
        count = min(stop - at, _CHUNK)
        spaces = byte_bits(text, at, count, _SPACE)
        others = byte_bits(text, at, count, _QUOTE) | byte_bits(text, at, count, _BACKSLASH)
        found = spaces | others
        if found:
            at += first_bit(found)
            return at if at > begin and text[at] == _SPACE else -1
        at += count
    return -1


def skip_protocol(text: Text, at: int, stop: int) -> int:
    """Where ` HTTP/<version>` ends that begins at `at`; -1 if it does not begin there."""
    if at < 0 or stop - at < 7 or leading_bytes(load(text, at), 6) != _HTTP:
        return -1
    if not is_digit(text[at + 6]):
        return -1
    if text[at + 7] != _POINT:
        return at + 7
    return at + 9 if is_digit(text[at + 8]) else -1


def _compose(
    text: Text,
    at: int,
    with_host: int,
    memory: MutableSequence[int],
    requests: MutableSequence[int],
) -> int:
    """
    Write `<verb> <target>` to `requests`, from `at` on, or `<verb> <host> <target>` if the host is
    known and a part of the request. Return where the request ends, or -1 if it is not plain.

    The scheme and the host of a target that is a whole URL are cut off. The host is the line's, or
    else that of the URL.
    """
    target, target_end = memory[PATH_PLACE], memory[PATH_PLACE + 1]
    host, host_end = memory[HOST_PLACE], memory[HOST_PLACE + 1]
    if text[target] != _SLASH:
        origin = _skip_scheme(text, target, target_end)
        target = _find_path(text, origin, target_end) if origin > 0 else -1
        if host == host_end or (host + 1 == host_end and text[host] == _MINUS):
            host, host_end = origin, target
    if memory[METHOD_PLACE] == memory[METHOD_PLACE + 1] or target < 0 or target == target_end:
        return -1
    place = copy(text, memory[METHOD_PLACE], memory[METHOD_PLACE + 1], requests, at)
    requests[place] = _SPACE
    place += 1
    if with_host and host < host_end:
        place = _copy_host(text, host, host_end, requests, place)
        if place < 0:
            return -1
    return copy(text, target, target_end, requests, place)


def _find_path(text: Text, at: int, end: int) -> int:
    """Where the path of a URL begins, whose host begins at `at`; -1 if the URL is not plain."""
    while at < end and text[at] != _SLASH:
        if text[at] in (_AT, _QUESTION_MARK, _HASH):
            return -1
        at += 1
    return at if at < end else -1


def copy(text: Text, at: int, end: int, into: MutableSequence[int], place: int) -> int:
    """
    Copy a part of a text to a place in another. Return where the copy ends; some bytes behind it
    are overwritten, too.
    """
    length = end - at
    for part in range(0, length, WIDE):
        copy_wide(text, at + part, into, place + part)
    return place + length


def _copy_host(text: Text, at: int, end: int, into: MutableSequence[int], place: int) -> int:
    """
    Write a host without its port, in lower case, and a newline. Return where the newline ends: at
    `place` if the host is `-` or `_`, or -1 if it is not plain. No line has a newline, so no other
    request is equal to one with a host.
    """
    if end - at == 1 and text[at] in (_MINUS, _UNDERSCORE):
        return place
    begin = at
    while at < end and text[at] != _COLON:
        byte = text[at]
        if is_letter(byte):
            byte |= 32
        elif not is_digit(byte) and (at == begin or byte not in (_MINUS, _POINT, _UNDERSCORE)):
            return -1
        into[place] = byte
        place += 1
        at += 1
    if at == begin or at + 1 == end:
        return -1
    for port in range(at + 1, end):
        if not is_digit(text[port]):
            return -1
    into[place] = _NEWLINE
    return place + 1


def _skip_scheme(text: Text, at: int, end: int) -> int:
    """Where the host of a URL begins, if its scheme is of letters; else -1."""
    begin = at
    while at < end and is_letter(text[at]):
        at += 1
    if begin == at or end - at <= 3 or text[at] != _COLON:
        return -1
    return at + 3 if text[at + 1] == _SLASH and text[at + 2] == _SLASH else -1


def is_digit(byte: int) -> bool:
    """Whether a byte is a digit."""
    return 48 <= byte <= 57


def is_letter(byte: int) -> bool:
    return 97 <= byte | 32 <= 122
