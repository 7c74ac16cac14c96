"""What a run found, to be looked at: as a page, as a data frame, and in a notebook."""

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
from slomon.log_replay.replay import ReplayMonitor
from slomon.options import Duration, read_duration, read_text
from slomon.report.exports import to_frame
from slomon.report.page import TITLE, check_commit_url, render_page
from slomon.text import excerpt, quote

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


class Report:
    """
    The report of a monitor, or of a live one's snapshot. Where a cell of a notebook ends with it,
    its page is shown there.

    `title` stands on top of the page. `commit_url` is where a commit can be looked at, such as
    "https://git.example.com/commit/{commit}". A change that is older than `stale_after` (seconds,
    or text such as "1d") as an endpoint breaks is taken for stale. How the SLI of each endpoint
    went is in it if the run was asked for `sli_series=True`.

    Raises ConfigurationError where one of these is anything else.
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
        """All that is known of the run."""
        self._problems = monitor.problems if isinstance(monitor, ReplayMonitor) else []

    def to_html(self) -> str:
        """
        The page: one file, to be written as UTF-8, which opens offline and asks nobody for
        anything. It is less than 3 MB, and says what of a long run it leaves out.
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
        """The incidents as a data frame of "pandas" or "polars", or of whichever is installed."""
        return to_frame(self.summary.incidents, library)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the page to a file, whole or not at all. Raises OSError, which names the file."""
        with OutputFile(Path(path)) as file:
            file.fill(self.write)

    def write(self, file: BinaryIO) -> None:
        """Write the page to an open file. Raises OSError as that does."""
        file.write(self.to_html().encode())

    def _repr_html_(self) -> str:
        # In a frame of its own, where scripts run that can reach nothing of the notebook.
        return (
            f'<iframe srcdoc="{escape(self.to_html())}" title="{escape(excerpt(self._title))}" '
            'sandbox="allow-scripts allow-popups allow-popups-to-escape-sandbox" '
            'style="width: 100%; height: 42rem; border: 0"></iframe>'
        )
