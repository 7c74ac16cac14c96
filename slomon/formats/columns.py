"""
The columns of a log in an unknown layout: the tokens of its lines, and what they can be.

A line is split by one separator into tokens; a quoted text and a date are never split. Tokens with
the same number make a column. A column is a time, a method, a target and so on if nearly all of its
tokens can be one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import pairwise
from typing import Final, NamedTuple

from slomon.core.ticks import TICKS_PER_SECOND
from slomon.formats.layout import Kind
from slomon.formats.names import NAMES, is_virtual_host, simplify
from slomon.formats.requests import PROTOCOL
from slomon.formats.times import FORMS, find_time_form, read_time

SHARE: Final = 0.9
"""The share of lines that must agree with what a column, or a layout, says."""
NEAR: Final = 60 * TICKS_PER_SECOND
"""How far times may be out of order, in ticks: a line is written when its request ends."""

_METHODS: Final = (
    "GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK"
    "|UNLOCK|REPORT|SEARCH|PURGE"
)
_TARGET: Final = r"(?:/|\*$|[a-z][a-z0-9+.-]*://)"
_STATUSES: Final = frozenset(
    # Registered (RFC 9110 and others), and those of nginx, IIS, AWS and Cloudflare.
    [
        *(*range(100, 104), *range(200, 209), 226, *range(300, 309), *range(400, 419)),
        *(*range(420, 427), 428, 429, 430, 431, 440, 444, 449, 450, 451, 460, 463, 464),
        *(*range(494, 512), *range(520, 531), 561, 598, 599),
    ]
)
_HAS_METHOD: Final = re.compile(rf"(?<![\w/.-])(?:{_METHODS})(?![\w-])")
_HAS_TARGET: Final = re.compile(r"""(?:^|[\s"'=,;|:(])(?:/|https?://|\* )""")
_HAS_NUMBER: Final = re.compile(r"(?:(?<![\w.:/-])|(?<=[A-Za-z]:))[1-5][0-9]{2}(?![\w.:/-])")
_DATES: Final = "|".join(form.pattern for form in FORMS.values() if not form.unit)
_QUOTED: Final = r'"(?:[^"\\]|\\.)*+"'
SEPARATORS: Final = ("\t", ", ", " ", "|", ";", ",")
_OTHER: Final = {" ": "[^ ]|(?<=,) (?=[^ ])| : ", ", ": "[^,]|,(?! )"}
_TOKEN: Final = {
    separator: re.compile(
        # Dates begin with a digit or a capital: other text is taken in runs, for speed.
        rf"(?:{_QUOTED}|{_DATES}|[^\"0-9A-Z,{re.escape(separator)} ]++|[0-9]++"
        rf"|{_OTHER.get(separator, f'[^{re.escape(separator)}]')})+"
    )
    for separator in SEPARATORS
}
_OPEN: Final = r"""[\[({<|"' ]*"""
_CLOSE: Final = r"""[\])}>|"', ;:]*"""
_CORE: Final = re.compile(
    rf"(?P<open>{_OPEN}(?:(?P<key>[A-Za-z_@][\w.@-]*)(?:=|:(?!//)))?{_OPEN})(?P<core>.*?)(?P<close>{_CLOSE})",
    re.DOTALL,
)
_REQUEST: Final = re.compile(
    rf"(?P<method>{_METHODS}) (?P<path>{_TARGET}.*?)(?: {PROTOCOL})?", re.S
)
_ADDRESS: Final = re.compile(r"[-_]|\[?[0-9a-fA-F:.]+\]?")
# Under a usual domain: a program's modules and files have names with dots, too.
_PUBLIC_NAME: Final = re.compile(
    r"[a-z.-]+\.(?:com|net|org|edu|gov|info|biz|dev|app|cloud|online|site|shop|store|tech|xyz|example"
    r"|test|(?!py|rs|sh|pl|ml|md|cc|so)[a-z]{2})(?::[0-9]+)?",
    re.IGNORECASE,
)
_DURATION: Final = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)(?P<unit>ns|us|µs|μs|ms|s)?")
_STATUS_KEYS: Final = re.compile("status|code|^s$|^sc$|^st$")
OTHER_KEYS: Final = re.compile("upstream|origin|backend|byte|size|len|time|dur|port")
DURATION_KEYS: Final = re.compile(
    "request_time|duration|latency|elapsed|took|apptime|response_?time|reqtime|service|^rt$|^d$"
)
_HALVES: Final = frozenset({"AM", "PM", "am", "pm"})  # no form reads the hour before them
_UNITS: Final = {"s": "s", "ms": "ms", "us": "us", "µs": "us", "μs": "us", "ns": "ns"}


class Token(NamedTuple):
    """A token: its text, the punctuation around it, and a key before it, as in `status=`."""

    open: str
    key: str
    core: str
    close: str

    @property
    def quoted(self) -> bool:
        """Does the text stand in quotes?"""
        return self.open.endswith('"') and self.close.startswith('"')


@dataclass(frozen=True, slots=True)
class Column:
    """The tokens of one column, and what they can be."""

    number: int
    tokens: Sequence[Token]
    time: str = ""  # the form
    is_request: bool = False
    is_method: bool = False
    is_path: bool = False
    is_status: bool = False
    duration: str | None = None  # the unit; "" if it is in the text
    is_host: bool = False

    @property
    def key(self) -> str:
        """The key before the values, if they have one."""
        return self.tokens[0].key.lower()

    @property
    def is_keyed(self) -> bool:
        """Does the key say that this is the status of the response?"""
        return bool(_STATUS_KEYS.search(self.key)) and not OTHER_KEYS.search(self.key)


