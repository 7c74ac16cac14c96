"""
Logs of keys with values, in any order: LTSV (`key:value`, with tabs between) and logfmt
(`key=value` or `key="value"`), as Heroku's router writes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Final

from slomon.core.events import Malformed
from slomon.dates import Undated
from slomon.formats.format import Format, Item, Reading
from slomon.formats.layout import Field, Kind
from slomon.formats.names import choose_service, find_missing, guess_fields, keep_value
from slomon.formats.requests import read_request
from slomon.formats.times import find_time, read_any_time
from slomon.text import quote

_PAIR: Final = re.compile(r'(?<![^\s="])([^\s="]++)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?=\s|$)')
_ESCAPE: Final = re.compile(r"\\(.)")


def ltsv_format(reading: Reading) -> Format:
    """The format of `key:value`, with tabs between."""
    return Format("ltsv", partial(_parse, split=_split_ltsv, reading=reading), spec="ltsv")


def logfmt_format(reading: Reading) -> Format:
    """The format of `key=value`, with spaces between."""
    return Format("logfmt", partial(_parse, split=_split_logfmt, reading=reading), spec="logfmt")


def _parse(
    line: str, *, split: Callable[[str], tuple[list[str], list[str]]], reading: Reading
) -> Item:
    keys, values = split(line)
    known = _find_fields(tuple(keys), by_service=reading.by_service)
    fields = {field.kind.value: keep_value(field, values[at]) for field, at in known}
    before = "" if line.startswith("{") else line.partition("=")[0]
    if "time" not in fields and (first := find_time(before)):
        fields["time"] = first  # of a syslog, or of the program's logger
    if missing := find_missing([kind for kind in Kind if kind.value in fields]):
        found = ", ".join(quote(key) for key in keys[:20]) or "none"
        return Malformed(line, f"its keys are {found}; allowed: keys of {missing}")
    tick = read_any_time(_complete_time(line, fields["time"]), reading.zone)
    if isinstance(tick, Undated):
        return Malformed(line, tick.reason)
    return read_request(line, tick, fields, reading.is_failure)


def _complete_time(line: str, text: str) -> str:
    """A time with the zone behind it, which a bare value ends before."""
    end = line.find(text) + len(text)
    return find_time(line[end - len(text) :]) or text if line[end : end + 1] == " " else text


def _split_ltsv(line: str) -> tuple[list[str], list[str]]:
    pairs = [cell.partition(":") for cell in line.split("\t")]
    keys = ["remote_host" if key == "host" else key for key, _, _ in pairs]  # http://ltsv.org
    return keys, [value for _, _, value in pairs]


def _split_logfmt(line: str) -> tuple[list[str], list[str]]:
    keys: list[str] = []
    values: list[str] = []
    for key, quoted, bare in _PAIR.findall(line):
        keys.append(key)
        values.append(_ESCAPE.sub(r"\1", quoted) if "\\" in quoted else quoted or bare)
    return keys, values


@lru_cache(maxsize=1024)
def _find_fields(keys: tuple[str, ...], *, by_service: bool) -> Sequence[tuple[Field, int]]:
    fields: Sequence[Field] = guess_fields(keys)
    fields = choose_service(fields) if by_service else fields
    return [(field, at) for at, field in enumerate(fields) if field.kind is not Kind.SKIP]
