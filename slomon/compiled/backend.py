"""
The compiled backend: its parts, and when a stream goes on with them. Each part is imported where it
is used: a short stream needs none of them, and a stream reads no log files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from slomon.compiled.library import Library, load
from slomon.core.batching import Batcher
from slomon.core.endpoints import Sharding
from slomon.core.events import StatusRule
from slomon.core.shard import AnyWindows
from slomon.core.windows import Windows
from slomon.errors import ConfigurationError

if TYPE_CHECKING:
    from slomon.core.reorder import Order
    from slomon.endpoints.discovery import EndpointNames
    from slomon.log_replay.lines import ReferenceParser, Resolver

_WORTH_LOADING: Final = 100_000  # events: loading takes as long as these do interpreted
_WORTH_COMPILING: Final = 10_000_000
_NEVER: Final = 2**63


class CompiledStreamBackend:
    """The parts of a run at the compiled speed."""

    def __init__(self, library: Library, sharding: Sharding, is_failure: StatusRule) -> None:
        self._library = library
        self._sharding = sharding
        self._is_failure = is_failure

    def batcher(self, batcher: Batcher) -> Batcher:
        """One that goes on from that one."""
        from slomon.compiled.line_reader import CompiledBatcher  # noqa: PLC0415

        return CompiledBatcher(self._library, batcher, self._sharding, self._is_failure)

    def windows(self, windows: AnyWindows) -> AnyWindows:
        """Those that go on from these."""
        from slomon.compiled.windows import CompiledWindows  # noqa: PLC0415

        return CompiledWindows(self._library, cast(Windows, windows))


class CompiledUpgrade:
    """
    Takes over busy streams, which hand over whole batches: those that trickle gain nothing. Where
    the kernels are not in the cache, compiling them takes seconds, and waits for a longer stream;
    `at_once` waits for nothing.
    """

    def __init__(self, sharding: Sharding, is_failure: StatusRule, *, at_once: bool) -> None:
        self._sharding = sharding
        self._is_failure = is_failure
        self._at_once = at_once
        self._next_try = _WORTH_LOADING

    def is_due(self, events: int, *, busy: bool) -> bool:
        """Is it time to try, after so many events, of a stream that is busy or not?"""
        return self._at_once or (busy and events >= self._next_try)

    def load(self) -> CompiledStreamBackend | None:
        """
        The parts; None without the extra `slomon[replay]`, or before compiling is worth it. Raises
        ConfigurationError if they were to come at once and can't.
        """
        library = load(compile_if_needed=self._at_once or self._next_try == _WORTH_COMPILING)
        if library is not None:
            return CompiledStreamBackend(library, self._sharding, self._is_failure)
        if self._at_once:
            raise ConfigurationError(
                "option 'backend' is 'compiled'; needed: pip install 'slomon[replay]'"
            )
        self._next_try = _WORTH_COMPILING if self._next_try == _WORTH_LOADING else _NEVER
        return None


class CompiledBackend:
    """The speed of the extra `slomon[replay]`."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def order(self, sources: int, shards: int, most: int) -> tuple[Order, EndpointNames]:
        """The reordering buffer, and the names of endpoints, if `most` of them may be found."""
        from slomon.compiled.reorder import CompiledOrder  # noqa: PLC0415
        from slomon.compiled.request_table import CompiledEndpointNames  # noqa: PLC0415

        names = CompiledEndpointNames(self._library, most)
        return CompiledOrder(self._library, sources, shards, names), names

    def windows(self, windows: Windows) -> AnyWindows:
        """The windows of a shard, going on from these."""
        from slomon.compiled.windows import CompiledWindows  # noqa: PLC0415

        return CompiledWindows(self._library, windows)

    def reader(self, reference: ReferenceParser, rule: StatusRule) -> Resolver:
        """What makes rows of blocks."""
        from slomon.compiled.line_reader import CompiledReader  # noqa: PLC0415

        return CompiledReader(self._library, reference, rule)
