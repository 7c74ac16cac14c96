"""Warnings of what may go wrong again and again."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from slomon.core.tick import TICKS_PER_SECOND
from slomon.embedding.clock import Clock
from slomon.log import get_logger

_APART: Final = 60 * TICKS_PER_SECOND


class ThrottledLog:
    """Warns of each kind of event once a minute at most, and says how many more there were."""

    def __init__(self, clock: Clock, **fields: object) -> None:
        self._clock = clock
        self._fields = fields
        self._last: dict[str, int] = {}
        self._unlogged: Counter[str] = Counter()

    def warn(self, event: str, **fields: object) -> None:
        """It happened once more."""
        now = self._clock.now()
        if event in self._last and 0 <= now - self._last[event] < _APART:
            self._unlogged[event] += 1
            return
        self._last[event] = now
        unlogged = self._unlogged.pop(event, 0)
        more = {"unlogged": unlogged} if unlogged else {}
        self._log().warning(event, **self._fields, **fields, **more)

    def error(self, event: str, **fields: object) -> None:
        """It happened, and can't happen again."""
        self._log().error(event, **self._fields, **fields)

    def _log(self) -> Any:
        return get_logger()  # as the program has set it up by then
