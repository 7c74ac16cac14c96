"""
What must hold in the windows and the SLI series of a shard before kernels may work on them.

Compiled kernels check nothing: a wrong entry or block would make them write anywhere, or run for
ever. So a state that comes from a file is checked once, in a single pass over its columns. Each
function raises ValueError, which says what is wrong.

`check_windows` and `check_series` hold for any state. `check_same_run` holds only if the endpoints
and the options are those with which the state was saved, as for a checkpoint.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import chain, compress
from operator import le, lt
from typing import Final, NamedTuple, cast

from slomon.core.endpoints import Endpoint
from slomon.core.ticks import LAST_TICK
from slomon.core.windows import Windows
from slomon.kernels.sli_series import SHORTEST, SeriesState
from slomon.kernels.windows import BLOCK, ENDPOINT_COLUMNS, MARKS, NEVER, UNIT, WindowState
from slomon.text import excerpt

_MOST_DOUBLINGS: Final = (LAST_TICK // SHORTEST).bit_length() - 1


def demand(condition: object, problem: str) -> None:
    """Raise ValueError, which says what the problem is, unless the condition holds."""
    if not condition:
        raise ValueError(problem)


def check_counts(values: Iterable[object]) -> None:
    """Raise ValueError unless all values are whole numbers from 0 to 2**63 - 1."""
    for value in values:
        if type(value) is not int or not 0 <= value <= LAST_TICK:
            raise ValueError(f"a number is {excerpt(value)}; allowed: 0 to 2**63 - 1")


def check_texts(values: Iterable[object]) -> None:
    """Raise ValueError unless all values are text."""
    for value in values:
        if not isinstance(value, str):
            raise ValueError(f"a text is {excerpt(value)}")  # noqa: TRY004 (one kind for all)


def check_column(column: object, typecode: str, length: int) -> None:
    """Raise ValueError unless a column is an array of that type and length."""
    if not isinstance(column, array) or column.typecode != typecode or len(column) != length:
        raise ValueError(f"a column has not the {length} numbers that it should have")


class _Entries(NamedTuple):
    """The entries of one window, oldest first."""

    ticks: Sequence[int]
    requests: Sequence[int]
    failures: Sequence[int]


def check_windows(state: WindowState, marks: Sequence[int], *, events: int, newest: int) -> None:
    """
    Check windows and their marks. `events` is the number of events of the stream so far; no access
    counts after the tick `newest`. O(1) per entry and endpoint.
    """
    unclaimed = bytearray(b"\1") * len(state.next_block)
    demand(unclaimed and state.entry_tick[BLOCK - 1] == -1, "the first block is not the blank one")
    unclaimed[0] = 0
    blank = Windows([_ANY]).state
    total = 0
    for slot, record in enumerate(zip(*_endpoint_columns(state), strict=True)):
        width = state.width[slot]
        demand(1 <= width <= LAST_TICK, f"the width of a window is {width}")
        tail = state.tail[slot]
        if tail == BLOCK - 1:
            blank.width[0], blank.slo[0] = width, state.slo[slot]
            expected = tuple(column[0] for column in _endpoint_columns(blank))
            demand(record == expected, "an endpoint without requests has counts")
        else:
            blocks = _claim(state, state.head[slot] // BLOCK, tail // BLOCK, unclaimed)
            _check_entries(state, slot, _collect(state, slot, blocks), newest)
        total += state.requests[slot] + state.past_requests[slot]
    demand(total <= events, "there are more accesses than events")
    # Late accesses of endpoints that are no longer watched are still counted.
    demand(0 <= state.late[0] <= events, f"the number of late accesses is {state.late[0]}")
    _check_free_list(state, unclaimed)
    _check_marks(state, marks)


def check_same_run(
    state: WindowState, endpoints: Sequence[Endpoint], min_requests: int, no_traffic: int | None
) -> None:
    """
    Check windows against the endpoints and the options of the run. There may be more endpoints than
    windows: those of the others were found, but not yet counted.
    """
    demand(len(state.width) <= len(endpoints), "there are more windows than endpoints")
    demand(state.min_requests[0] == min_requests, "min_requests is of another run")
    expires_after = NEVER if no_traffic is None else no_traffic
    demand(state.no_traffic[0] == expires_after, "no_traffic is of another run")
    for slot, width in enumerate(state.width):
        endpoint, slo = endpoints[slot], state.slo[slot]
        demand(width == endpoint.window, f"the width of a window is {width}")
        demand(slo == endpoint.slo, f"the SLO of an endpoint is {slo}")
        requests, failures = state.requests[slot], state.failures[slot]
        breached, tail = state.breached[slot], state.entry_tick[state.tail[slot]]
        if tail < 0:
            continue  # no request yet
        demand(requests, "the window of a request is empty")
        # A window without failures may still hold entries that are too old: see `advance`.
        oldest = state.entry_tick[state.head[slot]]
        demand(not failures or oldest > tail - width, "an entry has left its window")
        below = (requests - failures) / requests < slo
        demand(requests < min_requests or below == breached, "a breach is not that of its window")
        if breached:
            judged, failed = state.min_sli_requests[slot], state.min_sli_failures[slot]
            lowest = (judged - failed) / judged
            demand(judged >= min_requests and lowest < slo, "a lowest SLI is not below its SLO")
            at_most = requests < min_requests or lowest <= (requests - failures) / requests
            demand(at_most, "a lowest SLI is not the lowest")


def check_series(series: SeriesState, state: WindowState, *, since_beginning: bool) -> None:
    """
    Check the SLI series of windows that were checked. `since_beginning`: it has all requests, and
    no endpoint was moved to a later time.
    """
    doublings, count = series.doublings[0], len(series.bucket_slot)
    demand(0 <= doublings <= _MOST_DOUBLINGS, f"the buckets are doubled {doublings} times")
    demand(series.finished[0] == count, f"the number of finished buckets is {series.finished[0]}")
    demand(len(series.current_index) == len(state.width), "the series is of other endpoints")
    requests, failures = _check_buckets(series)
    for slot, current in enumerate(series.current_index):
        past = series.past_requests[slot], series.past_failures[slot]
        now = (
            state.requests[slot] + state.past_requests[slot],
            state.failures[slot] + state.past_failures[slot],
        )
        in_buckets = requests[slot], failures[slot]
        if since_beginning:
            demand(past == in_buckets, "the buckets of an endpoint have not all its requests")
        demand(_is_part(in_buckets, past), "the buckets of an endpoint have too many requests")
        demand(_is_part(past, now), "an endpoint has fewer requests than its buckets")
        demand(0 <= series.current_min_sli[slot] <= 1, "the lowest SLI is not from 0 to 1")
        demand(series.newest_bucket[slot] >= 0, "the number of a bucket is below 0")
        latest = max(state.entry_tick[state.tail[slot]], 0) // (SHORTEST << doublings)
        in_time = current == latest if since_beginning else 0 <= current <= latest
        demand(in_time, "a bucket is not at the time of the newest request")


_ANY: Final = Endpoint("", "", "", "", 1.0, 1)


def _endpoint_columns(state: WindowState) -> Sequence[Sequence[int]]:
    return cast("tuple[Sequence[int], ...]", state)[:ENDPOINT_COLUMNS]


def _claim(state: WindowState, block: int, last: int, unclaimed: bytearray) -> list[int]:
    """The blocks from one to another, none of which may belong to anything else."""
    blocks = []
    while True:
        if not (0 < block < len(unclaimed) and unclaimed[block]):
            raise ValueError(f"block {block} does not exist or is used twice")
        unclaimed[block] = 0
        blocks.append(block)
        if block == last:
            return blocks
        block = state.next_block[block]


def _check_free_list(state: WindowState, unclaimed: bytearray) -> None:
    """Check that the free list has exactly the blocks that no window claimed."""
    count, block = sum(unclaimed), state.first_free[0]
    demand(state.free_count[0] == count, f"the number of free blocks is {state.free_count[0]}")
    for _ in range(count):
        _claim(state, block, block, unclaimed)
        block = state.next_block[block]
    demand(block == 0, "the free list has no end")


def _collect(state: WindowState, slot: int, blocks: Sequence[int]) -> _Entries:
    head, tail = state.head[slot], state.tail[slot]
    inside = slice(head % BLOCK, len(blocks) * BLOCK - (BLOCK - 1 - tail % BLOCK))
    parts = [slice(block * BLOCK, (block + 1) * BLOCK) for block in blocks]
    columns = state.entry_tick, state.entry_requests, state.entry_failures
    collected = (
        list(chain.from_iterable(column[part] for part in parts))[inside] for column in columns
    )
    return _Entries._make(collected)


def _check_entries(state: WindowState, slot: int, entries: _Entries, newest: int) -> None:
    """Check the window of an endpoint that has had requests."""
    ticks, requests, failures = entries.ticks, entries.requests, entries.failures
    demand(ticks, "the newest entry of a window is before the oldest one")
    clock = ticks[-1]
    demand(ticks[0] >= 0 and clock <= newest, "the time of an entry is not in the run")
    demand(_is_increasing(ticks), "the entries of a window are not in order of time")
    demand(min(failures) >= 0 and all(map(le, failures, requests)), _MORE_FAILURES)
    demand(state.requests[slot] == sum(requests), _OTHER_SUM)
    demand(state.failures[slot] == sum(failures), _OTHER_SUM)
    demand(0 <= state.past_failures[slot] <= state.past_requests[slot], _MORE_FAILURES)
    demand(state.breached[slot] in (0, 1), f"a breach is {state.breached[slot]}")
    _check_failures(state, slot, entries)
    lowest, failed = state.min_sli_requests[slot], state.min_sli_failures[slot]
    demand(0 <= failed <= lowest, _MORE_FAILURES)
    demand(lowest <= state.requests[slot] + state.past_requests[slot], "a lowest SLI has too many")
    demand(lowest or not state.breached[slot], "a breach has no lowest SLI")
    demand(0 <= state.min_sli_tick[slot] <= clock, "the time of a lowest SLI is not in the run")


_MORE_FAILURES: Final = "there are more failures than requests, or fewer than none"
_OTHER_SUM: Final = "the counts of a window are not the sum of its entries"


def _check_failures(state: WindowState, slot: int, entries: _Entries) -> None:
    """Check what is known of the failures of an endpoint."""
    ticks, failures = entries.ticks, entries.failures
    last, counted = state.last_failure_tick[slot], state.failures[slot] + state.past_failures[slot]
    demand(last <= ticks[-1] and (last >= 0 if counted else last == -1), _NO_FAILURE)
    failed = list(compress(ticks, failures))
    if failed:
        # An entry at which an incident expired has no requests: its failures left the window.
        demand(last == failed[-1] or (last > failed[-1] and 0 in entries.requests), _NO_FAILURE)
    excess, relief = state.excess[slot], state.relief[slot]
    demand(0 <= excess <= UNIT * counted, f"the excess of failures is {excess}")
    requests = state.requests[slot] + state.past_requests[slot]
    demand(0 <= relief <= UNIT * requests, f"the relief of failures is {relief}")
    demand(0 <= state.surge[slot] <= excess, f"the surge of failures is {state.surge[slot]}")
    for column in (state.onset_tick, state.surge_tick, state.recovery_tick):
        demand(0 <= column[slot] <= max(last, 0), "an onset is after the last failure")
    for column in (state.onset_requests, state.surge_requests, state.last_failure_requests):
        demand(0 <= column[slot] <= requests, "an onset has too many requests")


_NO_FAILURE: Final = "the time of the last failure is not that of a failure"


def _check_marks(state: WindowState, marks: Sequence[int]) -> None:
    """Check the totals that were noted at changes: see the kernel `mark`."""
    endpoints, rest = divmod(len(marks), MARKS)
    demand(not rest and endpoints <= len(state.width), "the marks are of other endpoints")
    for slot in range(endpoints):
        numbers = tuple(marks[MARKS * slot : MARKS * (slot + 1)])
        newest, before = numbers[:2], numbers[2:]
        now = (
            state.requests[slot] + state.past_requests[slot],
            state.failures[slot] + state.past_failures[slot],
        )
        demand(_is_part((0, 0), before), "a mark is not one of its endpoint")
        demand(_is_part(before, newest), "a mark is not one of its endpoint")
        demand(_is_part(newest, now), "a mark is not one of its endpoint")
        demand(before[0] < newest[0] or not newest[0], "two marks of an endpoint are the same")


def _is_part(then: tuple[int, ...], now: tuple[int, ...]) -> bool:
    """Can requests and failures become others, by requests of which some fail?"""
    return 0 <= now[1] - then[1] <= now[0] - then[0]


def _check_buckets(series: SeriesState) -> tuple[list[int], list[int]]:
    """Check the finished buckets; return the sums of their requests and failures by slot."""
    endpoints = len(series.current_index)
    slots, min_slis = series.bucket_slot, series.bucket_min_sli
    slots_known = all(0 <= slot < endpoints for slot in slots)
    demand(slots_known, "a bucket is of no endpoint")
    demand(all(0 <= sli <= 1 for sli in min_slis), "the lowest SLI is not from 0 to 1")
    latest, requests, failures = [0] * endpoints, [0] * endpoints, [0] * endpoints
    columns = slots, series.bucket_index, series.bucket_requests, series.bucket_failures
    for slot, index, counted, failed in zip(*columns, strict=True):
        demand(latest[slot] <= index, "the buckets of an endpoint are not in order of time")
        demand(0 <= failed <= counted > 0, _MORE_FAILURES)
        latest[slot] = index
        requests[slot] += counted
        failures[slot] += failed
    in_time = all(map(le, latest, series.current_index))
    demand(in_time, "a bucket is after the newest one of its endpoint")
    return requests, failures


def _is_increasing(numbers: Sequence[int]) -> bool:
    return all(map(lt, numbers, numbers[1:]))
