"""
What broke yesterday (UTC), as Markdown on stdout. Copy it, and let cron run it after the logs were
rotated:

    python nightly_report.py /var/log/nginx/access.log.1 --changes deploys.csv | mail -s ...
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import slomon
from slomon.core.tick import to_seconds


def main() -> None:
    arguments = parse_arguments()
    monitor = slomon.replay(
        arguments.logs,
        endpoints=arguments.endpoints,
        changes=arguments.changes,
        change_zone=arguments.change_zone,
    )
    print("\n".join(report(monitor, arguments.day)))


def report(monitor: slomon.ReplayMonitor, day: date) -> Iterator[str]:
    incidents = [one for one in monitor.incidents if moment(one.start).date() == day]
    yield f"# Incidents of {day}: {len(incidents)}\n"
    if incidents:
        yield "| start | lasted | endpoint | broken by | fixed by |\n|---|---|---|---|---|"
        yield from map(row, incidents)
        yield ""
    yield f"MTTR {monitor.mttr()} s. {monitor.accounting.rejected} lines could not be read."
    yield from (f"Warning: {problem}" for problem in monitor.problems)


def row(incident: slomon.Incident) -> str:
    endpoint, lasted = incident.endpoint, incident.duration
    cells = [
        f"{moment(incident.start):%H:%M:%S}",
        "still open" if lasted is None else str(timedelta(seconds=round(to_seconds(lasted)))),
        escape(f"{endpoint.verb} {endpoint.resource}"),
        *(describe(change) for change in (incident.broken_by, incident.fixed_by)),
    ]
    return f"| {' | '.join(cells)} |"


def describe(change: slomon.Change | None) -> str:
    return escape(f"{change.commit[:12]} {change.author}") if change else ""


def escape(text: str) -> str:
    """Text from a log, so that it stays text in Markdown and within its cell."""
    return f"`{ascii(text)[1:-1].replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def moment(tick: int) -> datetime:
    return datetime.fromtimestamp(tick // 1_000_000_000, UTC)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What broke yesterday, as Markdown.")
    parser.add_argument("logs", nargs="+", help="access logs, in order")
    parser.add_argument("--endpoints", help="their file (default: found in the logs)")
    parser.add_argument("--changes", help="file of deploys, or what git log printed")
    parser.add_argument("--change-zone", help="of their dates that name none")
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    parser.add_argument("--day", type=date.fromisoformat, default=yesterday)
    return parser.parse_args()


if __name__ == "__main__":
    main()
