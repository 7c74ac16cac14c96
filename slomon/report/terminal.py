"""The terminal report of a run, as lines: metrics, incidents, services and the timeline."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from slomon.core.events import Accounting, ReplayAccounting
from slomon.core.metrics import Budget, DoraMetrics, Metrics, Repair
from slomon.core.summary import Summary
from slomon.dates import show_seconds
from slomon.log_replay.trust import show_reasons, suggest_lateness
from slomon.report.outages import describe_cost, rank_outages
from slomon.report.screen import Colour, Screen, Span
from slomon.report.tables import TableColumn, format_table, show_incidents, show_outages
from slomon.report.timeline import show_timeline

_ROWS: Final = 10
_LABEL: Final = 13  # columns
_COLUMNS: Final = (
    TableColumn("service", flexible=True),
    TableColumn("incidents", right=True),
    TableColumn("open", right=True, rank=1),
    TableColumn("MTTR", right=True),
    TableColumn("detected", right=True, rank=3),
    TableColumn("budget left", right=True, rank=2),
    TableColumn("deploys failed", right=True, rank=4),
)


def show_report(summary: Summary, screen: Screen) -> Iterator[str]:
    """All parts, with a blank line between them. A part without content is omitted."""
    yield from show_warnings(summary, screen)
    yield from show_costliest(summary, screen)
    yield from show_metrics(summary, screen)
    for show in (show_outages, show_incidents, show_services, show_timeline):
        lines = list(show(summary, screen))
        if lines:
            yield ""
            yield from lines


def show_warnings(summary: Summary, screen: Screen) -> Iterator[str]:
    """Why the result can't be trusted, and a blank line; no line if it can."""
    for warning in summary.warnings:
        label = "Wrong result" if warning.certain else "Warning"
        words = f"{label.ljust(_LABEL)}{warning.text}".split(" ")
        yield from screen.wrap(map(screen.clean, words), indent=_LABEL)
    if summary.warnings:
        yield ""


def show_costliest(summary: Summary, screen: Screen) -> Iterator[str]:
    """What the costliest outage cost, and a blank line; no line if there was no outage."""
    costs = rank_outages(summary)
    if costs:
        words = f"{describe_cost(costs[0])}.".split(" ")
        yield from screen.wrap(map(screen.clean, words))
        yield ""


def show_metrics(summary: Summary, screen: Screen) -> Iterator[str]:
    """The metrics of the whole run, a labelled line for each that is known."""
    overall = summary.overall
    lines = {
        "Incidents": _show_incidents(summary),
        "Repair": _show_repair(overall.repair),
        "Detection": _show_detection(overall),
        "Error budget": _show_budget(overall.budget),
        "Deploys": _show_deploys(overall.delivery),
        "Accounting": show_accounting(summary.accounting),
    }
    for label, text in lines.items():
        if text:
            yield from screen.wrap(f"{label.ljust(_LABEL)}{text}".split(" "), indent=_LABEL)


def show_services(summary: Summary, screen: Screen) -> Iterator[str]:
    """
    A table of the ten services with the most incidents and the number of further ones, as lines. If
    only one service broke, there is no line: the metrics of the run are its metrics.
    """
    found = sorted(
        (one for one in summary.services if one.incidents), key=lambda one: -one.incidents
    )
    if len(found) < 2:
        return
    yield from format_table(_COLUMNS, list(map(_cells, found[:_ROWS])), screen)
    if len(found) > _ROWS:
        yield screen.line((f"{screen.glyphs.ellipsis} and {len(found) - _ROWS:,} more", None))


