"""
The keys of JSON lines as programs of the scanner (`kernels.json_lines`), and those of
wrappers, which are mostly JSON (`kernels.wrappers`).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from slomon.compiled.layout import Program
from slomon.formats.json_keys import JsonKeys
from slomon.formats.layout import is_complete
from slomon.kernels import json_lines as kernel
from slomon.kernels import request, wrappers
from slomon.kernels.line import JSON_LINES
from slomon.kernels.swar import wrap

_FIELDS: Final = {
    "time": request.TIME,
    "request": request.REQUEST,
    "method": request.METHOD,
    "path": request.PATH,
    "status": request.STATUS,
    "host": request.HOST,
}
_MOST_KEYS: Final = 60  # a bit each
# Of each wrapper that is JSON: its kind, the key of its content, and another that it must have
_CONTENTS: Final = {
    "docker": (wrappers.LINE_IN_JSON, "log", "stream"),
    "journald": (wrappers.TEXT_IN_JSON, "MESSAGE", "__REALTIME_TIMESTAMP"),
    "loki": (wrappers.TEXT_IN_JSON, "line", "labels"),
}


@dataclass(slots=True)
class _Key:
    """A key of an object, the wanted field that it has, and the keys in its own object."""

    wanted: int = request.SKIP
    inner: dict[str, _Key] = field(default_factory=dict)


def compile_keys(keys: JsonKeys, *, with_host: bool = False) -> Program | None:
    """
    The program that finds the values of these keys; None if only the reference parser can read
    them. With `with_host`, a request has its host.
    """
    return _compile(tuple(keys.fields.items()), with_host)


@lru_cache
def _compile(keys: tuple[tuple[str, str], ...], with_host: bool) -> Program | None:  # noqa: FBT001
    fields = dict(keys)
    if not is_complete(fields) or ("request" in fields and "method" in fields):
        return None
    if not fields["time"]:
        return None  # it stands before the object
    whole = _Key()
    for name, text in keys:
        for path in _cut(text):
            key = whole
            for part in path:
                key = key.inner.setdefault(part, _Key())
            if key.wanted != request.SKIP:
                return None  # two fields have one key
            key.wanted = _FIELDS[name]
    wanted = sum(1 << _FIELDS[name] for name in fields if name != "host")
    numbers, literals = [with_host, wanted], bytearray()
    _add(numbers, literals, whole, 0, b"")
    if (len(numbers) - kernel.HEADER) // kernel.KEY > _MOST_KEYS:
        return None
    return Program(JSON_LINES, array("q", numbers), literals + b"\0")


@dataclass(frozen=True, slots=True)
class WrapperProgram:
    """How a wrapper is taken off: arguments of `kernels.wrappers.unwrap`."""

    kind: int
    program: array[int]
    literals: bytearray


@lru_cache
def compile_wrapper(name: str) -> WrapperProgram | None:
    """The program of a wrapper; None if only the reference parser can take it off."""
    if name == "cri":
        return WrapperProgram(wrappers.CRI, array("q", [0]), bytearray(1))
    if name not in _CONTENTS:
        return None
    kind, content, beside = _CONTENTS[name]
    whole = _Key(inner={content: _Key(request.CONTENT), beside: _Key(kernel.ANY)})
    numbers, literals = [0, 1 << request.CONTENT | 1 << kernel.ANY], bytearray()
    _add(numbers, literals, whole, 0, b"")
    return WrapperProgram(kind, array("q", numbers), literals + b"\0")


def _cut(key: str) -> Iterator[tuple[str, ...]]:
    """The paths that a key can mean: each of its dots leads into an object, or is one of a key."""
    yield (key,)
    for at, character in enumerate(key):
        if character == ".":
            for rest in _cut(key[at + 1 :]):
                yield (key[:at], *rest)


def _add(numbers: list[int], literals: bytearray, key: _Key, outer: int, text: bytes) -> int:
    """Add a key and those in its object to a program. Returns the place of the key."""
    place = len(numbers)
    bit = (place - kernel.HEADER) // kernel.KEY
    numbers += [key.wanted, outer, 0, 0, len(literals), len(text), _first_word(text), 0, bit]
    literals += text
    names = {name: name.encode("utf-8", "surrogatepass") for name in key.inner}
    bits = {kernel.hash_key(_first_word(name), len(name)) for name in names.values()}
    numbers[place + kernel.FILTER] = wrap(sum(1 << one for one in bits))
    for name, inner in key.inner.items():
        added = _add(numbers, literals, inner, place, names[name])
        numbers[added + kernel.NEXT] = numbers[place + kernel.INNER]
        numbers[place + kernel.INNER] = added
    return place


def _first_word(text: bytes) -> int:
    return int.from_bytes(text[:8], "little", signed=len(text) >= 8)
