"""
A `World`: endpoints with traffic, deploys, and faults with their true causes.

Times are seconds from the beginning of the world. A fault makes requests of some endpoints fail
with a probability:

    severity          ___________            ____     ____
                     /           |          |    |   |    |
    ----------------/            +----------+    +---+    +------> time
                 begin   ramp   end       a fault with two periods flaps
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

EPOCH: Final = 1_700_000_000
"""The second since the Unix epoch at which each world begins."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    An endpoint: `rate` requests a second, evenly spaced if `regular`, else as a Poisson process.
    A request fails with probability `background` without any fault.
    """

    service: str
    resource: str
    slo: float
    window: int
    rate: float
    regular: bool = False
    background: float = 0.0

    def entry(self) -> dict[str, object]:
        """The entry of `get_info()`."""
        return {
            "name": self.service,
            "email": f"{self.service}@example.org",
            "verb": "GET",
            "resource": self.resource,
            "slo": self.slo,
            "window": self.window,
        }


@dataclass(frozen=True, slots=True)
class Deploy:
    """A deploy of a commit. A rollback is the deploy of a commit that was deployed before."""

    time: float
    service: str
    commit: str

    def text(self) -> str:
        """The value of a change event."""
        date = datetime.fromtimestamp(EPOCH, UTC) + timedelta(seconds=self.time)
        lines = (
            f"commit: {self.commit}",
            "Author: <dev@example.org>",
            f"Date: {date:%Y-%m-%d %H:%M:%S.%f}",
            f"Service: {self.service}",
        )
        return "\n".join(lines)


class Kind(StrEnum):
    """How a fault began."""

    AT_ONCE = "at once"
    DELAYED = "delayed"
    RAMP = "ramp"
    OUTAGE = "outage"
    """Without a deploy."""


@dataclass(frozen=True, slots=True)
class Fault:
    """
    A fault of some resources.

    * `periods`: when it is active, in order and apart
    * `ramp`: seconds until it reaches its severity
    * `cause`: the guilty commit; "" if no deploy caused it
    * `fix`: the commit that ended it; "" if it ended by itself, or with the world
    """

    kind: Kind
    resources: frozenset[str]
    periods: tuple[tuple[float, float], ...]
    severity: float
    ramp: float = 0.0
    cause: str = ""
    fix: str = ""

    @property
    def begin(self) -> float:
        """When the first request may fail."""
        return self.periods[0][0]

    @property
    def end(self) -> float:
        """When the last request may fail."""
        return self.periods[-1][1]

    def failure_rate(self, time: float) -> float:
        """The probability with which a request at that time fails; the time is in a period."""
        elapsed = time - self.begin
        return self.severity * min(1.0, elapsed / self.ramp) if self.ramp else self.severity


@dataclass(frozen=True, slots=True)
class World:
    """
    Everything that happens from 0 to `length`; `strays` are single requests that fail, each with
    its resource and time. Deploys are in order of time.
    """

    length: float
    endpoints: tuple[Endpoint, ...]
    deploys: tuple[Deploy, ...] = ()
    faults: tuple[Fault, ...] = ()
    strays: tuple[tuple[str, float], ...] = ()
    seed: str = ""
