"""The file in which a live monitor survives a restart of its service."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from slomon.live_monitor.engine import Engine
from slomon.logging import get_logger, list_some
from slomon.state.encoding import Saved
from slomon.state.file import PersistentFile


class StateFile:
    """A monitor's state, and how often it is saved, in ticks. That it can't be is told."""

    def __init__(self, path: Path, every: int) -> None:
        self.every = every
        self._file = PersistentFile(path, "state of a live monitor")
        self._failing = False

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._file.path

    def held(self) -> AbstractContextManager[None]:
        """Keep others from the file meanwhile. Raises what KeptFile does."""
        return self._file.held()

    async def load(self, restore: Callable[[Saved], Engine]) -> Engine | None:
        """
        Return the engine that `restore` makes of the saved state, or None if there is no valid one.
        Endpoints that are no longer watched are logged. Raises what PersistentFile.load does.
        """
        engine = await self._file.load(restore)
        if engine is not None and engine.removed_endpoints:
            named, more = list_some(engine.removed_endpoints)
            get_logger().warning(
                "state.unwatched",
                file=str(self.path),
                endpoints=named,
                more=more,
                hint="the state's windows and incidents of these, which are watched no longer, end",
            )
        return engine

    async def save(self, engine: Engine) -> None:
        """Save what an engine holds. That it can't be is logged: the next time it may."""
        try:
            await self._file.save(engine)
        except (OSError, RuntimeError) as error:  # the latter where no thread is left for it
            if not self._failing:
                get_logger().error("state.unsaved", file=str(self.path), reason=str(error))
            self._failing = True
        else:
            self._failing = False
