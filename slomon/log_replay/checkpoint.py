"""
The checkpoint of a replay: when its state is saved, which replay a file belongs to, and the state
as sections of a file. Each `save` function has a `load` function that reads its result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, astuple
from operator import lt
from pathlib import Path
from typing import Any, Final, TypeAlias

from slomon.core.batching import TimeRange
from slomon.core.events import Change
from slomon.core.reorder import Order, SourceClock, WaitingEvents, check_rows
from slomon.endpoints.discovery import EndpointNames, SavedEndpointNames
from slomon.endpoints.templates import Template
from slomon.errors import ConfigurationError, OptionError, SlomonError, StateFileError
from slomon.files import in_use
from slomon.kernels.codes import FIRST_CHANGE
from slomon.kernels.route import NAMED, NUMBERED
from slomon.log_replay.lines import Log, LogPosition, ReferenceParser, SavedLog
from slomon.log_replay.reader import LogReader
from slomon.log_replay.survey import LogState
from slomon.state.encoding import Saved, Sections, pack_change, unpack_change
from slomon.state.file import Section, check_place, read_state, write_state
from slomon.state.validation import check_column, check_counts, check_texts, demand
from slomon.text import excerpt, quote

Trait: TypeAlias = "str | dict[str, object]"
"""A property that identifies a replay: shown as it is, or a summary with a `count`."""
_LEAST_SHARE: Final = 10  # between two saves, a replay works at least 10 times as long as one took


class Checkpoint:
    """
    A file with the state of a replay, saved every `every` ticks of a clock. Another run can only
    continue from it if its `identity` is the same; otherwise the error shows the difference.
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
        The state to continue from, or None if there is no file. Raises StateFileError if the file
        is damaged or of another replay, and OSError if it can't be read.
        """
        sections = read_state(self._path)
        if sections is None:
            return None
        self._check(sections.get("identity"))
        return SavedState(self._path, sections)

    def save(self, sections: Iterator[tuple[str, Section]]) -> None:
        """
        Save a state, durably (`state.file.write_state`). Raises OSError, which names the file; the
        old state stays then.
        """
        began = self._clock()
        write_state(self._path, _with_identity(self._identity, sections))
        ended = self._clock()
        self._due = ended + max(self._every, (ended - began) * _LEAST_SHARE)

    def remove(self) -> None:
        """Remove the file when the replay is done and its answers are written."""
        self._path.unlink(missing_ok=True)

    def _check(self, found: Section) -> None:
        if not isinstance(found, dict):
            raise StateFileError(f"{self._path} is no state of a replay")
        for name in sorted(self._identity | found):
            mine, theirs = self._identity.get(name), found.get(name)
            if mine != theirs:
                difference = _describe_difference(name, theirs, mine)
                raise StateFileError(
                    f"{self._path} is of another replay: {difference}; remove it to begin anew"
                )


class SavedState(dict[str, Any]):
    """The sections of a state. To read a missing one raises StateFileError."""

    def __init__(self, path: Path, sections: Mapping[str, Section]) -> None:
        super().__init__(sections)
        self._path = path

    def __missing__(self, name: str) -> Section:
        raise StateFileError(f"{self._path} is no state of a replay: it has no '{name}'")

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """Raise StateFileError if a section that is read inside has a wrong shape."""
        try:
            yield
        except SlomonError:
            raise
        except ValueError as error:
            raise StateFileError(f"{self._path} is invalid: {excerpt(str(error), 300)}") from None
        except (ArithmeticError, AttributeError, LookupError, TypeError) as error:
            reason = excerpt(repr(error), 300)
            raise StateFileError(f"{self._path} is no state of a replay: {reason}") from None


@contextmanager
def hold_outputs(checkpoint: str | None, rejects: str | None) -> Iterator[None]:
    """
    Lock `checkpoint`, and check that a state can be saved to it, and that `rejects` can be resumed
    from it. So a wrong path fails now and not after hours of work. Raises OSError, which names the
    file, StateFileError or ConfigurationError.

    `rejects` can't be a pipe or a device if there is a checkpoint: what was written to these can't
    be removed, and a resumed replay would write the lines after the last checkpoint twice.
    """
    if checkpoint is None:
        yield
        return
    check_place(Path(checkpoint))
    if rejects is not None and _is_stream(Path(rejects)):
        raise OptionError(
            ["checkpoint", "rejects"],
            f" are both given, and the latter is {quote(rejects)}, from which nothing can be taken "
            "back when the replay goes on; allowed: a file there, or one of the two",
        )
    with in_use(Path(checkpoint)):
        yield


def remove_checkpoint(checkpoint: str) -> None:
    """
    Remove the file when the replay is done and its answers are written, unless another run is
    already continuing from it. Raises OSError.
    """
    with suppress(BlockingIOError), in_use(Path(checkpoint)):
        Path(checkpoint).unlink(missing_ok=True)


def _is_stream(path: Path) -> bool:
    return path.exists() and not (path.is_file() or path.is_dir())


def _describe_difference(name: str, theirs: object, mine: object) -> str:
    if isinstance(theirs, dict) and isinstance(mine, dict):
        return f"{name}: {excerpt(theirs.get('count'))} then, and {mine['count']} others now"
    return f"{name}: {_show(theirs)} then, and {_show(mine)} now"


def _show(trait: object) -> str:
    return f"{excerpt(trait.get('count'))} given" if isinstance(trait, dict) else excerpt(trait)


def _with_identity(
    identity: Mapping[str, Trait], sections: Iterator[tuple[str, Section]]
) -> Iterator[tuple[str, Section]]:
    yield "identity", identity
    yield from sections


def save_order(order: Order) -> Sections:
    """The reorder buffer, and the changes in it."""
    yield (
        "went out",
        [order.position, order.accesses, order.unmatched, order.excluded, order.excluded_changes],
    )
    yield "came in", [order.noted, order.blank, order.watched_until]
    yield "span", astuple(order.span)
    yield "deploys", [pack_change(positioned) for positioned in order.deploys]
    yield "clocks", [asdict(clock) for clock in order.clocks]
    yield (
        "changes on their way",
        [[code, *astuple(change)] for code, change in order.changes.items()],
    )
    yield "rows", order.save_rows()


def load_order(order: Order, saved: Saved, endpoints: int) -> WaitingEvents:
    """Restore what `save_order` saved, and return the events that wait in the rows."""
    check_counts([*saved["went out"], *saved["came in"]])
    check_counts(number for number in saved["span"] if number is not None)
    order.position, order.accesses, order.unmatched, *excluded = saved["went out"]
    order.excluded, order.excluded_changes = excluded
    order.noted, order.blank, order.watched_until = saved["came in"]
    order.span = TimeRange(*saved["span"])
    order.deploys = [unpack_change(fields) for fields in saved["deploys"]]
    clocks = [_load_clock(fields) for fields in saved["clocks"]]
    demand(len(clocks) == len(order.clocks), "the clocks are of other sources")
    order.start(clocks)
    order.changes = {code: Change(*fields) for code, *fields in saved["changes on their way"]}
    for code, change in order.changes.items():
        check_counts([FIRST_CHANGE - code])
        check_texts(astuple(change))
    rows = saved["rows"]
    check_column(rows, "q", len(rows))
    waiting = check_rows(rows, order, endpoints)
    _check_released(order, waiting)
    order.load_rows(rows)
    return waiting


def _load_clock(fields: Mapping[str, Any]) -> SourceClock:
    clock = SourceClock(**fields)
    check_counts([clock.lateness, clock.newest, clock.rows, clock.disordered, clock.largest])
    check_counts([] if clock.began is None else [clock.began])
    demand(isinstance(clock.ended, bool), "the end of a source is neither reached nor not")
    demand((clock.began or 0) <= clock.newest, "a source begins after its newest time")
    demand(clock.largest <= clock.newest, "a source is later than its time")
    demand(clock.disordered <= clock.rows, "a source has fewer rows than late ones")
    demand(bool(clock.largest) == bool(clock.disordered), "a source is late without a late row")
    return clock


def _check_released(order: Order, waiting: WaitingEvents) -> None:
    """Check what became of the events that left the reorder buffer."""
    positions = [positioned.position for positioned in order.deploys]
    in_order = all(map(lt, positions, positions[1:])) and positions[-1:] < [order.position]
    demand(in_order, "the changes are not in order of the stream")
    noted = len(positions) + order.excluded_changes + waiting.changes
    demand(order.noted == noted, "the number of changes is wrong")
    rows = sum(clock.rows for clock in order.clocks)
    demand(rows == order.position + sum(waiting), "the number of rows is wrong")
    began, ended = order.span.began, order.span.ended
    demand((began is not None) == (order.accesses > 0), "the time range is not that of accesses")
    demand((began or 0) <= ended, "the time range ends before it begins")
    newest = max(clock.newest for clock in order.clocks)
    demand(ended <= newest, "the time range ends after the newest row")


def save_names(names: EndpointNames) -> Sections:
    """The endpoints found in the logs."""
    for name, section in names.save()._asdict().items():
        yield f"names' {name}", section


def load_names(names: EndpointNames, saved: Saved) -> None:
    """What `save_names` saved."""
    found = SavedEndpointNames(
        **{name: saved[f"names' {name}"] for name in SavedEndpointNames._fields}
    )
    check_column(found.lengths, "q", len(found.lengths))
    check_column(found.admitted, "B", len(found.lengths))
    check_column(found.texts, "B", len(found.texts))
    check_counts([found.capped])
    names.load(found)


def save_templates(templates: Sequence[Template] | None) -> Sections:
    """The path templates that were learnt; None if they are not known yet."""
    yield (
        "templates",
        templates
        and [
            [one.prefix.hex(), one.flags, [value.hex() for value in one.kept], one.replaced]
            for one in templates
        ],
    )


def load_templates(saved: Saved) -> list[Template] | None:
    """What `save_templates` saved."""
    if saved["templates"] is None:
        return None
    templates = []
    for prefix, flags, kept, replaced in saved["templates"]:
        demand(flags in {NUMBERED, NAMED}, "the flags of a path template are unknown")
        check_counts([replaced])
        values = [bytes.fromhex(value) for value in kept]
        templates.append(Template(bytes.fromhex(prefix), flags, values, replaced))
    return templates


def save_logs(logs: Sequence[LogReader]) -> Sections:
    """The logs in the order in which they begin: what each is, and how far it was read."""
    yield "logs", [_save_log(log) for log in logs]


def load_logs(
    saved: Saved, paths: Sequence[str], restore_log: Callable[[SavedLog, bytes], Log]
) -> list[LogState]:
    """
    What `save_logs` saved, of the logs at these paths. `restore_log` takes a saved log and the
    beginning of its file.
    """
    states = [_load_log(fields, restore_log) for fields in saved["logs"]]
    demand(sorted(state.path for state in states) == sorted(paths), "the logs are others")
    return states


def _save_log(reader: LogReader) -> dict[str, Any]:
    log = reader.log
    return {
        "path": reader.path,
        "is file": reader.is_file,
        "is compressed": reader.is_compressed,
        "size": reader.size,
        "place": astuple(reader.place),
        "ended": reader.ended,
        # a problem that was found by reading ahead will be found again
        "problem": reader.problem if reader.ended else None,
        "refused": reader.ended and reader.refusal is not None,
        "copy of": reader.copy_of,
        "beginning": log.beginning.hex() if log else "",
        "log": log
        and SavedLog(
            *(log.name, log.format.spec, log.match_exactly, log.prefix.decode()),
            *(log.recognised, log.ended),
        ),
    }


def _load_log(fields: Mapping[str, Any], restore_log: Callable[[SavedLog, bytes], Log]) -> LogState:
    log = None
    if fields["log"] is not None:
        saved = SavedLog(*fields["log"])
        check_texts([saved.name, saved.format, saved.prefix])
        flags = saved.match_exactly, saved.recognised, saved.ended
        demand(all(isinstance(flag, bool) for flag in flags), "the state of a log is not one")
        log = restore_log(saved, bytes.fromhex(fields["beginning"]))
    place = LogPosition(*fields["place"])
    state = LogState(
        path=fields["path"],
        is_file=fields["is file"],
        is_compressed=fields["is compressed"],
        size=fields["size"],
        log=log,
        place=place,
        ended=fields["ended"],
        problem=fields["problem"],
        refusal=ConfigurationError(fields["problem"]) if fields["refused"] else None,
        copy_of=fields["copy of"],
    )
    check_counts([state.size, place.offset, place.lines])
    check_texts([state.path, place.fingerprint, state.problem or "", state.copy_of or ""])
    known = state.is_file, state.is_compressed, state.ended, fields["refused"]
    demand(all(isinstance(flag, bool) for flag in known), "the state of a log is not one")
    demand(bool(place.offset) == bool(place.fingerprint), "the place in a log is not one")
    demand(log is not None or not place.offset, "a log that was read is not known")
    demand(state.problem is None or state.ended, "a log with a problem goes on")
    demand(state.problem is not None or not fields["refused"], "a log is refused without a problem")
    demand(state.copy_of is None or state.ended, "a copy of a log goes on")
    demand(place.offset or not place.lines, "a log has lines before its first byte")
    return state


def save_counts(reference: ReferenceParser) -> Sections:
    """How many changes, malformed, excluded (by reason) and missing events the logs had."""
    counts = reference.changes, reference.rejected, reference.excluded, reference.missing
    yield "counts", list(counts)


def load_counts(saved: Saved) -> dict[str, Any]:
    """What `save_counts` saved, as arguments of ReferenceParser."""
    changes, rejected, excluded, missing = saved["counts"]
    check_counts([changes, rejected, missing, *excluded.values()])
    check_texts(excluded)
    return {"changes": changes, "rejected": rejected, "excluded": excluded, "missing": missing}
