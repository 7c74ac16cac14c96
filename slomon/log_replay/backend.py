"""The parts of a replay that come at two speeds, and those of the plain one."""

from __future__ import annotations

from typing import Final, Protocol

from slomon.core.events import StatusRule
from slomon.core.reorder import Order
from slomon.core.shard import AnyWindows
from slomon.core.windows import Windows
from slomon.endpoints.discovery import NameList, Names
from slomon.errors import OptionError
from slomon.kernels.window import WindowState
from slomon.log_replay.lines import CarefulReader, Settler
from slomon.options import (
    check_choice,
)


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


_WORTH_COMPILING: Final = 4 << 20  # bytes on disk that take as long as compiling does, once


def choose_speed(compiled: bool | None, size: int | None) -> Speed:  # noqa: FBT001 (an option)
    """
    The compiled speed if it is wanted, or for None if it is there, and either compiled before or
    worth it for logs of that many bytes (None: unknown).

    Raises ConfigurationError where it is wanted and not installed.
    """
    check_choice("compiled", compiled, [None, True, False])
    if compiled is False:
        return Interpreted()
    # Not for those who never need it: it brings ctypes, to begin with.
    from slomon.compiled.backend import Compiled  # noqa: PLC0415
    from slomon.compiled.library import load  # noqa: PLC0415

    worth = compiled or size is None or size >= _WORTH_COMPILING
    library = load(compile_if_needed=worth)
    if library is None and compiled:
        raise OptionError(
            ["compiled"],
            " is True, but what compiles is not installed; allowed: pip install 'slomon[replay]', "
            "or None, to do without where it is missing",
        )
    return Interpreted() if library is None else Compiled(library)
