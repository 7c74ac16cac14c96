"""The state file of a live monitor, from which it continues after a restart."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from slomon.live_monitor.engine import Engine
from slomon.logging import get_logger, list_some
from slomon.state.encoding import Saved
from slomon.state.file import PersistentFile


class StateFile:
    """
    The state file of a monitor. `every` is the interval in ticks at which it is saved. A failure to
    save is logged.
    """

    def __init__(self, path: Path, every: int) -> None:
        self.every = every
        self._file = PersistentFile(path, "state of a live monitor")
        self._failing = False

    @property
    def path(self) -> Path:
        """The path of the file."""
        return self._file.path

    def held(self) -> AbstractContextManager[None]:
        """Lock the file. Raises what PersistentFile.held does."""
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
        """Save the state of an engine. The first of several failures in a row is logged."""
        try:
            await self._file.save(engine)
        except (OSError, RuntimeError) as error:  # RuntimeError: no thread could be started
            if not self._failing:
                get_logger().error("state.unsaved", file=str(self.path), reason=str(error))
            self._failing = True
        else:
            self._failing = False
