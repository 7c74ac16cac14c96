"""A length of time as people write it: `30s`, `5m`, `1h30m`, `28d`."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from slomon.core.excerpt import quote
from slomon.core.tick import LAST_TICK, TICKS_PER_SECOND
from slomon.errors import ConfigurationError

UNITS: Final = {
    "w": 7 * 86_400 * TICKS_PER_SECOND,
    "d": 86_400 * TICKS_PER_SECOND,
    "h": 3_600 * TICKS_PER_SECOND,
    "m": 60 * TICKS_PER_SECOND,
    "s": TICKS_PER_SECOND,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
"""Ticks of each, the largest first."""


def parse_duration(text: str) -> int:
    """
    The ticks of numbers with units, the largest unit first and each at most once; a bare number
    is seconds. `m` is minutes: there are no months and no years, whose lengths differ.

    Raises ConfigurationError, also where it is no whole number of ticks, or 2**63 of them.
    """
    ticks = _count_ticks(text)
    if ticks is None or ticks.denominator != 1 or ticks > LAST_TICK:
        raise ConfigurationError(f"the duration is {quote(text)}; allowed: {_DURATIONS}")
    return ticks.numerator


def show_duration(ticks: int) -> str:
    """The shortest text that `parse_duration` reads as `ticks`, of whole numbers: `90m`, `4w`."""
    if ticks == 0:
        return "0s"
    single = [f"{ticks // size}{unit}" for unit, size in UNITS.items() if ticks % size == 0]
    return min(*single, _mix_units(ticks), key=len)


def _mix_units(ticks: int) -> str:
    parts = []
    for unit, size in UNITS.items():
        count, ticks = divmod(ticks, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts)


def _count_ticks(text: str) -> Fraction | None:
    if _NUMBER.fullmatch(text):
        return Fraction(text) * TICKS_PER_SECOND
    parts = _PARTS.fullmatch(text)
    if parts is None or not text:
        return None
    return sum(
        (Fraction(count) * UNITS[unit] for unit, count in parts.groupdict().items() if count),
        start=Fraction(0),
    )


_DIGITS: Final = r"\d{1,19}(?:\.\d{1,19})?"
_NUMBER: Final = re.compile(_DIGITS, re.ASCII)
_PARTS: Final = re.compile("".join(f"(?:(?P<{unit}>{_DIGITS}){unit})?" for unit in UNITS), re.ASCII)
_DURATIONS: Final = (
    "seconds, or numbers with the units w, d, h, m (minutes), s, ms, us and ns in this order, "
    "such as '1h30m', in whole nanoseconds, fewer than 2**63 of these"
)
