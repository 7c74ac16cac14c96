"""A log that is open, as blocks of lines."""

from __future__ import annotations

from collections.abc import Callable

from slomon.log_replay.detect import judge_order, read_head
from slomon.log_replay.lines import Block, Log
from slomon.log_replay.survey import Recognise, compare_beginning
from slomon.sources.source import Source


class OpenLog:
    """
    Fills blocks with the lines of a source, one after the other. `log` is None if it is not
    recognised yet. Then it is recognised by the lines before which the source stands, and again
    behind them as long as they are blank. `on_recognised` is called once the format is known,
    before any line of it is read, and may look at the next lines.
    """

    def __init__(
        self,
        source: Source,
        log: Log | None,
        recognise: Recognise,
        on_recognised: Callable[[Log, Source], object] = lambda *_: None,
    ) -> None:
        self.source = source
        self.log = log
        self._recognise = recognise
        self._on_recognised = on_recognised

    @property
    def problem(self) -> str | None:
        """Why the log could not be read completely."""
        problem = self.source.problem
        return None if problem is None else f"{self.source.name}: {problem}"

    def fill(self, block: Block, enough: int) -> bool:
        """
        Fill a block with the next lines: `enough` bytes, unless the first line is longer. Returns
        False at the end. Raises ConfigurationError if no format reads the lines.
        """
        most = None
        if self.log is None or not self.log.recognised:
            self.log, looked_at = recognise_next(self.source, self._recognise)
            if self.log.recognised:
                self._on_recognised(self.log, self.source)
            else:
                most = looked_at or None
        if not block.fill(self.source, most, enough):
            return False
        block.log = self.log
        return True


def recognise_next(source: Source, recognise: Recognise) -> tuple[Log, int]:
    """
    The log whose next lines a source has, and how many bytes of them were looked at. Raises
    ConfigurationError if no format reads them.
    """
    head = read_head(source, recognise.needed)
    log = recognise(source.name, head)
    log.beginning = source.beginning
    judge_order(log, head, source, recognise.needed)
    return log, len(head)


def find_replacement(source: Source, log: Log | None) -> str | None:
    """Why a source is not the log that was looked at before; None if it may be, or if none was."""
    problem = None if log is None else compare_beginning(source.beginning, log)
    return problem and f"{source.name} was replaced after the replay had begun: {problem}"
