"""How far a replay has come, as a bar at the bottom of a terminal."""

from __future__ import annotations

import io
from importlib import import_module
from types import TracebackType
from typing import Any, Self, TextIO, cast

from slomon.log_replay.run import Progress


def open_bar(stderr: TextIO) -> ProgressBar | None:
    """A bar, or None where there is no terminal or nothing that draws one (the extra's tqdm)."""
    if not stderr.isatty():
        return None
    try:
        tqdm = import_module("tqdm").tqdm
    except ImportError:
        return None
    return ProgressBar(tqdm, stderr)


class ProgressBar:
    """A context manager, which removes the bar. What is written to `above` goes above it."""

    def __init__(self, tqdm: Any, stderr: TextIO) -> None:
        # Without tqdm's own thread, which would watch for bars that are not moved on.
        removed_endpoints = type("UnwatchedBar", (tqdm,), {"monitor_interval": 0})
        self._bar = removed_endpoints(
            file=stderr, unit="B", unit_scale=True, mininterval=0, dynamic_ncols=True, leave=False
        )
        self.above = cast(TextIO, _Above(tqdm, stderr))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()

    def show(self, progress: Progress) -> None:
        """Move the bar: bytes read, of how many, time left, lines a second."""
        bar = self._bar
        bar.total, bar.n = progress.total_bytes, progress.read_bytes
        seconds = bar.format_dict["elapsed"] or 1
        bar.set_postfix_str(f"{progress.lines / seconds:,.0f} lines/s", refresh=False)
        bar.refresh()


class _Above(io.TextIOBase):
    """Lines written here stand above the bar."""

    def __init__(self, tqdm: Any, stderr: TextIO) -> None:
        self._tqdm = tqdm
        self._stderr = stderr

    def write(self, text: str, /) -> int:
        if text.strip():  # its own line end follows
            self._tqdm.write(text.rstrip("\n"), file=self._stderr)
        return len(text)

    def flush(self) -> None:
        self._stderr.flush()

    def isatty(self) -> bool:
        return True
