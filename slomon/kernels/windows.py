"""
The sliding windows of many endpoints, and the crossings of their SLOs.

`advance` counts a batch of accesses. It knows slots, ticks and outcomes only: no endpoint names,
commits or policies. Its body is integer arithmetic and indexing over flat columns, so the same
source runs as plain Python over lists, and compiled by Numba over arrays of 64-bit numbers.

The window of an access at tick t is half open: it holds the endpoint's accesses in (t - width, t].

    tick     5     6     7     8     9    10    11         width 5
             x     o           o     x           o         x: failed
                   (-----------------------------]         at 11: 2 succeeded, 1 failed, SLI 2/3

A window is a queue of entries (tick, requests, failures); accesses that count at the same tick
share an entry. The entries of all windows lie in one pool of blocks of four with a free list, so
memory follows what is inside the windows:

    head                                   tail
     v                                      v
    [ . a b c ] -> [ d e f g ] -> [ h i j k ]       block after block, in order of time

Block 0 belongs to no window. Its last entry is older than any tick: until an endpoint has its
first access, that entry is its tail.

The excess of an endpoint says since when it fails more than it should. It is the CUSUM of E. S.
Page, "Continuous inspection schemes", Biometrika 41 (1954), 100-115, with a quarter of the failures
that the SLO allows as the reference: a failure adds 1 - reference, a success takes the reference
away, and the excess never falls below 0.

    failures     x          x  x xx xx x
    excess                           _-_
                          __-_-- _---   ---___
                _        |                    ---___
             ___|-_______|                          -____
                ^        ^             ^
              stray    onset       recovery

While the SLI is below the SLO, the failures in the window exceed the reference, so the excess is
above 0. When an incident closes, the excess is set to 0. The surge is a second excess, whose
reference is sixteen times as high: a few stray failures shortly before an outage move the onset of
the excess, but hardly that of the surge. The relief is an excess of successes, with the failures
that the SLO allows as the reference. The recovery is the last failure at which it was 0.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Final, NamedTuple, TypeAlias

from slomon.kernels.sli_series import SHORTEST, SeriesState

_BLOCK_SHIFT: Final = 2
BLOCK: Final = 1 << _BLOCK_SHIFT  # entries per block: few, as most of many endpoints need one
_IN_BLOCK: Final = BLOCK - 1  # the bits of an entry's number that say where in its block it lies
NEVER: Final = -(2**63)  # a tick older than any window
UNIT: Final = 1 << 20
"""What a failure adds to an excess, and a success takes away, make this together."""

Column: TypeAlias = MutableSequence[int]

Rows: TypeAlias = tuple[Column, Column, Column, Column]
"""The columns of a batch: slots, ticks, outcomes (1: failed, 0: succeeded) and positions."""


class WindowState(NamedTuple):
    """The columns that `advance` works on: lists, or arrays of 64-bit numbers when compiled."""

    # one number per endpoint, by its slot
    width: Column  # of the window, in ticks
    requests: Column  # in the window
    failures: Column  # in the window
    head: Column  # the oldest entry in the window
    tail: Column  # the newest entry; its tick is the endpoint's clock
    past_requests: Column  # that have left the window
    past_failures: Column  # that have left the window
    # these change only if requests of the endpoint fail
    slo: MutableSequence[float]
    breached: Column  # 1 while an incident is open
    excess: Column  # at the last failure, as surge and relief
    onset_tick: Column  # of the failure at which the excess last rose from 0
    onset_requests: Column  # of the endpoint so far, that failure included
    last_failure_tick: Column
    min_sli_requests: Column  # in the window when its SLI was lowest, in the newest incident
    min_sli_failures: Column
    min_sli_tick: Column
    relief: Column
    recovery_tick: Column  # of the last failure at which the relief was 0
    surge: Column
    surge_tick: Column  # of the failure at which the surge last rose from 0
    surge_requests: Column  # of the endpoint so far, that failure included
    last_failure_requests: Column  # of the endpoint so far, the last failure included
    # one number per entry
    entry_tick: Column
    entry_requests: Column
    entry_failures: Column
    # one number per block
    next_block: Column  # of the same window, or of the free list
    # one number
    first_free: Column  # the first block of the free list
    free_count: Column  # how many blocks the free list has
    late: Column  # how many accesses were older than their endpoint's clock
    min_requests: Column  # a window with fewer requests is not judged
    no_traffic: Column  # ticks without a request after which an incident expires, or NEVER


ENDPOINT_COLUMNS: Final = WindowState._fields.index("entry_tick")
ENTRY_COLUMNS: Final = WindowState._fields.index("next_block") - ENDPOINT_COLUMNS
DETAIL: Final = WindowState._fields.index("slo")
"""Which number of the record of an endpoint is that of its detail record."""
ENDPOINT: Final = DETAIL + 1
"""Numbers in the record of an endpoint: one cache line."""
_REQUESTS: Final = WindowState._fields.index("requests")
_FAILURES: Final = WindowState._fields.index("failures")
_PAST_REQUESTS: Final = WindowState._fields.index("past_requests")
_PAST_FAILURES: Final = WindowState._fields.index("past_failures")
DETAILS: Final = ENDPOINT_COLUMNS - DETAIL + 1
"""
Numbers in a detail record: what changes only if requests fail. Endpoints without a failure share
the first one. Its last number is the number of detail records in use.
"""
ENTRY: Final = ENTRY_COLUMNS
"""Numbers in the record of an entry."""


class EndpointTotals(NamedTuple):
    """
    All requests and failures of an endpoint so far, its last failure, its window when the SLI was
    lowest in its newest incident, and the failure after which it began to recover.
    """

    requests: int
    failures: int
    last_failure_tick: int
    min_sli_requests: int
    min_sli_failures: int
    min_sli_tick: int
    recovery_tick: int


# The kinds of crossings
CLOSED: Final = 0
OPENED: Final = 1
EXPIRED: Final = 2


class Crossing(NamedTuple):
    """
    An incident opened, closed or expired.

    * OPENED and CLOSED: the access at `position`, which counts at `tick`, took the SLI below the
      SLO or back. The totals (see `EndpointTotals`) include the access.
    * EXPIRED: the access at `position` found that the incident had expired at `tick`, before it.
      The totals exclude the access.

    `failed` is the outcome of the access. The onset is the failure at which the excess rose from 0:
    its tick, and the requests and failures from there to the access, both included; so for the
    surge. `recovery_tick` is that of the failure after which the endpoint began to recover.

        SLI  1.0  ----+                    +-----
        SLO  . . . . .|. . . . . . . . . . |. . .
                      +----+     +---------+
                           +-----+
                      ^    ^               ^
                   OPENED  min_sli      CLOSED
    """

    slot: int
    position: int
    tick: int
    kind: int
    failed: int
    onset_tick: int
    onset_requests: int
    onset_failures: int
    surge_tick: int
    surge_requests: int
    surge_failures: int
    requests: int
    failures: int
    last_failure_tick: int
    min_sli_requests: int
    min_sli_failures: int
    min_sli_tick: int
    recovery_tick: int


CROSSING: Final = len(Crossing._fields)
MARKS: Final = 4
"""Numbers that `mark` keeps for each endpoint."""


def advance(  # noqa: C901, PLR0912, PLR0915 (one loop: Numba compiles it as one, and it reads as one)
    state: WindowState, rows: Rows, crossings: Column, series: SeriesState | None
) -> int:
    """
    Count a batch of accesses and write each Crossing to `crossings`, CROSSING numbers each. Return
    how many numbers were written. Buckets that end in the batch are added to `series`; Numba omits
    that code if `series` is None. O(1) amortized per row.

    The caller ensures that there is a free block for each row, a bucket for each row if there is a
    series, and room for one crossing for each row. If incidents expire there must be room for two,
    because an access may expire one incident and open another.
    """
    (
        widths,
        window_requests,
        window_failures,
        heads,
        tails,
        past_requests,
        past_failures,
        slos,
        breached,
        excesses,
        onset_ticks,
        onset_requests,
        last_failure_ticks,
        min_sli_requests,
        min_sli_failures,
        min_sli_ticks,
        reliefs,
        recovery_ticks,
        surges,
        surge_ticks,
        surge_requests,
        last_failure_requests,
        entry_tick,
        entry_requests,
        entry_failures,
        next_block,
        first_free,
        free_count,
        late,
        min_requests,
        no_traffic,
    ) = state
    if series is not None:
        (
            current_indexes,
            requests_before_bucket,
            failures_before_bucket,
            current_min_slis,
            _,
            bucket_slots,
            bucket_indexes,
            bucket_requests,
            bucket_failures,
            bucket_min_slis,
            _,
            _,
            _,
            _,
        ) = series
        doublings, finished = series.doublings[0], series.finished[0]
        step = SHORTEST << doublings
    written = 0
    judged_from, expires_after = min_requests[0], no_traffic[0]
    slots, ticks, outcomes, positions = rows
    # Numba knows no strict zip; a Batch makes its columns of equal length.
    for slot, tick, failed, position in zip(slots, ticks, outcomes, positions):  # noqa: B905
        # Count the access: in a new entry if the clock moves, else in the newest entry.
        tail = tails[slot]
        previous = clock = entry_tick[tail]
        if tick > clock:
            clock = tick
            tail += 1
            if not tail & _IN_BLOCK:
                block = first_free[0]
                first_free[0] = next_block[block]
                free_count[0] -= 1
                full, tail = tail, block << _BLOCK_SHIFT
                if full == BLOCK:  # block 0 is full from the start: this is the first access
                    heads[slot] = tail
                else:
                    next_block[(full - 1) >> _BLOCK_SHIFT] = block
            tails[slot] = tail
            entry_tick[tail] = tick
            entry_requests[tail] = 1
            entry_failures[tail] = failed
        else:
            if tick < clock:
                late[0] += 1
            entry_requests[tail] += 1
            entry_failures[tail] += failed
        # If the access begins a new bucket of the series, finish the one before.
        if series is not None and clock - current_indexes[slot] * step >= step:
            requests = window_requests[slot] + past_requests[slot]
            failures = window_failures[slot] + past_failures[slot]
            bucket_slots[finished] = slot
            bucket_indexes[finished] = current_indexes[slot]
            bucket_requests[finished] = requests - requests_before_bucket[slot]
            bucket_failures[finished] = failures - failures_before_bucket[slot]
            bucket_min_slis[finished] = current_min_slis[slot]
            finished += requests > requests_before_bucket[slot]  # there is none before the first
            current_indexes[slot] = (clock >> doublings) // SHORTEST
            requests_before_bucket[slot] = requests
            failures_before_bucket[slot] = failures
            current_min_slis[slot] = 1.0
        requests = window_requests[slot] + 1
        failures = window_failures[slot] + failed
        # Without a failure the SLI is 1, whatever has left the window. Then old entries are removed
        # once per block only, to free memory, or if the number of requests decides whether an
        # incident may close.
        if failures or not tail & _IN_BLOCK or (judged_from > 1 and breached[slot]):
            head = heads[slot]
            horizon = clock - widths[slot]
            if entry_tick[head] <= horizon:
                requests_with_old, failures_with_old = requests, failures
                while entry_tick[head] <= horizon:
                    requests -= entry_requests[head]
                    failures -= entry_failures[head]
                    head += 1
                    if not head & _IN_BLOCK:
                        block = (head - 1) >> _BLOCK_SHIFT
                        head = next_block[block] << _BLOCK_SHIFT
                        next_block[block] = first_free[0]
                        first_free[0] = block
                        free_count[0] += 1
                heads[slot] = head
                past_requests[slot] += requests_with_old - requests
                past_failures[slot] += failures_with_old - failures
                # An open incident expires if all accesses before this one have left the window,
                # and there was no traffic for long enough.
                if (
                    0 <= expires_after <= clock - previous
                    and previous <= horizon
                    and breached[slot]
                ):
                    breached[slot] = 0
                    end = previous + max(widths[slot], expires_after)
                    access = slot, position, end, EXPIRED, failed
                    written = _write(crossings, written, access)
                    written = _write_onset(crossings, written, state, slot, past_requests[slot])
                    totals = past_requests[slot], past_failures[slot], last_failure_ticks[slot]
                    written = _write(crossings, written, totals)
                    lowest = min_sli_requests[slot], min_sli_failures[slot], min_sli_ticks[slot]
                    written = _write(crossings, written, lowest)
                    written = _write(crossings, written, (recovery_ticks[slot],))
                    excesses[slot] = surges[slot] = 0
            window_failures[slot] = failures
            if failed:
                last_failure_ticks[slot] = clock
                # Bring the excesses up to date: successes count only now, so they cost nothing.
                total = requests + past_requests[slot]
                passed = total - 1 - last_failure_requests[slot]
                last_failure_requests[slot] = total
                reference = _reference(slos[slot])
                excess = max(excesses[slot] - passed * reference, 0)
                relief = reliefs[slot] + passed * (reference << 2)
                if not excess:
                    onset_ticks[slot] = clock
                    onset_requests[slot] = total
                    relief = 0
                excesses[slot] = excess + UNIT - reference
                relief = max(relief - UNIT + (reference << 2), 0)
                reliefs[slot] = relief
                if not relief:
                    recovery_ticks[slot] = clock
                reference = _surge_reference(slos[slot])
                surge = max(surges[slot] - passed * reference, 0)
                if not surge:
                    surge_ticks[slot] = clock
                    surge_requests[slot] = total
                surges[slot] = surge + UNIT - reference
            if requests >= judged_from:
                sli = (requests - failures) / requests
                if series is not None and sli < current_min_slis[slot]:
                    current_min_slis[slot] = sli
                below = sli < slos[slot]
                was_below = breached[slot]
                if below and (
                    not was_below
                    or sli
                    < (min_sli_requests[slot] - min_sli_failures[slot]) / min_sli_requests[slot]
                ):
                    min_sli_requests[slot] = requests
                    min_sli_failures[slot] = failures
                    min_sli_ticks[slot] = clock
                if below != was_below:
                    breached[slot] = below
                    access = slot, position, clock, int(below), failed
                    written = _write(crossings, written, access)
                    total = requests + past_requests[slot]
                    written = _write_onset(crossings, written, state, slot, total)
                    totals = total, failures + past_failures[slot], last_failure_ticks[slot]
                    written = _write(crossings, written, totals)
                    lowest = min_sli_requests[slot], min_sli_failures[slot], min_sli_ticks[slot]
                    written = _write(crossings, written, lowest)
                    written = _write(crossings, written, (recovery_ticks[slot],))
                    if not below:
                        excesses[slot] = surges[slot] = 0
        window_requests[slot] = requests
    if series is not None:
        series.finished[0] = finished
    return written


def _write(crossings: Column, written: int, numbers: tuple[int, ...]) -> int:
    """Append numbers to those already written; return how many are written then."""
    for number in numbers:
        crossings[written] = number
        written += 1
    return written


def excess_reference(slo: float) -> float:
    """A higher failure rate makes the excess grow: this is a quarter of what the SLO allows."""
    return (1.0 - slo) / 4


def surge_reference(slo: float) -> float:
    """A higher failure rate makes the surge grow: this is four times what the SLO allows."""
    return min((1.0 - slo) * 4, 0.5)


def _reference(slo: float) -> int:
    """What a success takes away from the excess. It adds four times as much to the relief."""
    return int(excess_reference(slo) * UNIT)


def _surge_reference(slo: float) -> int:
    """What a success takes away from the surge."""
    return int(surge_reference(slo) * UNIT)


def _write_onset(
    crossings: Column, written: int, state: WindowState, slot: int, requests: int
) -> int:
    """
    Append the onset and the surge of an endpoint that had so many requests. An excess tells how
    many failed since: while it was above 0, each request changed it by the same amounts. An excess
    of 0 tells nothing: then the onset is the last failure, and the surge is the onset.
    """
    slo, passed = state.slo[slot], requests - state.last_failure_requests[slot]
    tick, since, failed = state.last_failure_tick[slot], 1, 1
    excess = state.excess[slot] - passed * _reference(slo)
    if excess > 0:
        tick, since = state.onset_tick[slot], requests - state.onset_requests[slot] + 1
        failed = (excess + since * _reference(slo)) // UNIT
    written = _write(crossings, written, (tick, since, failed))
    excess = state.surge[slot] - passed * _surge_reference(slo)
    if excess > 0:
        tick, since = state.surge_tick[slot], requests - state.surge_requests[slot] + 1
        failed = (excess + since * _surge_reference(slo)) // UNIT
    return _write(crossings, written, (tick, since, failed))


def add_details(
    endpoints: Column, details: Column, slots: Column, outcomes: Column, rows: int
) -> int:
    """
    Give each endpoint that has a failure in a batch, before it is counted, a detail record of its
    own: a copy of the first one, which it shared. There must be room.
    """
    for row in range(rows):
        if outcomes[row]:
            place = slots[row] * ENDPOINT + DETAIL
            if endpoints[place] == 0:
                record = details[DETAILS - 1]
                details[DETAILS - 1] += 1
                endpoints[place] = record
                for number in range(DETAILS - 1):
                    details[record * DETAILS + number] = details[number]
    return 0


def add_totals(endpoints: Column, count: int, requests: Column, failures: Column) -> int:
    """Write all requests and failures so far of each of `count` endpoints, from their records."""
    for slot in range(count):
        at = slot * ENDPOINT
        requests[slot] = endpoints[at + _REQUESTS] + endpoints[at + _PAST_REQUESTS]
        failures[slot] = endpoints[at + _FAILURES] + endpoints[at + _PAST_FAILURES]
    return 0


def expire(state: WindowState, slot: int, tick: int) -> int:
    """
    Expire the incident of an endpoint at a tick by which its window is empty. The tick becomes the
    endpoint's clock, so that no later access counts before it: the newest entry moves there,
    without requests.
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
    state.excess[slot] = 0
    state.surge[slot] = 0
    return 0


def mark(state: WindowState, slots: Column, marks: Column) -> int:
    """
    A change of these endpoints arrived: note their totals so far. Each endpoint has MARKS numbers:
    its requests and failures when the newest change arrived, and when the change before arrived.
    Several changes without a request between them count as one.
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
