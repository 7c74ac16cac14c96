"""The parts of a replay that come at two speeds, and those of the plain one."""

from __future__ import annotations

from typing import Protocol

from slomon.core.events import StatusRule
from slomon.core.reorder import Order
from slomon.core.shard import AnyWindows
from slomon.core.windows import Windows
from slomon.endpoints.discovery import NameList, Names
from slomon.kernels.window import WindowState
from slomon.replaying.careful import CarefulReader
from slomon.replaying.log import Block


class Settler(Protocol):
    """
    What makes rows of blocks, part by part: `scan` chooses the part that begins at `block.at`, and
    may look at it beforehand, in any thread; `settle` makes its rows, in the order of the stream.
    """

    def scan(self, block: Block) -> None: ...
    def settle(self, block: Block) -> None: ...


class Speed(Protocol):
    """Makes the parts; all speeds give the same answers."""

    def order(self, sources: int, shards: int, most: int) -> tuple[Order, Names]: ...
    def windows(self, windows: Windows) -> AnyWindows: ...
    def reader(self, careful: CarefulReader, _: StatusRule, /) -> Settler: ...


class Interpreted:
    """The speed that needs no third package."""

    def order(self, sources: int, shards: int, most: int) -> tuple[Order, Names]:
        """The reordering buffer, and the names of endpoints, if `most` of them may be found."""
        names = NameList(most)
        return Order(sources, shards, names.admit if most else None), names

    def windows(self, windows: Windows) -> AnyWindows:
        """The windows of a shard, going on from these, whose state may be arrays."""
        windows.state = WindowState._make(map(list, windows.state))  # type: ignore[arg-type]
        return windows

    def reader(self, careful: CarefulReader, _: StatusRule) -> Settler:
        """What makes rows of blocks."""
        return careful
