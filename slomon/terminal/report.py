"""The whole of it, part by part."""

from __future__ import annotations

from collections.abc import Iterator

from slomon.core.summary import Summary
from slomon.terminal.figures import show_figures, show_services
from slomon.terminal.incident_table import show_incidents
from slomon.terminal.screen import Screen
from slomon.terminal.timeline import show_timeline


def show_report(summary: Summary, screen: Screen) -> Iterator[str]:
    """The figures, the incidents, the services and the timeline, with a blank line between them."""
    yield from show_figures(summary, screen)
    for show in (show_incidents, show_services, show_timeline):
        lines = list(show(summary, screen))
        if lines:
            yield ""
            yield from lines
