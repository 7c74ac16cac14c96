"""A file in which something survives its process, and what happens where it is damaged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from slomon.concurrency import in_own_thread
from slomon.errors import StateFileError
from slomon.files import in_use
from slomon.logging import get_logger
from slomon.state.file import Section, check_place, is_state, read_state, set_aside, write_state
from slomon.text import excerpt


class Survivor(Protocol):
    """What is kept."""

    def save(self) -> Iterable[tuple[str, Section]]:
        """All there is, as sections of a file; they may be taken in another thread."""

    def load(self, saved: Mapping[str, Any]) -> None:
        """
        Go on from what was saved. Raises ValueError, LookupError or TypeError where it wasn't, and
        is spoilt then.
        """


class Found(Enum):
    """What was in the place of a file."""

    NOTHING = auto()
    GOOD = auto()
    DAMAGED = auto()


class KeptFile:
    """
    A file of a kind. A damaged one is kept aside, under a name of its own, and told: the service
    must come up. What is no file of that kind is left as it is.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self._kind = kind

    @contextmanager
    def held(self) -> Iterator[None]:
        """
        Keep others from it meanwhile. Raises OSError where one uses it, and, as `load` does, where
        no such file can be.
        """
        check_place(self.path)
        with in_use(self.path):
            yield

    async def load(self, survivor: Survivor) -> Found:
        """
        Let one that has nothing yet go on from the file. Raises StateFileError where the file is of
        something else, and OSError where it can't be read, or none can be written there.
        """
        return await in_own_thread(partial(self._load, survivor))

    async def save(self, survivor: Survivor) -> None:
        """Write it, in place of what is there. Raises OSError, which names the file."""
        sections = survivor.save()
        await in_own_thread(partial(write_state, self.path, self._with_kind(sections)))

    def _with_kind(self, sections: Iterable[tuple[str, Section]]) -> Iterable[tuple[str, Section]]:
        yield "kind", self._kind
        yield from sections

    def _load(self, survivor: Survivor) -> Found:
        check_place(self.path)
        if self.path.exists() and not is_state(self.path):
            raise StateFileError(f"{self.path} is no state of slomon's; allowed: one, or no file")
        try:
            saved = read_state(self.path)
        except StateFileError as error:
            return self._keep_aside(str(error))
        if saved is None:
            return Found.NOTHING
        if saved.get("kind") != self._kind:
            raise StateFileError(
                f"{self.path} is no {self._kind}, but something else of slomon's; allowed: one, or "
                "no file"
            )
        try:
            survivor.load(saved)
        except (LookupError, TypeError, ValueError) as error:
            return self._keep_aside(f"{type(error).__name__}: {error}")
        return Found.GOOD

    def _keep_aside(self, reason: str) -> Found:
        aside, log = set_aside(self.path), get_logger()
        log.error(
            "state.damaged", file=str(self.path), kept_as=str(aside), reason=excerpt(reason, 400)
        )
        return Found.DAMAGED
