"""
Whole numbers as short text, as source maps write them: a page has half a million of them.

Each number is written in digits of five bits, the lowest first; a sixth bit says that another digit
follows. Where numbers may be negative their lowest bit is the sign. `browser/data.js` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def pack(numbers: Iterable[int]) -> str:
    """Numbers from 0, in their order. No digit means anything in HTML or JSON."""
    known = _KNOWN
    return "".join(known[number] if number < len(known) else _digits(number) for number in numbers)


def pack_signed(numbers: Iterable[int]) -> str:
    """Numbers that may be negative."""
    return pack(number << 1 if number >= 0 else -number << 1 | 1 for number in numbers)


def pack_rising(numbers: Iterable[int]) -> str:
    """Numbers that mostly rise a little: each by how much it is more than the one before."""
    steps, last = [], 0
    for number in numbers:
        steps.append(number - last)
        last = number
    return pack_signed(steps)


def _digits(number: int) -> str:
    text = ""
    while number >= 32:
        text += DIGITS[number & 31 | 32]
        number >>= 5
    return text + DIGITS[number]


_KNOWN: Final = [_digits(number) for number in range(1 << 14)]  # most numbers are among these
