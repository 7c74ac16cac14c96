"""
The sliding windows, of many endpoints at once. `advance` is the one kernel: it knows slots, ticks
and outcomes, nothing richer, and its body is integer arithmetic and indexing over flat columns.
So it is plain Python over lists, and Numba compiles it as it stands over arrays of 64-bit numbers.

A window holds the accesses of the half-open span (t - window, t], as entries (tick, requests,
failures); equal ticks share an entry. The entries of all windows live in one pool of small blocks
with a free list, so memory follows what is inside the windows:

    head                                   tail
     v                                      v
    [ . . a b c d e f ] -> [ g h i j k l . . ]      block after block, in order of time

Block 0 belongs to all: its last entry, older than any time, stands before everyone's first.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Final, NamedTuple, TypeAlias

from slomon.kernels.series import SHORTEST, SeriesState

_SHIFT: Final = 3
BLOCK: Final = 1 << _SHIFT  # entries a block
_LAST: Final = BLOCK - 1
NEVER: Final = -(2**63)  # older than any window

Column: TypeAlias = MutableSequence[int]

Rows: TypeAlias = tuple[Column, Column, Column, Column]
"""The columns of a batch: slots, ticks, failures (0 or 1) and positions."""


class WindowState(NamedTuple):
    """The columns that `advance` works on. Lists, or arrays of 64-bit numbers when compiled."""

    # one row per endpoint, by its slot
    width: Column  # ticks
    slo: MutableSequence[float]
    requests: Column  # in the window, and so the failures
    failures: Column
    breached: Column  # 1 while an incident is open
    head: Column  # the oldest entry still in the window
    tail: Column  # the newest entry: its tick is the endpoint's clock
    past_requests: Column  # that have left the window
    past_failures: Column
    onset_hint: (
        Column  # the onset of the newest incident: no failure stands between the head and it
    )
    scout_tick: Column  # while it is in the window
    failed_tick: Column  # of the newest failure
    failed_position: Column
    lowest_requests: Column  # of the window as its SLI was lowest, in the newest incident
    lowest_failures: Column
    lowest_tick: Column
    # one row per entry
    entry_tick: Column
    entry_requests: Column
    entry_failures: Column
    entry_position: Column  # of its first failure, if there is one
    # one row per block
    next_block: Column
    # the first free block, how many blocks are free, how many accesses came late, how many
    # requests a window must hold to be judged, and after how many ticks without a request an
    # incident ends, NEVER where none does
    free: Column
    spare: Column
    late: Column
    min_requests: Column
    no_traffic: Column


ENDPOINT_COLUMNS: Final = WindowState._fields.index("entry_tick")
ENTRY_COLUMNS: Final = WindowState._fields.index("next_block") - ENDPOINT_COLUMNS
ENDPOINT: Final = 16  # numbers a record: two lines of a cache, of which the second is seldom needed
ENTRY: Final = ENTRY_COLUMNS


class EndpointTotals(NamedTuple):
    """
    Where an endpoint is: all its requests and failures so far, the newest failure, and its window
    as the SLI was lowest in its newest incident.
    """

    requests: int
    failures: int
    failed_tick: int
    failed_position: int
    lowest_requests: int
    lowest_failures: int
    lowest_tick: int


CLOSED: Final = 0
OPENED: Final = 1
EXPIRED: Final = 2


class Crossing(NamedTuple):
    """
    An access, which counts at `tick` and `failed` or not, took its endpoint across the SLO: below
    it (the `kind` is OPENED) or back (CLOSED). The onset is the first failure that was in the
    window as an incident opened, else the access itself. Where the endpoint is now, this access
    included, follows.

    Or an access finds that an incident expired before it (EXPIRED), at `tick`. Where the
    endpoint was then follows, this access left out.
    """

    slot: int
    position: int
    tick: int
    kind: int
    failed: int
    onset_tick: int
    onset_position: int
    requests: int
    failures: int
    failed_tick: int
    failed_position: int
    lowest_requests: int
    lowest_failures: int
    lowest_tick: int


CROSSING: Final = len(Crossing._fields)
MARKS: Final = 4  # numbers an endpoint


def advance(  # noqa: C901, PLR0912, PLR0915 (one loop, so that it compiles to one and is read as one)
    state: WindowState, rows: Rows, crossings: Column, series: SeriesState | None
) -> int:
    """
    Count a batch of accesses and write the numbers of each Crossing to `crossings`; returns how
    many numbers that were. Buckets that end in the batch are added to the trace: Numba compiles
    what there is for it only where there is one. O(1) amortized per row.

    There must be a spare block for each row, and room for a bucket and for its crossings: two where
    incidents expire, as an access may find one ended and open another.
    """
    (
        width,
        slo,
        window_requests,
        window_failures,
        breached,
        heads,
        tails,
        past_requests,
        past_failures,
        scouts,
        scout_ticks,
        failed_ticks,
        failed_positions,
        lowest_requests,
        lowest_failures,
        lowest_ticks,
        entry_tick,
        entry_requests,
        entry_failures,
        entry_position,
        next_block,
        free,
        spare,
        late,
        min_requests,
        no_traffic,
    ) = state
    if series is not None:
        (
            places,
            began_requests,
            began_failures,
            lowest_slis,
            _,
            bucket_slots,
            bucket_places,
            bucket_requests,
            bucket_failures,
            bucket_lowest,
            _,
            _,
            _,
            _,
        ) = series
        doublings, finished = series.doublings[0], series.finished[0]
        step = SHORTEST << doublings
    found = 0
    judged_from, expires_after = min_requests[0], no_traffic[0]
    slots, ticks, failures, positions = rows
    # Numba knows no strict zip; a Batch makes its columns of equal length.
    for slot, tick, failed, position in zip(slots, ticks, failures, positions):  # noqa: B905
        tail = tails[slot]
        newest = clock = entry_tick[tail]
        if tick > clock:
            clock = tick
            tail += 1
            if not tail & _LAST:
                block = free[0]
                free[0] = next_block[block]
                spare[0] -= 1
                before, tail = tail, block << _SHIFT
                if before == BLOCK:
                    heads[slot] = tail
                else:
                    next_block[(before - 1) >> _SHIFT] = block
            tails[slot] = tail
            entry_tick[tail] = tick
            entry_requests[tail] = 1
            entry_failures[tail] = failed
        else:
            if tick < clock:
                late[0] += 1
            entry_requests[tail] += 1
            entry_failures[tail] += failed
        if series is not None and clock - places[slot] * step >= step:
            requests = window_requests[slot] + past_requests[slot]
            bad = window_failures[slot] + past_failures[slot]
            bucket_slots[finished] = slot
            bucket_places[finished] = places[slot]
            bucket_requests[finished] = requests - began_requests[slot]
            bucket_failures[finished] = bad - began_failures[slot]
            bucket_lowest[finished] = lowest_slis[slot]
            finished += requests > began_requests[slot]  # before the first there is none
            places[slot] = (clock >> doublings) // SHORTEST
            began_requests[slot] = requests
            began_failures[slot] = bad
            lowest_slis[slot] = 1.0
        requests = window_requests[slot] + 1
        bad = window_failures[slot] + failed
        # Without a failure the SLI is 1 whatever has left the window: then what has left is only
        # cleared away once a block, for the memory's sake, or if it counts how many are left.
        if bad or not tail & _LAST or (judged_from > 1 and breached[slot]):
            head = heads[slot]
            horizon = clock - width[slot]
            if entry_tick[head] <= horizon:
                inside, bad_inside = requests, bad
                while entry_tick[head] <= horizon:
                    requests -= entry_requests[head]
                    bad -= entry_failures[head]
                    head += 1
                    if not head & _LAST:
                        block = (head - 1) >> _SHIFT
                        head = next_block[block] << _SHIFT
                        next_block[block] = free[0]
                        free[0] = block
                        spare[0] += 1
                heads[slot] = head
                past_requests[slot] += inside - requests
                past_failures[slot] += bad_inside - bad
                if 0 <= expires_after <= clock - newest and newest <= horizon and breached[slot]:
                    breached[slot] = 0
                    ended = newest + max(width[slot], expires_after)
                    moved = slot, position, ended, EXPIRED, failed, clock, position
                    found = _write(crossings, found, moved)
                    found = _write(crossings, found, (past_requests[slot], past_failures[slot]))
                    found = _write(crossings, found, (failed_ticks[slot], failed_positions[slot]))
                    lowest = lowest_requests[slot], lowest_failures[slot], lowest_ticks[slot]
                    found = _write(crossings, found, lowest)
            window_failures[slot] = bad
            if failed:
                if failed_ticks[slot] < clock:
                    entry_position[tail] = position
                failed_ticks[slot] = clock
                failed_positions[slot] = position
            if requests >= judged_from:
                sli = (requests - bad) / requests
                if series is not None and sli < lowest_slis[slot]:
                    lowest_slis[slot] = sli
                below = sli < slo[slot]
                was_below = breached[slot]
                if below and (
                    not was_below
                    or sli < (lowest_requests[slot] - lowest_failures[slot]) / lowest_requests[slot]
                ):
                    lowest_requests[slot] = requests
                    lowest_failures[slot] = bad
                    lowest_ticks[slot] = clock
                if below != was_below:
                    breached[slot] = below
                    onset_tick, onset_position = clock, position
                    if below:
                        onset_hint = scouts[slot] if scout_ticks[slot] > horizon else head
                        while not entry_failures[onset_hint]:
                            onset_hint += 1
                            if not onset_hint & _LAST:
                                onset_hint = next_block[(onset_hint - 1) >> _SHIFT] << _SHIFT
                        onset_tick, onset_position = (
                            entry_tick[onset_hint],
                            entry_position[onset_hint],
                        )
                        scouts[slot] = onset_hint
                        scout_ticks[slot] = onset_tick
                    moved = slot, position, clock, int(below), failed, onset_tick, onset_position
                    found = _write(crossings, found, moved)
                    now = requests + past_requests[slot], bad + past_failures[slot]
                    found = _write(crossings, found, now)
                    found = _write(crossings, found, (failed_ticks[slot], failed_positions[slot]))
                    lowest = lowest_requests[slot], lowest_failures[slot], lowest_ticks[slot]
                    found = _write(crossings, found, lowest)
        window_requests[slot] = requests
    if series is not None:
        series.finished[0] = finished
    return found


def _write(crossings: Column, found: int, numbers: tuple[int, ...]) -> int:
    """Write the next numbers of crossings; returns how many there are by then."""
    for number in numbers:
        crossings[found] = number
        found += 1
    return found


def expire(state: WindowState, slot: int, tick: int) -> int:
    """
    An incident expired, at a tick by which its window is empty: that is the endpoint's
    time now, so that nothing counts before it. An entry without requests stands there.
    """
    tail = state.tail[slot]
    requests, failures = state.entry_requests[tail], state.entry_failures[tail]
    state.requests[slot] -= requests
    state.failures[slot] -= failures
    state.past_requests[slot] += requests
    state.past_failures[slot] += failures
    state.entry_tick[tail] = tick
    state.entry_requests[tail] = 0
    state.entry_failures[tail] = 0
    state.breached[slot] = 0
    return 0


def mark(state: WindowState, slots: Column, marks: Column) -> int:
    """
    A change came: note all requests and failures of its endpoints so far. Each has four numbers
    among the marks: those of the newest change, and of the one before. Changes between which an
    endpoint had no request are one to it.
    """
    for slot in slots:
        requests = state.requests[slot] + state.past_requests[slot]
        at = MARKS * slot
        if requests != marks[at]:
            marks[at + 2] = marks[at]
            marks[at + 3] = marks[at + 1]
            marks[at] = requests
            marks[at + 1] = state.failures[slot] + state.past_failures[slot]
    return 0
