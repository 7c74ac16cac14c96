"""A moment in UTC, as people read it."""

from __future__ import annotations

from datetime import UTC, datetime


def show_stamp(seconds: float, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Seconds since the epoch, by a `strftime` format; what is finer than it is left out."""
    return datetime.fromtimestamp(seconds, UTC).strftime(form)
