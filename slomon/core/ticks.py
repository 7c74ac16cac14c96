"""
Time is an integer number of nanoseconds since the epoch: ticks. Decimal text becomes ticks digit by
digit, never through a float: a float is too coarse to tell whether an access is inside a window.
"""

from __future__ import annotations

import json
from typing import Final

TICKS_PER_SECOND: Final = 1_000_000_000
LAST_TICK: Final = 2**63 - 1  # columns of ticks are signed 64-bit integers
STAMPS: Final = "seconds since the epoch, a plain decimal of at most 9 places, before 2262"
"""What `parse_seconds` accepts, for error messages."""

_DECIMALS: Final = 9
_SAFE_WIDTH: Final = 10  # digits of seconds that fit 63 bits of ticks, unless they begin with 9


def parse_seconds(text: str) -> int | None:
    """
    The exact ticks of a plain decimal number of seconds. None for any other notation, a fraction
    finer than a nanosecond, or a time after the year 2262 (2**63 ticks).
    """
    whole, point, fraction = text.partition(".")
    digits = whole + fraction
    if not (whole and digits.isascii() and digits.isdecimal()) or (point and not fraction):
        return None
    if len(whole) > _SAFE_WIDTH or len(fraction) > _DECIMALS:
        whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
        if len(whole) > _SAFE_WIDTH or len(fraction) > _DECIMALS:
            return None
    tick = int(whole + fraction.ljust(_DECIMALS, "0"))
    return tick if tick <= LAST_TICK else None


def parse_column(stamps: list[str]) -> list[int] | None:
    """
    `parse_seconds` of many stamps. It is written a second time for speed: a few passes over one
    joined text, if all stamps have the same width and format, as in most streams. None if they
    don't, or if any stamp is invalid; then `parse_seconds` must read them one by one.
    """
    if not stamps:
        return []
    width = len(stamps[0])
    point = stamps[0].find(".")
    whole, fraction = (width, 0) if point < 0 else (point, width - point - 1)
    if not 1 <= whole <= _SAFE_WIDTH or fraction > _DECIMALS or fraction == 0 <= point:
        return None
    text = ",".join(stamps).encode(errors="replace")
    stride, commas = width + 1, len(stamps) - 1
    if len(text) != stride * commas + width or text[width::stride].strip(b","):
        return None
    if point >= 0 and text[point::stride].strip(b"."):
        return None
    leading = text[::stride]
    if b"0" in leading or (whole == _SAFE_WIDTH and b"9" in leading):
        return None
    # Every comma and point is in its place. All other characters must be digits.
    digits = text.replace(b".", b"")
    if len(digits) != (whole + fraction + 1) * commas + whole + fraction:
        return None
    if len(digits.translate(None, b"0123456789")) != commas:
        return None
    zeros = b"0" * (_DECIMALS - fraction)
    ticks: list[int] = json.loads(b"[%b%b]" % (digits.replace(b",", zeros + b","), zeros))
    return ticks


def show_tick(tick: int) -> str:
    """A tick in seconds, as exact decimal text."""
    digits = str(tick).zfill(_DECIMALS + 1)
    return f"{digits[:-_DECIMALS]}.{digits[-_DECIMALS:]}"


def to_seconds(tick: int) -> float:
    """
    A tick in seconds. One division of integers, so that the result equals the float literal that
    was read.
    """
    return tick / TICKS_PER_SECOND
