"""
The inputs of a live monitor's state: all that ever changes it. The same inputs make the same state,
so a saved state and the inputs since then give the present one, exactly. As records of a journal,
a request takes 17 bytes.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from itertools import chain
from operator import lt
from typing import Any, Final, NamedTuple, TypeAlias

from slomon.core.batching import Batch, StreamState
from slomon.core.endpoints import Endpoint
from slomon.core.events import Accounting
from slomon.state.encoding import pack_change, unpack_change
from slomon.state.validation import check_counts, check_texts, demand

_BATCH: Final = 0
_EXPIRY: Final = 1
_WORD: Final = 8  # bytes
# Numbers of a batch: kind, events before, rows, 5 counts, began, ended, newest, 2 of the event log.
_HEAD: Final = 13


class Mark(NamedTuple):
    """How many events of a sender have been counted, and how many it has dropped, by reason."""

    number: int
    dropped: Mapping[str, int]


Marks: TypeAlias = Mapping[str, Mark]
"""By the name of the sender."""


class Recorded(NamedTuple):
    """How far the event log is: the bytes of its whole lines, and the CRC-32 of the last one."""

    size: int
    check: int


NOT_RECORDED: Final = Recorded(0, 0)
"""There is no event log, or nothing in it."""


@dataclass(frozen=True, slots=True)
class CountedBatch:
    """
    Events that were counted: `before` is the number of all events before them. The batch has those
    that count in windows, and the rest is what is known of the stream after them. `senders` are the
    marks of the processes that sent events of the batch. The endpoints in `found` are new.
    `recorded` is how far the event log was with these events.
    """

    before: int
    batch: Batch
    accounting: tuple[int, ...]
    began: int | None
    ended: int
    newest: int
    senders: Marks = field(default_factory=dict)
    found: Sequence[Endpoint] = ()
    recorded: Recorded = NOT_RECORDED


@dataclass(frozen=True, slots=True)
class Expiry:
    """Incidents expired at the tick `now`, when there had been `before` events."""

    before: int
    now: int


Input: TypeAlias = CountedBatch | Expiry


def note_batch(
    before: int, batch: Batch, stream: StreamState, senders: Marks, found: Sequence[Endpoint] = ()
) -> CountedBatch:
    """The input that has just changed a stream."""
    counts, span = list_counts(stream.accounting), stream.span
    return CountedBatch(
        *(before, batch, counts, span.began, span.ended, stream.newest, senders, found)
    )


def list_counts(accounting: Accounting) -> tuple[int, ...]:
    """The counts of a stream, which has no excluded events; the windows count the late ones."""
    counts = accounting.events, accounting.accesses, accounting.changes
    return *counts, accounting.unmatched, accounting.rejected


def make_accounting(counts: Sequence[int]) -> Accounting:
    """What `list_counts` listed. Raises ValueError if there are more counts or fewer."""
    events, accesses, changes, unmatched, rejected = counts
    return Accounting(events, accesses, changes, unmatched, rejected)


def pack_input(one: Input) -> bytes:
    """An input as a record."""
    if isinstance(one, Expiry):
        return _to_bytes([_EXPIRY, one.before, one.now])
    batch, rows = one.batch, len(one.batch.slots)
    began = -1 if one.began is None else one.began
    head = [_BATCH, one.before, rows, *one.accounting, began, one.ended, one.newest, *one.recorded]
    # Usually all events are accesses to watched endpoints, and their positions are clear.
    positions = () if one.accounting[0] - one.before == rows else batch.positions
    numbers = _to_bytes([*head, *batch.slots, *batch.ticks, *positions])
    more = [[pack_change(change) for change in batch.changes], one.senders]
    if one.found:
        more.append([astuple(endpoint) for endpoint in one.found])
    return numbers + bytes(batch.failures) + (json.dumps(more).encode() if any(more) else b"")


def unpack_input(record: bytes) -> Input:
    """What `pack_input` packed. Raises ValueError, LookupError or TypeError if it is invalid."""
    head = _from_bytes(record[: _WORD * _HEAD])
    check_counts([*head[:8], *head[9:]])
    if head[0] == _EXPIRY:
        _, before, now = head
        return Expiry(before, now)
    kind, before, rows, *accounting, began, ended, newest, size, check = head
    demand(kind == _BATCH and len(accounting) == 5, "a record of the journal is not one")
    is_clear = accounting[0] - before == rows
    end = _WORD * (_HEAD + rows * (2 if is_clear else 3))
    columns = _from_bytes(record[_WORD * _HEAD : end])
    failures, more = record[end : end + rows], record[end + rows :]
    positions = list(range(before, before + rows)) if is_clear else columns[2 * rows :]
    packed, senders, *found = json.loads(more) if more else ([], {})
    batch = Batch(
        *(columns[:rows], columns[rows : 2 * rows], list(failures), positions),
        [unpack_change(fields) for fields in packed],
    )
    for column in (batch.slots, batch.ticks, batch.failures, batch.positions):
        demand(len(column) == rows, "a record of the journal is too short")
    first = None if began == -1 else began
    return CountedBatch(
        *(before, batch, tuple(accounting), first, ended, newest),
        unpack_marks(senders),
        _unpack_found(found),
        Recorded(size, check),
    )


def _unpack_found(packed: list[list[list[Any]]]) -> list[Endpoint]:
    found = [Endpoint(*fields) for fields in chain(*packed)]
    check_texts(chain(*([one.name, one.email, one.verb, one.resource] for one in found)))
    check_counts([one.window for one in found])
    demand(all(0 < one.slo <= 1 for one in found), "the SLO of an endpoint is not one")
    return found


def unpack_marks(packed: Mapping[str, Any]) -> dict[str, Mark]:
    """Marks that were read as JSON. Raises ValueError or TypeError if they are invalid."""
    marks = {name: Mark(number, dict(dropped)) for name, (number, dropped) in packed.items()}
    check_counts(chain(*([mark.number, *mark.dropped.values()] for mark in marks.values())))
    return marks


def check_batch(one: CountedBatch, stream: StreamState, endpoints: int) -> None:
    """Raise ValueError if an input can't be the next one of a stream."""
    batch, then, now = one.batch, stream.accounting, make_accounting(one.accounting)
    new = now.accesses - then.accesses, now.changes - then.changes
    demand(new == (len(batch.slots), len(batch.changes)), "the journal's counts are wrong")
    others = now.unmatched >= then.unmatched and now.rejected >= then.rejected
    all_events = now.accesses + now.changes + now.unmatched + now.rejected
    demand(others and now.events == all_events, "the journal's counts are wrong")
    demand(all(0 <= slot < endpoints for slot in batch.slots), "an access is to no endpoint")
    demand(min(batch.ticks, default=0) >= 0, "the time of an access is before the epoch")
    demand(set(batch.failures) <= {0, 1}, "an outcome is neither a failure nor not")
    _check_positions(one, batch.positions)
    _check_positions(one, [positioned.position for positioned in batch.changes])
    began = stream.span.began if stream.accounting.accesses else next(iter(batch.ticks), None)
    demand(one.began == began, "the time range does not begin with the first access")
    ended = max(stream.span.ended, max(batch.ticks, default=0))
    demand(ended == one.ended, "the time range does not end with the newest access")
    demand(max(stream.newest, one.ended) <= one.newest, "the newest access is not the newest")


def _check_positions(one: CountedBatch, positions: Sequence[int]) -> None:
    bounds = [one.before - 1, *positions, one.accounting[0]]
    demand(all(map(lt, bounds, bounds[1:])), "the events are not in order of the stream")


def _to_bytes(numbers: Sequence[int]) -> bytes:
    column = array("q", numbers)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def _from_bytes(data: bytes) -> list[int]:
    column = array("q", data)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tolist()
