"""The parts of a replay that come at two speeds, and those of the plain one."""

from __future__ import annotations

from typing import Protocol

from slomon.core.event import StatusRule
from slomon.core.order import Order
from slomon.core.shard import AnyWindows
from slomon.core.window import Windows, WindowState
from slomon.endpoints.requests import NameList, Names
from slomon.replaying.careful import CarefulReader
from slomon.replaying.host import Scan
from slomon.replaying.log import Block


class Settler(Protocol):
    """What makes the rows of a block, in the order of the stream."""

    def settle(self, block: Block) -> None: ...


class Speed(Protocol):
    """Makes the parts; all speeds give the same answers."""

    def order(self, sources: int, shards: int) -> Order: ...
    def names(self, most: int) -> Names: ...
    def windows(self, windows: Windows) -> AnyWindows: ...
    def reader(self, careful: CarefulReader, _: StatusRule, /) -> tuple[Scan | None, Settler]: ...


class Interpreted:
    """The speed that needs no third package."""

    def order(self, sources: int, shards: int) -> Order:
        """The reordering buffer."""
        return Order(sources, shards)

    def names(self, most: int) -> Names:
        """The names of found endpoints, at most so many."""
        return NameList(most)

    def windows(self, windows: Windows) -> AnyWindows:
        """The windows of a shard, going on from these, whose state may be arrays."""
        windows.state = WindowState._make(map(list, windows.state))  # type: ignore[arg-type]
        return windows

    def reader(self, careful: CarefulReader, _: StatusRule) -> tuple[Scan | None, Settler]:
        """What looks at blocks beforehand, if anything does, and what settles them."""
        return None, careful
