"""A length of time at a glance."""

from __future__ import annotations

from typing import Final

from slomon.core.tick import TICKS_PER_SECOND
from slomon.formats.duration import UNITS

_UNITS: Final = {unit: size for unit, size in UNITS.items() if unit != "w"}  # 28d, not 4w


def show_span(ticks: int) -> str:
    """The largest unit and the next one, as in `2d 3h` or `12m`; what is smaller is left out."""
    if ticks < 0:
        return f"-{show_span(-ticks)}"
    counts: list[tuple[int, str]] = []
    for unit, size in _UNITS.items():
        count, ticks = divmod(ticks, size)
        if count or counts:
            counts.append((count, unit))
    return " ".join(f"{count}{unit}" for count, unit in counts[:2] if count) or "0s"


def show_seconds(seconds: float) -> str:
    """The same of seconds."""
    return show_span(round(seconds * TICKS_PER_SECOND))