def can_be_request(line: str) -> bool:
    """Has a line a method, a target and a number that is a status in use?"""
    return (
        _HAS_METHOD.search(line) is not None
        and _HAS_TARGET.search(line) is not None
        and any(int(number) in _STATUSES for number in _HAS_NUMBER.findall(line))
    )


def split_line(line: str, separator: str) -> list[Token]:
    """Return the tokens of a line."""
    return [_trim(found[0]) for found in _TOKEN[separator].finditer(line)]


def _trim(text: str) -> Token:
    found = _CORE.fullmatch(text)
    if found is None or not found["core"] or find_time_form(text):
        return Token("", "", text, "")
    before, key, core, close = found["open"], found["key"] or "", found["core"], found["close"]
    if re.match(_TARGET, core) and '"' not in before:
        # Brackets may belong to a target.
        core, close = core + close.rstrip(",;| "), close[len(close.rstrip(",;| ")) :]
    return Token(before, key, core, close)


def describe_column(number: int, tokens: Sequence[Token], after: Sequence[Token]) -> Column:
    """Return what the tokens with this number in their lines can be; `after` are the next ones."""
    cores = [token.core for token in tokens]
    following = {token.core for token in after}
    unit = _find_unit(tokens, following)
    has_half = bool(following) and following <= _HALVES
    return Column(
        number,
        tokens,
        time="" if has_half else _find_form(cores),
        is_request=mostly(_REQUEST.fullmatch(core) is not None for core in cores),
        is_method=mostly(re.fullmatch(_METHODS, core) is not None for core in cores),
        is_path=mostly(re.match(_TARGET, core) is not None for core in cores),
        is_status=_are_statuses(cores),
        duration=unit,
        is_host=_are_hosts(tokens),
    )


def mostly(answers: Iterable[bool]) -> bool:
    """Is nearly every answer yes?"""
    given = list(answers)
    return bool(given) and sum(given) >= SHARE * len(given)


def _find_form(cores: Sequence[str]) -> str:
    forms = [find_time_form(core) for core in cores]
    names = [form.name for form in forms if form]
    if not names or len(set(names)) > 1 or len(names) < SHARE * len(cores):
        return ""
    return names[0] if not FORMS[names[0]].unit or _is_epoch(cores, names[0]) else ""


def _is_epoch(cores: Sequence[str], form: str) -> bool:
    """Numbers are times only from 2001 to 2100, within a year, and not far out of order."""
    unit = FORMS[form].unit
    seconds = [float(core) * unit / 1e9 for core in cores if find_time_form(core)]
    in_order = all(later > earlier - 600 for earlier, later in pairwise(seconds))
    within = min(seconds) >= 1e9 and max(seconds) <= min(4.2e9, min(seconds) + 366 * 86_400)
    return in_order and within


def _are_statuses(cores: Sequence[str]) -> bool:
    written = [core for core in cores if core not in ("-", "0", "000")]
    numbers = [int(core) for core in written if re.fullmatch("[1-5][0-9]{2}", core)]
    known = sum(number in _STATUSES for number in numbers)
    return bool(numbers) and known >= 0.98 * len(written)


def _are_hosts(tokens: Sequence[Token]) -> bool:
    """
    Virtual hosts, and addresses instead of a few: their key says so, or else each name is public
    and has no digit, as the names of machines have.
    """
    key = simplify(tokens[0].key)
    names = [token.core for token in tokens if is_virtual_host(token.core)]
    others = (token.core for token in tokens if not is_virtual_host(token.core))
    if key and key not in NAMES[Kind.HOST]:
        return False
    return (
        2 * len(names) > len(tokens)
        and all(_ADDRESS.fullmatch(other) for other in others)
        and (bool(key) or all(map(_PUBLIC_NAME.fullmatch, names)))
    )


def _find_unit(tokens: Sequence[Token], after: set[str]) -> str | None:
    found = [_DURATION.fullmatch(token.core) for token in tokens if token.core != "-"]
    if not found or not all(found):
        return None
    units = {one["unit"] for one in found if one}
    if None not in units:
        return ""
    if len(units) > 1:
        return None
    if len(after) == 1 and (word := next(iter(after))) in _UNITS:
        return _UNITS[word]
    keyed = bool(DURATION_KEYS.search(tokens[0].key.lower()))
    return "s" if all("." in one[0] for one in found if one) or keyed else None


def read_times(column: Column) -> list[int]:
    """Return the ticks of a column; 0 where a token is no time."""
    form = FORMS[column.time]
    pattern = re.compile(form.pattern)
    read = (
        read_time(token.core, form, UTC) if pattern.fullmatch(token.core) else None
        for token in column.tokens
    )
    return [tick if isinstance(tick, int) else 0 for tick in read]


def is_zoned(column: Column) -> bool:
    """Do the times name their zone?"""
    form = FORMS[column.time]
    return mostly(isinstance(read_time(token.core, form, None), int) for token in column.tokens)


def is_sorted(column: Column) -> bool:
    """Are the times in order, to the minute?"""
    times = [tick for tick in read_times(column) if tick]
    return all(later > earlier - NEAR for earlier, later in pairwise(times))
