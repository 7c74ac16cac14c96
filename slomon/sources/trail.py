"""What was handed out of a text, summed up, so that a text is known again as far as it was read."""

from __future__ import annotations

import hashlib
from typing import Final, Protocol

REMEMBERED: Final = 4096
"""Bytes at the end of what was handed out, by which a file is known."""


class Trail(Protocol):
    """Takes all bytes that are handed out, in order."""

    def add(self, data: bytes | memoryview, /) -> None:
        """Some bytes were handed out."""

    def sum_up(self) -> str:
        """A digest of what is remembered of them."""


class LastBytes:
    """Remembers the last ones: those of a file, of which one needn't read more to go on."""

    def __init__(self) -> None:
        self._last = b""

    def add(self, data: bytes | memoryview, /) -> None:
        """Some bytes were handed out."""
        self._last = (self._last + bytes(data[-REMEMBERED:]))[-REMEMBERED:]

    def sum_up(self) -> str:
        """A digest of the last ones."""
        return hashlib.sha256(self._last).hexdigest()


class AllBytes:
    """Remembers all: those of a pipe, which comes again from its beginning."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, data: bytes | memoryview, /) -> None:
        """Some bytes were handed out."""
        self._digest.update(data)

    def sum_up(self) -> str:
        """A digest of all."""
        return self._digest.hexdigest()
