"""When a replay saves its state, and whose state a file holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from slomon.core.events import StatusRule, ask_rule
from slomon.dates import show_duration
from slomon.errors import OptionError, SlomonError, StateFileError
from slomon.state.file import Section, check_place, read_state, write_state
from slomon.text import excerpt, quote

if TYPE_CHECKING:
    from slomon.replaying.run import Plan

Trait: TypeAlias = "str | dict[str, object]"
"""Something by which a replay is known again: as it is shown, or summed up."""

_MATCHES: Final = {None: "the default", True: "exact", False: "template"}
_LEAST_SHARE: Final = 10  # a replay works at least so many times as long as it saves


class Checkpoint:
    """
    A file with the state of a replay, saved every so many ticks of a clock. `identity` is what
    must be the same for another run to go on from it, and is shown where it differs.
    """

    def __init__(
        self, path: Path, every: int, identity: Mapping[str, Trait], clock: Callable[[], int]
    ) -> None:
        self._path = path
        self._every = every
        self._identity = dict(identity)
        self._clock = clock
        self._due = clock() + every

    def due(self) -> bool:
        """Is it time to save again?"""
        return self._clock() >= self._due

    def load(self) -> SavedState | None:
        """
        The state to go on from, None where there is none. Raises StateFileError where the file is
        damaged or of another replay, OSError where it can't be read.
        """
        sections = read_state(self._path)
        if sections is None:
            return None
        self._check(sections.get("identity"))
        return SavedState(self._path, sections)

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
                    f"{self._path} is of another replay: {_tell(name, theirs, mine)}; remove it to "
                    "begin anew"
                )


class SavedState(dict[str, Any]):
    """The sections of a state, which has no others."""

    def __init__(self, path: Path, sections: Mapping[str, Section]) -> None:
        super().__init__(sections)
        self._path = path

    def __missing__(self, name: str) -> Section:
        raise StateFileError(f"{self._path} is no state of a replay: it has no '{name}'")

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """Raise StateFileError where a section turns out to be of another shape."""
        try:
            yield
        except SlomonError:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            reason = excerpt(repr(error), 300)
            raise StateFileError(f"{self._path} is no state of a replay: {reason}") from None


def check_outputs(checkpoint: str | None, rejects: str | None) -> None:
    """
    Can a state be saved there, and the rejects go on from it? Raises OSError, which names the file,
    StateFileError or ConfigurationError now, not when hours of work are to be saved.

    What a pipe or a device was given can't be taken back: a replay that goes on from the last state
    would give it the lines after that twice.
    """
    if checkpoint is None:
        return
    check_place(Path(checkpoint))
    if rejects is not None and _is_stream(Path(rejects)):
        raise OptionError(
            ["checkpoint", "rejects"],
            f" are both given, and the latter is {quote(rejects)}, from which nothing can be taken "
            "back when the replay goes on; allowed: a file there, or one of the two",
        )


def _is_stream(path: Path) -> bool:
    return path.exists() and not (path.is_file() or path.is_dir())


def identify(plan: Plan) -> dict[str, Trait]:
    """What of a plan must be the same."""
    given, like = plan.endpoints, plan.like
    return {
        "paths": repr([list(paths) for paths in plan.hosts]),
        "format": ", ".join(form.name for form in plan.formats),
        "endpoints": _sum_up(given.endpoints) if given else "found in the logs",
        "service": like.name or "None",
        "slo": repr(like.slo),
        "window": show_duration(like.window),
        "max endpoints": repr(plan.max_endpoints),
        "changes": _sum_up(plan.changes),
        "rejected records": repr(plan.rejected_records),
        "lateness": "the default" if plan.lateness is None else show_duration(plan.lateness),
        "match": _MATCHES[plan.exact],
        "min requests": repr(plan.least),
        "resolution": show_duration(plan.resolution),
        "trace": repr(plan.trace),
        "close after silence": "off" if plan.silence is None else show_duration(plan.silence),
        "workers": repr(plan.workers),
        "rule of failures": _describe(plan.is_failure),
    }


def _sum_up(values: Sequence[object]) -> Trait:
    """Of too many values to show: how many they are, and whether they are the same."""
    digest = hashlib.sha256()
    for value in values:
        digest.update(repr(value).encode(errors="backslashreplace"))
    return {"count": len(values), "digest": digest.hexdigest()}


def _describe(is_failure: StatusRule) -> str:
    """A rule by what it answers, as in '100-499 succeed, 500-599 fail': two such are the same."""
    parts = []
    for failed, stretch in groupby(range(1000), partial(ask_rule, is_failure)):
        statuses = list(stretch)
        if failed is not None:
            parts.append(f"{statuses[0]}-{statuses[-1]} {'fail' if failed else 'succeed'}")
    return ", ".join(parts)


def _tell(name: str, theirs: object, mine: object) -> str:
    if isinstance(theirs, dict) and isinstance(mine, dict):
        return f"{name}: {excerpt(theirs.get('count'))} then, and {mine['count']} others now"
    return f"{name}: {_show(theirs)} then, and {_show(mine)} now"


def _show(trait: object) -> str:
    return f"{excerpt(trait.get('count'))} given" if isinstance(trait, dict) else excerpt(trait)


def _chain(
    identity: Mapping[str, Trait], sections: Iterator[tuple[str, Section]]
) -> Iterator[tuple[str, Section]]:
    yield "identity", identity
    yield from sections
