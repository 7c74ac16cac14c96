"""The progress of a replay, as a bar at the bottom of a terminal."""

from __future__ import annotations

import io
from importlib import import_module
from types import TracebackType
from typing import Any, Self, TextIO, cast

from slomon.log_replay.progress import Progress


def open_bar(stderr: TextIO) -> ProgressBar | None:
    """A bar, or None if stderr is no terminal or tqdm (of the extra) is not installed."""
    if not stderr.isatty():
        return None
    try:
        tqdm = import_module("tqdm").tqdm
    except ImportError:
        return None
    return ProgressBar(tqdm, stderr)


class ProgressBar:
    """
    A bar that `show` moves. A context manager that removes the bar. Lines written to `above` appear
    above the bar.
    """

    def __init__(self, tqdm: Any, stderr: TextIO) -> None:
        # An interval of 0 keeps tqdm from starting a thread that watches idle bars.
        unmonitored = type("UnmonitoredBar", (tqdm,), {"monitor_interval": 0})
        self._bar = unmonitored(
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
        """Move the bar. It shows the bytes read and in total, the time left and lines a second."""
        bar = self._bar
        bar.total, bar.n = progress.total_bytes, progress.read_bytes
        seconds = bar.format_dict["elapsed"] or 1
        bar.set_postfix_str(f"{progress.lines / seconds:,.0f} lines/s", refresh=False)
        bar.refresh()


class _Above(io.TextIOBase):
    """A stream whose lines appear above the bar."""

    def __init__(self, tqdm: Any, stderr: TextIO) -> None:
        self._tqdm = tqdm
        self._stderr = stderr

    def write(self, text: str, /) -> int:
        if text.strip():  # tqdm.write adds the end of the line itself
            self._tqdm.write(text.rstrip("\n"), file=self._stderr)
        return len(text)

    def flush(self) -> None:
        self._stderr.flush()

    def isatty(self) -> bool:
        return True
