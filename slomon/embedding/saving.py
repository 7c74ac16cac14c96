"""The file in which a live monitor survives a restart of its service."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from slomon.core.excerpt import excerpt
from slomon.embedding.engine import KIND, Engine
from slomon.errors import StateFileError
from slomon.log import get_logger
from slomon.pipeline.thread import in_own_thread
from slomon.state.file import check_place, is_state, read_state, set_aside, write_state


class StateFile:
    """
    Loads a monitor's state, and saves it. A damaged one is kept aside, under a name of its own,
    and told: the service must come up. What is no state of a live monitor is left as it is.
    """

    def __init__(self, path: Path, every: int) -> None:
        self.every = every
        """Ticks from one saving to the next."""
        self._path = path
        self._log: Any = get_logger()
        self._failing = False

    async def load(self, engine: Engine) -> bool:
        """
        Let an engine that has counted nothing go on from the file; False where it can't, and is of
        no use any more. Raises StateFileError where the file is of something else, and OSError
        where it can't be read, or none can be written there.
        """
        return await in_own_thread(partial(self._load, engine))

    async def save(self, engine: Engine) -> None:
        """Save what an engine holds. That it can't be is logged: the next time it may."""
        sections = engine.save()
        try:
            await in_own_thread(partial(write_state, self._path, sections))
        except OSError as error:
            if not self._failing:
                self._log.error("state.unsaved", file=str(self._path), reason=str(error))
            self._failing = True
        else:
            self._failing = False

    def _load(self, engine: Engine) -> bool:
        check_place(self._path)
        if self._path.exists() and not is_state(self._path):
            raise StateFileError(f"{self._path} is no state of slomon's; allowed: one, or no file")
        try:
            saved = read_state(self._path)
        except StateFileError as error:
            return self._keep_aside(str(error))
        if saved is None:
            return True
        if saved.get("kind") != KIND:
            raise StateFileError(f"{self._path} is no state of a live monitor, but of something else")
        try:
            engine.load(saved)
        except (LookupError, TypeError, ValueError) as error:
            return self._keep_aside(f"{type(error).__name__}: {error}")
        return True

    def _keep_aside(self, reason: str) -> bool:
        aside = set_aside(self._path)
        self._log.error(
            "state.damaged", file=str(self._path), kept_as=str(aside), reason=excerpt(reason, 400)
        )
        return False
