"""When a replay saves its state, and whose state a file holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from slomon.core.excerpt import excerpt
from slomon.errors import StateFileError
from slomon.state_file import Section, read_state, write_state

if TYPE_CHECKING:
    from slomon.replaying.run import Plan

_LEAST_SHARE: Final = 10  # a replay works at least so many times as long as it saves


class Checkpoint:
    """
    A file with the state of a replay, saved every so many ticks of a clock. `identity` is what
    must be the same for another run to go on from it, as text that is shown where it differs.
    """

    def __init__(
        self, path: Path, every: int, identity: Mapping[str, str], clock: Callable[[], int]
    ) -> None:
        self._path = path
        self._every = every
        self._identity = dict(identity)
        self._clock = clock
        self._due = clock() + every

    def due(self) -> bool:
        """Is it time to save again?"""
        return self._clock() >= self._due

    def load(self) -> Mapping[str, Any] | None:
        """
        The state to go on from, None where there is none. Raises StateFileError where the file is
        damaged or of another replay, OSError where it can't be read.
        """
        sections = read_state(self._path)
        if sections is not None:
            self._check(sections.get("identity"))
        return sections

    def save(self, sections: Iterator[tuple[str, Section]]) -> None:
        """Save a state. Raises OSError, which names the file; the state before is whole then."""
        began = self._clock()
        write_state(self._path, _chain(self._identity, sections))
        ended = self._clock()
        self._due = ended + max(self._every, (ended - began) * _LEAST_SHARE)

    def remove(self) -> None:
        """The replay is done and its answers are written: nothing is left to go on with."""
        self._path.unlink(missing_ok=True)

    def _check(self, found: Section) -> None:
        if not isinstance(found, dict):
            raise StateFileError(f"{self._path} is no state of a replay")
        for name in sorted(self._identity | found):
            mine, theirs = self._identity.get(name), found.get(name)
            if mine != theirs:
                raise StateFileError(
                    f"{self._path} is of another replay: its {name} was {excerpt(theirs)}, "
                    f"and is {excerpt(mine)} now; remove it to begin anew"
                )


def identify(plan: Plan) -> dict[str, str]:
    """What of a plan must be the same, by the names of its options."""
    endpoints = plan.endpoints.endpoints if plan.endpoints else [plan.like, plan.max_endpoints]
    return {
        "paths": repr([list(paths) for paths in plan.hosts]),
        "format": ", ".join(form.name for form in plan.formats),
        "endpoints": _digest(endpoints),
        "changes": _digest(plan.changes),
        "lateness": repr(plan.lateness),
        "match": repr(plan.exact),
        "min_requests": repr(plan.least),
        "resolution": repr(plan.resolution),
        "workers": repr(plan.workers),
    }


def _digest(values: Iterable[object]) -> str:
    digest = hashlib.sha256()
    for value in values:
        digest.update(repr(value).encode(errors="backslashreplace"))
    return digest.hexdigest()[:16]


def _chain(
    identity: dict[str, str], sections: Iterator[tuple[str, Section]]
) -> Iterator[tuple[str, Section]]:
    yield "identity", identity
    yield from sections
