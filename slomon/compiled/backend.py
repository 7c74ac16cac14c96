"""
The compiled backend of an event stream and of a log replay, and when a stream switches to it.

Each host is imported when it is used: a short stream needs none of them, and no stream needs those
that read log files.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from slomon.compiled.compilation import Compilation, can_compile
from slomon.compiled.library import Library, is_loaded, load
from slomon.core.batching import AnyBatcher
from slomon.core.endpoints import Sharding
from slomon.core.reorder import Order
from slomon.core.shard import AnyWindows
from slomon.core.statuses import StatusRule
from slomon.core.windows import Windows
from slomon.errors import ConfigurationError

if TYPE_CHECKING:
    from slomon.endpoints.discovery import EndpointNames
    from slomon.log_replay.lines import ReferenceParser, Resolver

_WORTH_LOADING: Final = 25_000  # events; loading takes as long as Python needs for them
_WORTH_COMPILING: Final = 1_000_000  # events; another process compiles, so it needn't pay soon
_NEVER: Final = 2**63


class CompiledStreamBackend:
    """The compiled batcher and windows of an event stream."""

    def __init__(self, library: Library, sharding: Sharding, is_failure: StatusRule) -> None:
        self._library = library
        self._sharding = sharding
        self._is_failure = is_failure

    def batcher(self, batcher: AnyBatcher) -> AnyBatcher:
        """A compiled batcher that continues from `batcher`."""
        from slomon.compiled.batching import CompiledBatcher  # noqa: PLC0415

        return CompiledBatcher(self._library, batcher, self._sharding, self._is_failure)

    def windows(self, windows: AnyWindows) -> AnyWindows:
        """Compiled windows that continue from `windows`, which are Python ones."""
        from slomon.compiled.windows import CompiledWindows  # noqa: PLC0415

        return CompiledWindows(self._library, cast(Windows, windows))


class CompiledUpgrade:
    """
    Decides when an event stream switches to the compiled backend. Only a busy stream, which fills
    whole batches, gains from it. If the kernels are loaded already, it switches once it has had as
    many events as it has endpoints, whose windows are copied. If the kernels are not in the cache,
    another process compiles them once the stream is longer, and the stream switches when they are
    ready. With `at_once` it waits for nothing.
    """

    def __init__(self, sharding: Sharding, is_failure: StatusRule, *, at_once: bool) -> None:
        self._sharding = sharding
        self._is_failure = is_failure
        self._at_once = at_once
        self._next_try = _WORTH_LOADING
        self._compilation: Compilation | None = None

    def is_due(self, events: int, *, busy: bool) -> bool:
        """Whether to call `load` after this number of events."""
        if self._at_once or not busy:
            return self._at_once
        if is_loaded():
            return events >= len(self._sharding.catalogue.endpoints)
        if self._compilation is not None:
            return self._compilation.has_ended()
        return events >= self._next_try

    def load(self) -> CompiledStreamBackend | None:
        """
        The compiled backend; None if the extra `slomon[replay]` is not installed, or if the kernels
        are not in the cache and compiling is not worth it yet, or has just begun. Raises
        ConfigurationError if the switch is to be at once and the extra is not installed.
        """
        compilation, self._compilation = self._compilation, None
        image = None if compilation is None else compilation.finish()
        library = load(compile_if_needed=self._at_once, image=image)
        if library is not None:
            return CompiledStreamBackend(library, self._sharding, self._is_failure)
        if self._at_once:
            raise ConfigurationError(
                "option 'backend' is 'compiled'; needed: pip install 'slomon[replay]'"
            )
        if self._next_try == _WORTH_LOADING and can_compile():
            self._next_try = _WORTH_COMPILING
            return None
        if self._next_try == _WORTH_COMPILING:
            with suppress(OSError):  # the system has no room for another process
                self._compilation = Compilation()
        self._next_try = _NEVER
        return None

    def stop(self) -> None:
        """End what has begun and is not needed: the stream has ended."""
        if self._compilation is not None:
            self._compilation.stop()
            self._compilation = None


class CompiledBackend:
    """The compiled backend of a log replay."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def order(self, sources: int, shards: int, most: int) -> tuple[Order, EndpointNames]:
        """The reorder buffer, and the names of endpoints, of which `most` may be found."""
        from slomon.compiled.reorder import CompiledRowBuffer  # noqa: PLC0415
        from slomon.compiled.request_table import CompiledEndpointNames  # noqa: PLC0415

        names = CompiledEndpointNames(self._library, most)
        return Order(sources, CompiledRowBuffer(self._library, shards, names)), names

    def windows(self, windows: Windows) -> AnyWindows:
        """The windows of a shard that continue from `windows`."""
        from slomon.compiled.windows import CompiledWindows  # noqa: PLC0415

        return CompiledWindows(self._library, windows)

    def reader(self, reference: ReferenceParser, rule: StatusRule) -> Resolver:
        """The reader that turns blocks of lines into rows."""
        from slomon.compiled.line_reader import CompiledReader  # noqa: PLC0415

        return CompiledReader(self._library, reference, rule)
