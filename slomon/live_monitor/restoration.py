"""
Restoring the state of a live monitor: the saved state, checked, and then the inputs of its journal.
The endpoints and the options may have changed meanwhile. What was reported before the restart was
reported under the old ones, so these hold for the inputs, and the new ones hold afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple, cast

from slomon.core.batching import StreamState, TimeRange
from slomon.core.endpoints import Endpoint, EndpointName
from slomon.core.events import PositionedChange
from slomon.core.incident import Incident
from slomon.core.shard import Shard
from slomon.core.windows import Windows, carry_marks, carry_over
from slomon.kernels.windows import WindowState
from slomon.live_monitor.endpoints import LiveEndpoints
from slomon.live_monitor.incident_history import History, Tally
from slomon.live_monitor.inputs import (
    Expiry,
    Recorded,
    check_batch,
    make_accounting,
    unpack_input,
    unpack_marks,
)
from slomon.live_monitor.live_state import LiveState, load_parts
from slomon.state.encoding import (
    Saved,
    StreamBounds,
    join_shard,
    series_state,
    unpack_change,
    unpack_incidents,
)
from slomon.state.validation import check_column, check_counts, check_texts, demand
from slomon.text import excerpt


class Restored(NamedTuple):
    """
    A state, the saved endpoints that are no longer watched, and what is wrong with a record of the
    journal, or "": neither it nor those after it were used.
    """

    state: LiveState
    removed: Sequence[str]
    invalid_record: str


def restore(
    saved: Saved, records: Sequence[bytes], endpoints: LiveEndpoints, blank: Windows, bound: int
) -> Restored:
    """
    The state that continues for new endpoints, with the options of blank windows and a history of
    that bound. Endpoints that were found are found again. Raises ValueError, LookupError or
    TypeError if the saved state is invalid.
    """
    then = _load(saved, bound)
    problem = _count_records(then, records)
    members = endpoints.members
    found = endpoints.find_again(then.shard.members)
    if found:
        blank.grow(found, members[-1])
    slots = {_name(one): slot for slot, one in enumerate(members)}
    known = [_name(one) for one in then.shard.members]
    places = {old: slots[name] for old, name in enumerate(known) if name in slots}
    removed = [" ".join(name) for name in known if name not in slots]
    return Restored(_carry(then, members, blank, places), removed, problem)


def _load(saved: Saved, bound: int) -> LiveState:
    """The state as it was saved, with the endpoints and the options of then."""
    stream, closed_until = _load_stream(saved), saved["told until"]
    resolution = saved["resolution"]
    check_counts([closed_until, resolution])
    newest = max(stream.span.ended, closed_until)
    incidents = [one for part in load_parts("incidents", saved) for one in unpack_incidents(part)]
    still_open = [one for one in incidents if one.end is None]
    open_incidents = {one.key: one for one in still_open}
    demand(len(open_incidents) == len(still_open), "an endpoint has two open incidents")
    bounds = StreamBounds(stream.accounting.events, newest)
    state = join_shard(0, saved, bounds, _load_changes("changes", saved), open_incidents)
    members = _load_endpoints(saved, state.windows)
    series = None
    if "shard 0 series current_index" in saved:
        series = series_state(0, saved, state.windows, since_beginning=False)
    windows = Windows.from_state(state.windows, state.marks, series, resolution=resolution)
    shard = Shard(members, windows, changes=state.changes, open_incidents=state.open)
    _check_history(saved, incidents, members)
    keys = {slot: slot for slot in range(len(members))}
    history = History.restore(saved, incidents, keys, endpoints=len(members), bound=bound)
    senders = unpack_marks(saved["senders"])
    loaded = LiveState(stream, windows, shard, history, closed_until=closed_until, senders=senders)
    check_counts(saved["recorded"])
    loaded.recorded = Recorded(*saved["recorded"])
    return loaded


def _count_records(state: LiveState, records: Sequence[bytes]) -> str:
    """Count the inputs of a journal. Return what is wrong with the first one that is invalid."""
    if records:  # integers of any size, as everywhere in Python: no wrong number overflows
        columns = cast(tuple[Sequence[int], ...], state.windows.state)
        state.windows.state = WindowState._make(list(column) for column in columns)
    for number, record in enumerate(records, 1):
        try:
            _count(state, record)
        except (LookupError, TypeError, ValueError, RecursionError) as error:
            return f"record {number} is invalid: {type(error).__name__}: {excerpt(str(error))}"
    return ""


def _count(state: LiveState, record: bytes) -> None:
    """Count one input, unless the state has it already."""
    one, stream = unpack_input(record), state.stream
    events = stream.accounting.events
    demand(one.before <= events, "there are events missing before it")
    if one.before < events:
        return
    if isinstance(one, Expiry):
        state.close_expired(one.now)
        return
    members = cast(list[Endpoint], state.shard.members.endpoints)
    check_batch(one, stream, len(members) + len(one.found))
    if one.found:
        names = set(map(_name, [*members, *one.found]))
        demand(len(names) == len(members) + len(one.found), "an endpoint is there twice")
        members += one.found
    stream.accounting = make_accounting(one.accounting)
    stream.span = TimeRange(one.began, one.ended)
    stream.newest = one.newest
    stream.deploys += one.batch.changes
    state.advance(one.batch)
    state.note_senders(one.senders)
    state.recorded = one.recorded


def _carry(
    then: LiveState, members: Sequence[Endpoint], blank: Windows, places: Mapping[int, int]
) -> LiveState:
    """The state of new endpoints. `places` maps the old slot of an endpoint to its new slot."""
    open_incidents = {
        places[slot]: replace(incident, key=places[slot])
        for slot, incident in then.shard.open.items()
        if slot in places
    }
    windows = _carry_windows(then.windows, members, blank, places)
    shard = Shard(members, windows, changes=then.shard.changes, open_incidents=open_incidents)
    history = History.restore(
        *(then.history.save(), then.history.incidents.values(), places),
        endpoints=len(members),
        bound=then.history.bound,
    )
    carried = LiveState(
        *(then.stream, windows, shard, history),
        closed_until=then.closed_until,
        senders=then.senders,
    )
    carried.recorded = then.recorded
    return carried


def _carry_windows(
    then: Windows, members: Sequence[Endpoint], blank: Windows, places: Mapping[int, int]
) -> Windows:
    """Windows that continue from the old ones, with the options of blank ones."""
    carried = carry_over(then.state, members, places)._replace(
        min_requests=blank.state.min_requests, no_traffic=blank.state.no_traffic
    )
    marks = carry_marks(then.marks, len(members), places)
    windows = Windows.from_state(carried, marks, resolution=blank.resolution)
    if blank.series is None:
        return windows
    if then.series is not None and _are_unchanged(places, then.count, len(members)):
        series = then.series.state
    else:  # of other endpoints, or none was recorded: the series begin now
        requests, failures = windows.totals()
        series = blank.series.state._replace(past_requests=requests, past_failures=failures)
    return Windows.from_state(carried, marks, series, resolution=blank.resolution)


def _are_unchanged(places: Mapping[int, int], then: int, now: int) -> bool:
    """Are the saved endpoints the present ones, in the same slots?"""
    return then == now == len(places) and all(old == new for old, new in places.items())


def _name(endpoint: Endpoint) -> EndpointName:
    return endpoint.name, endpoint.verb, endpoint.resource


def _load_stream(saved: Saved) -> StreamState:
    counts, newest, span = saved["accounting"], saved["newest"], saved["span"]
    check_counts([*counts, newest, *(tick for tick in span if tick is not None)])
    events, accesses, changes, unmatched, rejected = counts
    demand(events == accesses + changes + unmatched + rejected, "an event is missing")
    began, ended = span
    demand((began is not None) == (accesses > 0), "the time range is not that of accesses")
    demand(ended <= newest, "the time range ends after the newest access")
    return StreamState(
        accounting=make_accounting(counts),
        deploys=_load_changes("deploys", saved),
        span=TimeRange(*span),
        newest=newest,
    )


def _load_changes(name: str, saved: Saved) -> list[PositionedChange]:
    return [unpack_change(fields) for part in load_parts(name, saved) for fields in part]


def _load_endpoints(saved: Saved, windows: WindowState) -> list[Endpoint]:
    """The saved endpoints, with their SLOs and windows."""
    names: list[list[str]] = list(chain.from_iterable(load_parts("endpoints", saved)))
    check_texts(chain.from_iterable(names))
    demand(all(len(name) == 4 for name in names), "the name of an endpoint is not one")
    demand(len(names) == len(windows.width), "the windows are of other endpoints")
    demand(all(0 < slo <= 1 for slo in windows.slo), "the SLO of an endpoint is not one")
    members = [
        Endpoint(name, email, verb, resource, slo, width)
        for (name, email, verb, resource), slo, width in zip(
            names, windows.slo, windows.width, strict=True
        )
    ]
    demand(len({_name(one) for one in members}) == len(members), "an endpoint is there twice")
    return members


def _check_history(
    saved: Saved, incidents: Sequence[Incident], members: Sequence[Endpoint]
) -> None:
    """Raise ValueError if a saved history can't be that of the endpoints."""
    history = saved["history"]
    check_counts([history["forgotten"], *history["repairs"]])
    check_counts(count for _, count in history["services"])
    check_texts(service for service, _ in history["services"])
    for name in Tally._fields:
        check_column(saved[f"history {name}"], "q", len(members))
        check_counts(saved[f"history {name}"])
    for one in incidents:
        known = one.key < len(members) and _name(one.endpoint) == _name(members[one.key])
        demand(known, "an incident is of no endpoint")
    starts = {one.start_position for one in incidents}
    demand(len(starts) == len(incidents), "two incidents begin at the same position")
