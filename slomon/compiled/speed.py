"""The parts of a replay at the compiled speed."""

from __future__ import annotations

from slomon.compiled.library import Library
from slomon.compiled.order import CompiledOrder
from slomon.compiled.reader import CompiledReader
from slomon.compiled.requests import Table
from slomon.compiled.windows import CompiledWindows
from slomon.core.events import StatusRule
from slomon.core.reorder import Order
from slomon.core.shard import AnyWindows
from slomon.core.windows import Windows
from slomon.endpoints.discovery import Names
from slomon.replaying.careful import CarefulReader
from slomon.replaying.speed import Settler


class Compiled:
    """The speed of the extra `slomon[replay]`."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def order(self, sources: int, shards: int, most: int) -> tuple[Order, Names]:
        """The reordering buffer, and the names of endpoints, if `most` of them may be found."""
        names = Table(self._library, most)
        return CompiledOrder(self._library, sources, shards, names), names

    def windows(self, windows: Windows) -> AnyWindows:
        """The windows of a shard, going on from these."""
        return CompiledWindows(self._library, windows)

    def reader(self, careful: CarefulReader, rule: StatusRule) -> Settler:
        """What makes rows of blocks."""
        return CompiledReader(self._library, careful, rule)
