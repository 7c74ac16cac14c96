"""
Writes yesterday's incidents (UTC) as Markdown to stdout. Copy it, and let cron run it after the
rotation of the logs:

    python nightly_report.py /var/log/nginx/access.log.1 --changes deploys.csv | mail -s ...
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from statistics import fmean

import slomon


def main() -> None:
    arguments = parse_arguments()
    try:
        monitor = slomon.replay(
            arguments.logs,
            endpoints=arguments.endpoints,
            slo=arguments.slo,
            window=arguments.window,
            changes=arguments.changes,
            change_zone=arguments.change_zone,
        )
    except (slomon.SlomonError, OSError) as error:
        sys.exit(f"error: {error}")
    print("\n".join(report(monitor, arguments.day)))


def report(monitor: slomon.ReplayMonitor, day: date) -> Iterator[str]:
    records = [one for one in monitor.records() if moment(one.start).date() == day]
    yield f"# Incidents of {day}: {len(records)}\n"
    if records:
        yield "| start | lasted | endpoint | broken by | fixed by |\n|---|---|---|---|---|"
        yield from map(row, records)
        yield ""
    closed = (one.duration for one in records if one.state == "closed")
    repairs = [lasted for lasted in closed if lasted is not None]
    mttr = f"MTTR {fmean(repairs):.2f} s" if repairs else "None was repaired"
    yield f"{mttr}. {monitor.accounting.rejected} lines could not be read."
    yield from (f"Warning: {warning.text}" for warning in monitor.warnings)
    yield from (f"Warning: {problem}" for problem in monitor.problems)


def row(record: slomon.IncidentRecord) -> str:
    lasted = record.duration
    cells = [
        f"{moment(record.start):%H:%M:%S}",
        "still open" if lasted is None else str(timedelta(seconds=round(lasted))),
        escape(f"{record.verb} {record.resource}"),
        *(describe(found) for found in (record.broken_by, record.fixed_by)),
    ]
    return f"| {' | '.join(cells)} |"


def describe(found: slomon.Attribution | None) -> str:
    newest = found and found.newest
    return escape(f"{newest.commit[:12]} {newest.author}") if newest else ""


def escape(text: str) -> str:
    """Escape text from a log so that it stays text, within its cell of a Markdown table."""
    return f"`{ascii(text)[1:-1].replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Yesterday's incidents, as Markdown.")
    parser.add_argument("logs", nargs="+", help="access logs, in order")
    parser.add_argument("--endpoints", help="file of endpoints (default: discovered in the logs)")
    parser.add_argument("--slo", help="of discovered endpoints (default: 99.9%%)")
    parser.add_argument("--window", help="of discovered endpoints (default: 5m)")
    parser.add_argument("--changes", help="file of deploys, or the output of git log")
    parser.add_argument("--change-zone", help="zone of their dates that name none")
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    parser.add_argument("--day", type=date.fromisoformat, default=yesterday)
    return parser.parse_args()


if __name__ == "__main__":
    main()
