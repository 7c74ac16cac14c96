"""Format detection: the first lines of a log, and the format that reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from io import BytesIO
from itertools import accumulate, filterfalse, takewhile
from operator import ge, sub
from threading import Lock
from typing import Final, Protocol, TypeAlias

from slomon.core.events import Access, Malformed
from slomon.core.statuses import server_errors_fail
from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND
from slomon.endpoints.discovery import Requests
from slomon.errors import ConfigurationError
from slomon.formats.durations import describe_duration
from slomon.formats.format import Format, Reading, read_lines
from slomon.formats.json_keys import JsonKeys
from slomon.formats.recognition import (
    Infer,
    Recognition,
    looks_like_request,
    recognise,
    recognise_given,
)
from slomon.formats.registry import restore_format
from slomon.log_replay.lines import Log, SavedLog, find_prefix
from slomon.sources.source import Source

HEAD_LINES: Final = 100  # not counting blank lines
_BYTES: Final = 64 * 1024
_LEAST_TICKS: Final = 5  # fewer lines may be in any order by chance
_MOST_LATENESS: Final = 3600 * TICKS_PER_SECOND
_MOST_BYTES: Final = 1024 * 1024
_REQUESTS: Final = 10


def read_head(source: Source, least: int = HEAD_LINES) -> bytes:
    """
    Peek at the next lines of a source: the first 100 lines that are not blank, within the first
    64 KiB, or the first line if that is longer. A pipe blocks until `least` lines have arrived; a
    file has all of them.

    Logs may begin with banners and errors. If fewer than 10 of these lines look like requests, more
    lines follow until there are 10, or up to 1 MiB.

    If blank lines come first, the result is only some of these. It is empty at the end of the
    source, and if the first line is longer than the source allows.
    """
    if source.size is not None:
        least = HEAD_LINES
    wanted = 0 if least < HEAD_LINES else _REQUESTS
    text, more = b"", source.peek(1)
    while len(more) > len(text):
        text = more
        head, complete = _list_lines(text, source.max_line, wanted)
        all_there = len(text) >= (_BYTES if head else source.max_line + 1)
        blank = bool(head) and _is_blank(head[0])
        if blank or (complete and (all_there or len(head) >= least)):
            return b"".join(head)
        more = source.peek(len(text) + 1)
    if source.problem is None and text[-1:] not in (b"", b"\n"):
        text += b"\n"  # the last line needs no line end, unless it is cut off
    return b"".join(_list_lines(text, source.max_line, wanted)[0])


def _list_lines(text: bytes, max_line: int, wanted: int) -> tuple[list[bytes], bool]:
    """The lines of a head, and whether all `wanted` requests are among them, or 1 MiB was read."""
    most = _MOST_BYTES if wanted else _BYTES
    end = text.rfind(b"\n", 0, most) + 1 or text.find(b"\n", 0, max_line + 1) + 1
    lines = BytesIO(text[:end]).readlines()
    blank = list(takewhile(_is_blank, lines))
    if blank:
        return blank, True
    head: list[bytes] = []
    size = requests = 0
    for line in filterfalse(_is_blank, lines):
        is_long = len(head) == HEAD_LINES or (head and size + len(line) > _BYTES)
        if len(line) > max_line + 1 or (is_long and requests >= wanted):
            return head, True
        head.append(line)
        size += len(line)
        requests += requests < wanted and looks_like_request(line.decode("utf-8", "replace"))
        if len(head) > HEAD_LINES and requests >= wanted:
            return head, True
    return head, requests >= wanted or len(text) >= _MOST_BYTES


def _is_blank(line: bytes) -> bool:
    return not line.strip()


def judge_order(log: Log, head: bytes, source: Source, needed: int) -> int:
    """
    Set the lateness that the first lines of a log need. Return the least tick of the accesses among
    them; 0 if there are none. `source` stands at these lines.

    All lines are sorted if the first ones run from new to old, as a cloud's console exports them.
    Otherwise twice the disorder of the first lines is allowed; one line in 100 is ignored. An old
    line among them must not make a long log wait in memory, so this is at most an hour, unless
    there are no further lines. Of a pipe, less than `needed` lines may have arrived; if these are
    fewer than 100, the order is not judged, because the answer would depend on the arrival.
    """
    lines = _list_written(head)
    ticks = [one.tick for one in read_lines(log.format, lines) if isinstance(one, Access)]
    if not ticks:
        return 0
    is_file = source.size is not None
    if not log.format.ordered and (is_file or needed >= HEAD_LINES):
        is_whole = is_file and len(source.peek(len(head) + 1)) <= len(head)
        log.lateness = _find_lateness(ticks, LAST_TICK if is_whole else _MOST_LATENESS)
    return min(ticks)


def cut_to_first_access(log: Log, head: bytes) -> str:
    """The first lines of a log from the first access on; "" if they have none."""
    lines = _list_written(head)
    for number, one in enumerate(read_lines(log.format, lines)):
        if isinstance(one, Access):
            return "\n".join(lines[number:])
    return ""


def _find_lateness(ticks: Sequence[int], most: int) -> int:
    if len(ticks) >= _LEAST_TICKS and ticks[0] > ticks[-1] and all(map(ge, ticks, ticks[1:])):
        return LAST_TICK
    lateness: list[int] = sorted(map(sub, accumulate(ticks, max), ticks))
    return min(2 * lateness[-1 - len(ticks) // 100], most)


def _list_written(head: bytes) -> list[str]:
    lines = head.decode("utf-8", "backslashreplace").split("\n")
    return [line.removesuffix("\r") for line in lines if line.strip()]


_UNKNOWN: Final = Format(
    "unknown", partial(Malformed, reason="its format is not known"), spec="unknown"
)
"""The format of a log in which there was no line yet to detect it by."""


_READING: Final = Reading(server_errors_fail)

OnFormatDetected: TypeAlias = Callable[[str, str, Mapping[str, str]], None]
"""Called with the name of a log, the name of its format, and what else is known of the format."""


def _infer_nothing(_: Sequence[str]) -> None:
    """No layout is inferred."""


_REMEDY: Final = (
    "allowed: --log-format (log_format=) with the layout in the configuration of your server, "
    "--format (format=) with the name of a known one, --regex (regex=), or --json-keys (json_keys=)"
)


class KnowRequests(Protocol):
    """Returns the requests of a log whose targets are compared exactly, or with templates."""

    def __call__(self, *, match_exactly: bool, log: str) -> Requests: ...


class FormatDetector:
    """
    Makes a Log from the first lines of a file. Its format is the only one of `formats`, or the one
    that reads the lines best. `needed` is how many lines that takes. Threads may share a detector.

    Statuses and times are read by `reading`. `match_exactly` is for
    all logs; if it is None, recorded streams are compared exactly and other
    logs are not. `infer` finds the layout of lines that no format
    reads. `on_format_detected` is called for each log.
    """

    def __init__(
        self,
        formats: Sequence[Format],
        requests: KnowRequests,
        on_format_detected: OnFormatDetected,
        *,
        match_exactly: bool | None = None,
        reading: Reading = _READING,
        infer: Infer = _infer_nothing,
    ) -> None:
        self._formats = formats
        self._requests = requests
        self._on_format_detected = on_format_detected
        self._exact = match_exactly
        self._reading = reading
        self._infer = infer
        self.needed = 1 if len(formats) == 1 else HEAD_LINES
        self._lock = Lock()

    def __call__(self, name: str, head: bytes) -> Log:
        """
        The log of that name. Raises ConfigurationError if no format reads its lines.
        """
        with self._lock:
            return self._recognise(name, head)

    def _recognise(self, name: str, head: bytes) -> Log:
        written = _list_written(head)
        found = self._choose(written) if written else None
        if isinstance(found, str):
            raise ConfigurationError(f"{name}: {found}; {_REMEDY}")
        form = _UNKNOWN if found is None else found.format
        match_exactly = form.ordered if self._exact is None else self._exact
        prefix = find_prefix(head) if form.ordered else b""
        requests = self._requests(match_exactly=match_exactly, log=name)
        log = Log(name, form, requests, match_exactly, prefix, bool(written))
        if written:
            details = {} if found is None else _describe(found, written)
            self._on_format_detected(log.name, log.format.name, details)
        return log

    def restore(self, saved: SavedLog, beginning: bytes) -> Log:
        """A log that was recognised before the checkpoint."""
        name, form, match_exactly, prefix, recognised, ended = saved
        found = restore_format(form, self._reading) or _UNKNOWN
        requests = self._requests(match_exactly=match_exactly, log=name)
        return Log(
            *(name, found, requests, match_exactly, prefix.encode()),
            *(recognised, ended, beginning),
        )

    def _choose(self, lines: Sequence[str]) -> Recognition | str:
        if len(self._formats) == 1:
            return recognise_given(lines, self._formats[0], self._reading)
        return recognise(lines, self._formats, self._reading, self._infer)


def _describe(found: Recognition, lines: Sequence[str]) -> dict[str, str]:
    """What is reported of a format, besides its name."""
    details: dict[str, str] = {}
    innermost = found.format
    while innermost.inner is not None:
        innermost = innermost.inner
    layout = innermost.layout
    if found.inferred and layout is not None:
        details["layout"] = layout.show()
    if isinstance(layout, JsonKeys) and layout.name == "json":
        details["keys"] = layout.show()
    if found.assumed_utc:
        details["zone"] = "UTC, as its times name none; --zone (zone=) names another"
    if duration := describe_duration(found.format, lines):
        details["duration"] = duration
    return details


def is_known(log: Log | None) -> bool:
    """Is the format of the log known?"""
    return log is not None and log.format is not _UNKNOWN
