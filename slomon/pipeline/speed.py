"""What may take over a run that turns out to be long, at another speed and with the same answer."""

from __future__ import annotations

from typing import Protocol

from slomon.core.batch import Batcher
from slomon.core.shard import AnyWindows


class Parts(Protocol):
    """The parts of a run that come at two speeds."""

    def batcher(self, batcher: Batcher) -> Batcher:
        """One that goes on from that one."""

    def windows(self, windows: AnyWindows) -> AnyWindows:
        """Those that go on from these."""


class Relief(Protocol):
    """Knows other parts, and when it is worth it to go on with them."""

    def due(self, events: int, *, busy: bool) -> bool:
        """Is it time to try, after so many events, of a stream that is busy or not?"""

    def bring(self) -> Parts | None:
        """The parts, None where there are none. May take long: called in a thread of its own."""


class Handover:
    """Sent to every shard's queue before the first batch of the new parts."""

    def __init__(self, parts: Parts) -> None:
        self.windows = parts.windows