def show_accounting(accounting: Accounting) -> str:
    """The sum that accounts for every event or replayed line, and remarks on their order."""
    total, blank, remarks = f"events {accounting.events:,}", "", f"late {accounting.late:,}"
    excluded = f" + excluded {accounting.excluded:,}" if accounting.excluded else ""
    if excluded:
        excluded += f" ({show_reasons(accounting.excluded_by_reason)})"
    if isinstance(accounting, ReplayAccounting):
        records = f" + records {accounting.records:,}" if accounting.records else ""
        total, blank = f"lines {accounting.lines:,}{records}", f" + blank {accounting.blank:,}"
        remarks += f", out of order {accounting.disordered:,}{_show_lateness(accounting)}"
        remarks += f", capped {accounting.capped:,}"
    if accounting.missing:
        remarks += f", missing {accounting.missing:,}"
    return (
        f"{total} = accesses {accounting.accesses:,} + changes {accounting.changes:,}"
        f" + unmatched {accounting.unmatched:,} + rejected {accounting.rejected:,}{excluded}{blank}"
        f"; {remarks}"
    )


def _cells(metrics: Metrics) -> list[Span]:
    repair, left = metrics.repair, metrics.budget.left
    return [
        (metrics.service or "", None),
        (f"{metrics.incidents:,}", None),
        (f"{repair.open:,}", Colour.RED if repair.open else None),
        (_show_duration(repair.mean), None),
        (_show_duration(metrics.detection), None),
        (_show_share(left), Colour.RED if left is not None and left < 0 else None),
        (_show_share(metrics.delivery.change_failure_rate), None),
    ]


def _show_incidents(summary: Summary) -> str:
    if not summary.incidents:
        return "none"
    repair = summary.overall.repair
    broken = len({one.endpoint for one in summary.incidents})
    expired = f", {repair.expired:,} expired" if repair.expired else ""
    return (
        f"{len(summary.incidents):,} on {broken:,} of {len(summary.endpoints):,} endpoints: "
        f"{repair.closed:,} closed, {repair.open:,} open{expired}"
    )


def _show_repair(repair: Repair) -> str:
    if repair.mean is None:
        return ""
    mean, median, p90, longest = map(
        _show_duration, (repair.mean, repair.median, repair.p90, repair.longest)
    )
    return f"MTTR {mean}, median {median}, p90 {p90}, longest {longest}"


def _show_detection(metrics: Metrics) -> str:
    if metrics.detection is None:
        return ""
    return (
        f"median {_show_duration(metrics.detection)} from the deploy that broke it to the incident"
    )


def _show_budget(budget: Budget) -> str:
    failed = f"{budget.failures:,} of {budget.requests:,} requests failed"
    if budget.left is None:
        return f"{failed}, none allowed"
    left = f"{-budget.left:,.1%} overspent" if budget.left < 0 else f"{budget.left:.1%} left"
    allowed = f"{budget.allowed:,.1f}" if budget.allowed >= 1 else _show_number(budget.allowed)
    return f"{failed}, {allowed} allowed: {left}"


def _show_deploys(delivery: DoraMetrics) -> str:
    if not delivery.deployments:
        return ""
    daily = "" if delivery.frequency is None else f" ({_show_number(delivery.frequency)} a day)"
    failed = f"failed {delivery.failed:,}"
    if delivery.failed:
        rate = _show_share(delivery.change_failure_rate)
        failed += f" ({rate}; clear or likely causes of an incident)"
    recovery = delivery.recovery_time
    time = "" if recovery is None else f", recovery time {_show_duration(recovery)}"
    return f"{delivery.deployments:,}{daily}, {failed}{time}"


def _show_lateness(accounting: ReplayAccounting) -> str:
    if not accounting.disordered:
        return ""
    restored = f"--lateness {suggest_lateness(accounting)} would restore it"
    by = f"by up to {show_seconds(accounting.largest_lateness)}"
    return f" ({by}; {restored})" if accounting.late else f" ({by})"


def _show_number(number: float) -> str:
    """A number to three significant digits, never in scientific notation."""
    return f"{Decimal(f'{number:.3g}'):,f}"


def _show_duration(seconds: float | None) -> str:
    return "-" if seconds is None else show_seconds(seconds)


def _show_share(share: float | None) -> str:
    return "-" if share is None else f"{share:,.1%}"
