"""What became of every event, or of every line of a replay."""

from __future__ import annotations

from slomon.core.events import Accounting, ReplayAccounting
from slomon.dates import show_seconds
from slomon.logging import suggest_lateness


def show_accounting(accounting: Accounting) -> str:
    """The sum that accounts for all of them, and what is to be known of their order."""
    whole, blank, remarks = f"events {accounting.events:,}", "", f"late {accounting.late:,}"
    if isinstance(accounting, ReplayAccounting):
        records = f" + records {accounting.records:,}" if accounting.records else ""
        whole, blank = f"lines {accounting.lines:,}{records}", f" + blank {accounting.blank:,}"
        remarks += f", out of order {accounting.disordered:,}{_show_lateness(accounting)}"
        remarks += f", capped {accounting.capped:,}"
    return (
        f"{whole} = accesses {accounting.accesses:,} + changes {accounting.changes:,}"
        f" + unmatched {accounting.unmatched:,} + rejected {accounting.rejected:,}{blank}"
        f"; {remarks}"
    )


def _show_lateness(accounting: ReplayAccounting) -> str:
    if not accounting.disordered:
        return ""
    restored = f"--lateness {suggest_lateness(accounting)} would restore it"
    by = f"by up to {show_seconds(accounting.largest_lateness)}"
    return f" ({by}; {restored})" if accounting.late else f" ({by})"
