"""The run in a few lines, for people: incidents, repair, and what became of each line."""

from __future__ import annotations

from collections.abc import Iterator

from slomon.command.span import show_span
from slomon.core.accounting import ReplayAccounting
from slomon.replaying.monitor import ReplayMonitor
from slomon.replaying.report_log import suggest_lateness


def show_summary(monitor: ReplayMonitor) -> Iterator[str]:
    """A line on the incidents, and the accounting."""
    accounting, mttr = monitor.accounting, monitor.mttr()
    still_open = sum(incident.end is None for incident in monitor.incidents)
    yield (
        f"MTTR {mttr} s ({show_span(round(mttr * 100) * 10_000_000)}); "
        f"incidents {len(monitor.incidents):,}, {still_open:,} of them open; "
        f"endpoints {accounting.endpoints:,}"
    )
    yield f"{_show_sum(accounting)}; {_show_remarks(accounting)}"


def _show_sum(accounting: ReplayAccounting) -> str:
    records = f" + records {accounting.records:,}" if accounting.records else ""
    return (
        f"lines {accounting.lines:,}{records} = accesses {accounting.accesses:,}"
        f" + changes {accounting.changes:,} + unmatched {accounting.unmatched:,}"
        f" + rejected {accounting.rejected:,} + blank {accounting.blank:,}"
    )


def _show_remarks(accounting: ReplayAccounting) -> str:
    return (
        f"late {accounting.late:,}, out of order {accounting.disordered:,}"
        f"{_show_lateness(accounting)}, capped {accounting.capped:,}"
    )


def _show_lateness(accounting: ReplayAccounting) -> str:
    if not accounting.disordered:
        return ""
    restored = f"--lateness {suggest_lateness(accounting)} would restore it"
    by = f"by up to {show_span(accounting.largest_lateness)}"
    return f" ({by}; {restored})" if accounting.late else f" ({by})"
