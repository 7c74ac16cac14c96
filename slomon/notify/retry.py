"""When to try again, after a receiver has failed."""

from __future__ import annotations

import random
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from slomon.core.ticks import TICKS_PER_SECOND

_FIRST: Final = TICKS_PER_SECOND
_LONGEST: Final = 60 * TICKS_PER_SECOND
_LONGEST_ASKED: Final = 3600 * TICKS_PER_SECOND  # a receiver may err, too
_DIGITS: Final = 9


class Backoff:
    """
    How long to wait: a second, then twice as long each time, up to a minute. Some of it, at most
    half, is left out by chance, so that many senders don't come back at once.
    """

    def __init__(self) -> None:
        self._ticks = _FIRST

    def lengthen(self) -> int:
        """The ticks to wait now."""
        ticks, self._ticks = self._ticks, min(2 * self._ticks, _LONGEST)
        return round(ticks * random.uniform(0.5, 1))  # noqa: S311 (chance, not a secret)


def read_retry_after(text: str | None, now: int) -> int:
    """
    The ticks that a `Retry-After` asks to wait, in seconds or until a date (RFC 9110, 10.2.3): an
    hour at most, 0 where it isn't there or can't be read.
    """
    text = (text or "").strip()
    if text.isascii() and text.isdecimal():
        ticks = int(text[:_DIGITS]) * TICKS_PER_SECOND  # so many seconds are too long already
    else:
        ticks = _read_date(text) - now
    return max(0, min(ticks, _LONGEST_ASKED))


def _read_date(text: str) -> int:
    try:
        date = parsedate_to_datetime(text)
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return int(date.timestamp()) * TICKS_PER_SECOND
    except (ValueError, OverflowError):
        return 0
