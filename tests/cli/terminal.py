"""A pseudo-terminal for tests."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from contextlib import suppress
from threading import Thread
from typing import Self, TextIO


class Terminal:
    """A pseudo-terminal. `text` is what it shows, complete after the `with` block."""

    def __init__(self, columns: int = 80) -> None:
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.stream: TextIO = os.fdopen(theirs, "w", encoding="utf-8")
        self._shown: list[bytes] = []
        self._reader = Thread(target=self._read)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self._reader.join()
        os.close(self._ours)

    @property
    def text(self) -> str:
        return b"".join(self._shown).decode().replace("\r\n", "\n")

    def _read(self) -> None:
        with suppress(OSError):  # raised when the other side is closed
            while shown := os.read(self._ours, 65536):
                self._shown.append(shown)
