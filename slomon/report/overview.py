"""
What became of every event, or of every line of a replay.

The figures of a run as lines of text, and those of its services as a table.

The whole of it, part by part.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from slomon.core.events import Accounting, ReplayAccounting
from slomon.core.metrics import Budget, DoraMetrics, Metrics, Repair
from slomon.core.summary import Summary
from slomon.dates import show_seconds
from slomon.log_replay.logging import suggest_lateness
from slomon.report.screen import Colour, Screen, Span
from slomon.report.tables import Column, format_table, show_incidents
from slomon.report.timeline import show_timeline


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


_ROWS: Final = 10
_LABEL: Final = 13
_HEADINGS: Final = (
    Column("service", flexible=True),
    Column("incidents", right=True),
    Column("open", right=True, rank=1),
    Column("MTTR", right=True),
    Column("detected", right=True, rank=3),
    Column("budget left", right=True, rank=2),
    Column("deploys failed", right=True, rank=4),
)


def show_figures(summary: Summary, screen: Screen) -> Iterator[str]:
    """What is known of the whole run; what isn't is left out."""
    whole = summary.overall
    lines = {
        "Incidents": _show_incidents(summary),
        "Repair": _show_repair(whole.repair),
        "Detection": _show_detection(whole),
        "Error budget": _show_budget(whole.budget),
        "Deploys": _show_delivery(whole.delivery),
        "Accounting": show_accounting(summary.accounting),
    }
    for label, text in lines.items():
        if text:
            yield from screen.wrap(f"{label.ljust(_LABEL)}{text}".split(" "), indent=_LABEL)


def show_services(summary: Summary, screen: Screen) -> Iterator[str]:
    """
    A table of the services that broke, most incidents first: ten, and how many more there are. No
    line where just one did, since the figures of the run say as much of it.
    """
    found = sorted(
        (one for one in summary.services if one.incidents), key=lambda one: -one.incidents
    )
    if len(found) < 2:
        return
    yield from format_table(_HEADINGS, list(map(_cells, found[:_ROWS])), screen)
    if len(found) > _ROWS:
        yield screen.line((f"{screen.glyphs.ellipsis} and {len(found) - _ROWS:,} more", None))


def _cells(metrics: Metrics) -> list[Span]:
    repair, left = metrics.repair, metrics.budget.left
    return [
        (metrics.service or "", None),
        (f"{metrics.incidents:,}", None),
        (f"{repair.open:,}", Colour.RED if repair.open else None),
        (_span(repair.mean), None),
        (_span(metrics.detection), None),
        (_share(left), Colour.RED if left is not None and left < 0 else None),
        (_share(metrics.delivery.change_failure_rate), None),
    ]


def _show_incidents(summary: Summary) -> str:
    if not summary.incidents:
        return "none"
    repair = summary.overall.repair
    broken = len({(one.verb, one.resource) for one in summary.incidents})
    expired = f", {repair.expired:,} expired" if repair.expired else ""
    return (
        f"{len(summary.incidents):,} on {broken:,} of {len(summary.endpoints):,} endpoints: "
        f"{repair.closed:,} closed, {repair.open:,} open{expired}"
    )


def _show_repair(repair: Repair) -> str:
    if repair.mean is None:
        return ""
    return (
        f"MTTR {_span(repair.mean)}, median {_span(repair.median)}, p90 {_span(repair.p90)}, "
        f"longest {_span(repair.longest)}"
    )


def _show_detection(metrics: Metrics) -> str:
    if metrics.detection is None:
        return ""
    return f"median {_span(metrics.detection)} from the deploy that broke it to the incident"


def _show_budget(budget: Budget) -> str:
    failed = f"{budget.failures:,} of {budget.requests:,} requests failed"
    if budget.left is None:
        return f"{failed}, none may"
    left = f"{-budget.left:,.1%} overspent" if budget.left < 0 else f"{budget.left:.1%} left"
    allowed = f"{budget.allowed:,.1f}" if budget.allowed >= 1 else _show_number(budget.allowed)
    return f"{failed}, {allowed} may: {left}"


def _show_delivery(delivery: DoraMetrics) -> str:
    if not delivery.deployments:
        return ""
    daily = "" if delivery.frequency is None else f" ({_show_number(delivery.frequency)} a day)"
    share = f" ({_share(delivery.change_failure_rate)})" if delivery.failed else ""
    recovery = delivery.recovery_time
    time = "" if recovery is None else f", recovery time {_span(recovery)}"
    return f"{delivery.deployments:,}{daily}, failed {delivery.failed:,}{share}{time}"


def _show_number(number: float) -> str:
    """To three digits, and never as a power of ten."""
    return f"{Decimal(f'{number:.3g}'):,f}"


def _span(seconds: float | None) -> str:
    return "-" if seconds is None else show_seconds(seconds)


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:,.1%}"


def show_report(summary: Summary, screen: Screen) -> Iterator[str]:
    """The figures, the incidents, the services and the timeline, with a blank line between them."""
    yield from show_figures(summary, screen)
    for show in (show_incidents, show_services, show_timeline):
        lines = list(show(summary, screen))
        if lines:
            yield ""
            yield from lines
