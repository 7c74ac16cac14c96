"""The answers as programs read them. Whatever a log says, this is ASCII: any terminal shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from slomon.core.report import ServiceMonitor
from slomon.replaying.monitor import ReplayMonitor


def show_literals(monitor: ServiceMonitor) -> Iterator[str]:
    """The MTTR, the incidents of each API and their details, a Python literal a line."""
    yield ascii(monitor.mttr())
    yield ascii(monitor.api_histogram())
    yield ascii(monitor.incident_details())


def show_json(monitor: ReplayMonitor) -> str:
    """The three answers and the accounting, as one object."""
    answers = {
        "mttr": monitor.mttr(),
        "api_histogram": monitor.api_histogram(),
        "incident_details": monitor.incident_details(),
        "accounting": {**asdict(monitor.accounting), "problems": monitor.problems},
    }
    return json.dumps(answers)
