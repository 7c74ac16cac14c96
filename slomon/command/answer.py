"""The answers as programs read them. Whatever a log says, this is ASCII: any terminal shows it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from slomon.core.service_monitor import ServiceMonitor
from slomon.errors import OptionError
from slomon.replaying.monitor import ReplayMonitor
from slomon.text import quote


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


def check_apart_from(stdout: TextIO, outputs: Mapping[str, Path | None]) -> None:
    """Raises ConfigurationError where one of them is where the answers are printed."""
    with suppress(OSError):  # it has no descriptor, as what is no file of the system's
        printed = os.fstat(stdout.fileno())
        for name, path in outputs.items():
            if path is None or not path.exists() or path.samefile(os.devnull):
                continue
            if os.path.samestat(path.stat(), printed):
                raise OptionError(
                    [name],
                    f" is {quote(str(path))}, where the answers are printed; allowed: a file of "
                    "its own",
                )
