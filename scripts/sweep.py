"""
Prints the number of incidents by SLO and window, to help choose them:

    python sweep.py access.log --slo 99% 99.9% --window 1m 5m 30m
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import slomon


def main() -> None:
    parser = argparse.ArgumentParser(description="Incidents and MTTR over SLOs and windows.")
    parser.add_argument("logs", nargs="+", help="access logs, in order")
    parser.add_argument("--slo", nargs="+", default=["95%", "99%", "99.9%"])
    parser.add_argument("--window", nargs="+", default=["1m", "5m", "30m"])
    parser.add_argument("--min-requests", type=int, default=1)
    arguments = parser.parse_args()
    try:
        for line in sweep(arguments.logs, arguments.slo, arguments.window, arguments.min_requests):
            print(line, flush=True)
    except (slomon.SlomonError, OSError) as error:
        sys.exit(f"error: {error}")


def sweep(logs: list[str], slos: list[str], windows: list[str], min_requests: int) -> Iterator[str]:
    yield f"{'slo':>8} {'window':>8} {'incidents':>10} {'open':>6} {'MTTR':>12}"
    for slo in slos:
        for window in windows:
            monitor = slomon.replay(logs, slo=slo, window=window, min_requests=min_requests)
            still_open = sum(incident.end is None for incident in monitor.incidents)
            yield (
                f"{slo:>8} {window:>8} {len(monitor.incidents):>10} {still_open:>6} "
                f"{monitor.mttr():>10.2f} s"
            )


if __name__ == "__main__":
    main()
