"""The report of a run: an HTML page, a data frame, and a page inside a notebook."""

from __future__ import annotations

from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from slomon.core.service_monitor import STALE_AFTER, ServiceMonitor
from slomon.core.summary import Summary
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.errors import ConfigurationError
from slomon.files import OutputFile
from slomon.log_replay.monitor import ReplayMonitor
from slomon.options import Duration, read_duration, read_text
from slomon.report.exports import to_frame
from slomon.report.page import TITLE, check_commit_url, render_page
from slomon.text import excerpt, quote

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


class Report:
    """
    The report of a monitor, or of the snapshot of a live monitor. A notebook cell that ends with a
    report shows its page.

    `title` is the heading of the page. `commit_url` is the address of a commit, such as
    "https://git.example.com/commit/{commit}". A change is no cause of failures that began more
    than `stale_after` (seconds, or text such as "1d") after it. The page shows the SLI of each
    endpoint over time if the run had `sli_series=True`.

    Raises ConfigurationError if one of these is anything else.
    """

    def __init__(
        self,
        monitor: ServiceMonitor,
        *,
        title: str | None = None,
        commit_url: str | None = None,
        stale_after: Duration = STALE_AFTER,
    ) -> None:
        if not isinstance(monitor, ServiceMonitor):
            raise ConfigurationError(
                f"the monitor of a report is {quote(monitor)}; allowed: a monitor, or the snapshot "
                "of a live one"
            )
        self._title = read_text("title", title) or TITLE
        self._commit_url = check_commit_url(commit_url)
        stale = read_duration("stale_after", stale_after)
        self.summary: Summary = monitor.summary(stale_after=stale / TICKS_PER_SECOND)
        """The summary of the run, which the report shows."""
        self._problems = list(monitor.problems) if isinstance(monitor, ReplayMonitor) else []

    def to_html(self) -> str:
        """
        The page: one file, to be written as UTF-8, that opens offline and loads nothing. It is
        smaller than 3 MB, and states what it omits of a long run.
        """
        return render_page(
            self.summary,
            title=self._title,
            commit_url=self._commit_url,
            problems=self._problems,
        )

    def to_frame(
        self, library: Literal["pandas", "polars"] | None = None
    ) -> pd.DataFrame | pl.DataFrame:
        """The incidents as a data frame of "pandas" or "polars"; None takes the one installed."""
        return to_frame(self.summary.incidents, library)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the page to a file, entirely or not at all. Raises OSError that names the file."""
        with OutputFile(Path(path)) as file:
            file.fill(self.write)

    def write(self, file: BinaryIO) -> None:
        """Write the page to an open file. Raises OSError if the file does."""
        file.write(self.to_html().encode())

    def _repr_html_(self) -> str:
        # A sandboxed frame: the scripts of the page can't reach the notebook.
        return (
            f'<iframe srcdoc="{escape(self.to_html())}" title="{escape(excerpt(self._title))}" '
            'sandbox="allow-scripts allow-popups allow-popups-to-escape-sandbox" '
            'style="width: 100%; height: 42rem; border: 0"></iframe>'
        )
