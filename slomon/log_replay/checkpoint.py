"""
When a replay saves its state, and whose state a file holds.

The state of a replay as sections of a file, and back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any, Final, TypeAlias

from slomon.core.batching import TimeRange
from slomon.core.events import Change
from slomon.core.reorder import Order, SourceClock
from slomon.endpoints.discovery import EndpointNames, SavedEndpointNames
from slomon.errors import OptionError, SlomonError, StateFileError
from slomon.log_replay.lines import Log, LogPosition, ReferenceParser, SavedLog
from slomon.log_replay.reader import Host, HostState
from slomon.state.encoding import Saved, Sections, check_lengths, pack_change, unpack_change
from slomon.state.file import Section, check_place, read_state, write_state
from slomon.text import excerpt, quote

Trait: TypeAlias = "str | dict[str, object]"
"""Something by which a replay is known again: as it is shown, or summed up."""
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

    def is_due(self) -> bool:
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


def save_order(order: Order) -> Sections:
    """The reordering buffer, and the changes in it."""
    yield "went out", [order.position, order.accesses, order.unmatched]
    yield "came in", [order.noted, order.blank, order.watched_until]
    yield "span", astuple(order.span)
    yield "deploys", [pack_change(positioned) for positioned in order.deploys]
    yield "clocks", [asdict(clock) for clock in order.clocks]
    yield (
        "changes on their way",
        [[code, *astuple(change)] for code, change in order.changes.items()],
    )
    yield "rows", order.save_rows()


def load_order(order: Order, saved: Saved) -> None:
    """What `save_order` saved."""
    order.position, order.accesses, order.unmatched = saved["went out"]
    order.noted, order.blank, order.watched_until = saved["came in"]
    order.span = TimeRange(*saved["span"])
    order.deploys = [unpack_change(fields) for fields in saved["deploys"]]
    order.clocks = [SourceClock(**clock) for clock in saved["clocks"]]
    order.changes = {code: Change(*fields) for code, *fields in saved["changes on their way"]}
    rows = saved["rows"]
    check_lengths([rows], len(rows))
    order.load_rows(rows)


def save_names(names: EndpointNames) -> Sections:
    """The endpoints that the logs show, one after the other."""
    for name, section in names.save()._asdict().items():
        yield f"names' {name}", section


def load_names(names: EndpointNames, saved: Saved) -> None:
    """What `save_names` saved."""
    found = SavedEndpointNames(
        **{name: saved[f"names' {name}"] for name in SavedEndpointNames._fields}
    )
    check_lengths([found.lengths, found.admitted], len(found.lengths))
    check_lengths([found.texts], sum(found.lengths))
    names.load(found)


def save_hosts(hosts: Sequence[Host]) -> Sections:
    """How far each host was read, and what is known of the log that it is in."""
    yield "hosts", [_save_host(host) for host in hosts]


def load_hosts(saved: Saved, restore_log: Callable[[SavedLog, bytes], Log]) -> list[HostState]:
    """What `save_hosts` saved. `restore_log` takes a saved log and the beginning of its file."""
    return [_load_host(fields, restore_log) for fields in saved["hosts"]]


def _save_host(host: Host) -> dict[str, Any]:
    log = host.log
    return {
        "place": astuple(host.place),
        "ended": host.ended,
        "lines": host.lines,
        "bytes before": host.bytes_before,
        "beginning": log.beginning.hex() if log else "",
        "problems": [
            # those of later logs, of which some were read ahead, are met again
            item
            for item in host.known_problems.items()
            if item[0] < host.place.file or host.ended
        ],
        "log": log
        and SavedLog(
            *(log.name, log.format.name, log.match_exactly, log.prefix.decode()),
            *(log.recognised, log.ended, log.doubt),
        ),
    }


def _load_host(
    fields: Mapping[str, Any], restore_log: Callable[[SavedLog, bytes], Log]
) -> HostState:
    log = None
    if fields["log"] is not None:
        log = restore_log(SavedLog(*fields["log"]), bytes.fromhex(fields["beginning"]))
    return HostState(
        place=LogPosition(*fields["place"]),
        ended=fields["ended"],
        lines=fields["lines"],
        bytes_before=fields["bytes before"],
        problems=dict(fields["problems"]),
        log=log,
    )


def save_counts(reference: ReferenceParser) -> Sections:
    """What became of the lines that made no row."""
    yield "counts", [reference.changes, reference.rejected]


def load_counts(saved: Saved) -> dict[str, int]:
    """What `save_counts` saved, as arguments of ReferenceParser."""
    changes, rejected = saved["counts"]
    return {"changes": changes, "rejected": rejected}
