"""Format detection: the first lines of a log, and the format that reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from functools import partial
from io import BytesIO
from itertools import takewhile
from typing import Final, Protocol

from slomon.core.events import Malformed
from slomon.core.statuses import StatusRule, server_errors_fail
from slomon.endpoints.discovery import Requests
from slomon.errors import ConfigurationError
from slomon.formats.registry import Format, detect, restore_format
from slomon.log_replay.lines import Log, SavedLog, find_prefix
from slomon.sources.source import Source
from slomon.text import quote

HEAD_LINES: Final = 100  # not counting blank lines
_BYTES: Final = 64 * 1024


def read_head(source: Source, least: int = HEAD_LINES) -> bytes:
    """
    Peek at the next lines of a source: the first 100 lines that are not blank, within the first
    64 KiB, or the first line if that is longer. A pipe blocks until `least` lines have arrived.

    If blank lines come first, the result is only some of these. It is empty at the end of the
    source, and if the first line is longer than the source allows.
    """
    text, more = b"", source.peek(1)
    while len(more) > len(text):
        text, head = more, _list_lines(more, source.max_line)
        all_there = len(text) >= (_BYTES if head else source.max_line + 1)
        if all_there or len(head) >= least or (head and _is_blank(head[0])):
            return b"".join(head)
        more = source.peek(len(text) + 1)
    if source.problem is None and text[-1:] not in (b"", b"\n"):
        text += b"\n"  # the last line needs no line end, unless it is cut off
    return b"".join(_list_lines(text, source.max_line))


def _list_lines(text: bytes, max_line: int) -> list[bytes]:
    end = text.rfind(b"\n", 0, _BYTES) + 1 or text.find(b"\n", 0, max_line + 1) + 1
    lines = BytesIO(text[:end]).readlines()
    blank = list(takewhile(_is_blank, lines))
    return blank or [line for line in lines if not _is_blank(line)][:HEAD_LINES]


def _is_blank(line: bytes) -> bool:
    return not line.strip()


_UNKNOWN: Final = Format(
    "unknown", partial(Malformed, reason="its format is not known"), spec="unknown"
)
"""The format of a log in which there was no line yet to detect it by."""


class KnowRequests(Protocol):
    """Returns the requests whose targets are compared exactly, or with templates."""

    def __call__(self, *, match_exactly: bool) -> Requests: ...


class FormatDetector:
    """
    Makes a Log from the first lines of a file. Its format is the only one of `formats`, or the one
    that reads the lines best. `needed` is how many lines that takes.

    A status fails by `is_failure`, and a time without a zone is in `zone`. `match_exactly` is for
    all logs; if it is None, recorded streams are compared exactly and other
    logs are not. `on_format_detected` is called with the name of the log and of its format.
    """

    def __init__(
        self,
        formats: Sequence[Format],
        requests: KnowRequests,
        on_format_detected: Callable[[str, str], None],
        *,
        match_exactly: bool | None = None,
        is_failure: StatusRule = server_errors_fail,
        zone: tzinfo | None = None,
    ) -> None:
        self._is_failure = is_failure
        self._zone = zone
        self._formats = formats
        self._requests = requests
        self._on_format_detected = on_format_detected
        self._exact = match_exactly
        self.needed = 1 if len(formats) == 1 else HEAD_LINES

    def __call__(self, name: str, head: bytes, before: Log | None) -> Log:
        """
        The log of that name. If no format reads at least half of the lines, the log gets the format
        of the host's previous log, and a doubt. Raises ConfigurationError if there is no previous
        log with a known format.
        """
        lines = head.decode("utf-8", "backslashreplace").split("\n")
        written = [line.removesuffix("\r") for line in lines if line.strip()]
        form, doubt = self._choose(written), None
        if form is None:
            form = before.format if before else _UNKNOWN
            doubt = self._doubt(written[0], form) if written else None
        if doubt and form is _UNKNOWN:
            raise ConfigurationError(f"{name}: {doubt}")
        match_exactly = form.ordered if self._exact is None else self._exact
        prefix = find_prefix(head) if form.ordered else b""
        requests = self._requests(match_exactly=match_exactly)
        log = Log(name, form, requests, match_exactly, prefix, bool(written), doubt=doubt)
        if written:
            self._on_format_detected(log.name, log.format.name)
        return log

    def restore(self, saved: SavedLog, beginning: bytes) -> Log:
        """A log that was recognised before the checkpoint."""
        name, form, match_exactly, prefix, recognised, ended, doubt = saved
        found = restore_format(form, self._is_failure, self._zone) or _UNKNOWN
        requests = self._requests(match_exactly=match_exactly)
        return Log(
            *(name, found, requests, match_exactly, prefix.encode()),
            *(recognised, ended, doubt, beginning),
        )

    def _choose(self, lines: Sequence[str]) -> Format | None:
        return self._formats[0] if len(self._formats) == 1 else detect(lines, self._formats)

    def _doubt(self, line: str, form: Format) -> str:
        read = f", read as {form.name} like the log before it" if form is not _UNKNOWN else ""
        names = ", ".join(form.name for form in self._formats)
        return (
            f"no format reads its first lines, as {quote(line)}{read}; allowed: {names}, which "
            "--format (format=) forces, or one of your own by --regex (regex=) or --json-keys "
            "(json_keys=)"
        )


def is_known(log: Log | None) -> bool:
    """Is the format of the log known, if only from a previous log?"""
    return log is not None and log.format is not _UNKNOWN
