"""The state of a replay as sections of a file, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple
from typing import Any, Protocol, TypeAlias

from slomon.core.endpoint import Endpoint
from slomon.core.event import Change
from slomon.core.incident import Incident
from slomon.core.order import Clock, Order
from slomon.core.shard import Shard
from slomon.core.window import WindowState
from slomon.endpoints.requests import Names, SavedNames
from slomon.replaying.careful import CarefulReader
from slomon.replaying.host import Host
from slomon.replaying.log import Log, Place
from slomon.state_file import Section

Sections: TypeAlias = Iterator[tuple[str, Section]]

Saved: TypeAlias = Mapping[str, Any]


class Remake(Protocol):
    """Makes a log of a name again, in the format of a name."""

    def __call__(self, name: str, form: str, *, exact: bool) -> Log: ...


def save_order(order: Order) -> Sections:
    """The reordering buffer, and the changes in it."""
    yield "went out", [order.position, order.accesses, order.unmatched]
    yield "came in", [order.noted, order.blank]
    yield "clocks", [asdict(clock) for clock in order.clocks]
    yield (
        "changes on their way",
        [[code, *astuple(change)] for code, change in order.changes.items()],
    )
    yield "rows", order.save_rows()


def load_order(order: Order, saved: Saved) -> None:
    """What `save_order` saved."""
    order.position, order.accesses, order.unmatched = saved["went out"]
    order.noted, order.blank = saved["came in"]
    order.clocks = [Clock(**clock) for clock in saved["clocks"]]
    order.changes = {code: Change(*fields) for code, *fields in saved["changes on their way"]}
    order.load_rows(saved["rows"])


def save_shard(number: int, shard: Shard) -> Sections:
    """The windows of a shard, a section a column; its changes and open incidents."""
    for name, column in shard.windows.columns():
        yield f"shard {number} {name}", column
    changes = [[position, *astuple(change)] for position, change in shard.changes.newest()]
    yield f"shard {number} changes", changes
    yield f"shard {number} open slots", list(shard.open)
    yield f"shard {number} open", pack_incidents(shard.open.values())


def load_shard(number: int, shard: Shard, saved: Saved) -> None:
    """What `save_shard` saved, but for the windows: those are made of `window_state`."""
    for position, *fields in saved[f"shard {number} changes"]:
        shard.changes.record(position, Change(*fields))
    slots = saved[f"shard {number} open slots"]
    incidents = unpack_incidents(saved[f"shard {number} open"])
    shard.open = dict(zip(slots, incidents, strict=True))


def window_state(number: int, saved: Saved) -> WindowState:
    """The state of a shard's windows, as arrays."""
    return WindowState._make(saved[f"shard {number} {name}"] for name in WindowState._fields)


def save_names(names: Names) -> Sections:
    """The endpoints that the logs show, one after the other."""
    for name, section in names.save()._asdict().items():
        yield f"names' {name}", section


def load_names(names: Names, saved: Saved) -> None:
    """What `save_names` saved."""
    names.load(SavedNames(**{name: saved[f"names' {name}"] for name in SavedNames._fields}))


def save_hosts(hosts: Sequence[Host]) -> Sections:
    """How far each host was read, and what is known of the log that it is in."""
    yield "hosts", [_save_host(host) for host in hosts]


def load_hosts(hosts: Sequence[Host], saved: Saved, remake: Remake) -> None:
    """What `save_hosts` saved; `remake` makes a log of its name, format and what else it has."""
    for host, fields in zip(hosts, saved["hosts"], strict=True):
        host.place = Place(*fields["place"])
        host.lines, host.bytes_before = fields["lines"], fields["bytes before"]
        host.known_problems.update(fields["problems"])
        if fields["log"] is not None:
            name, form, exact, prefix, recognised, ended = fields["log"]
            host.log = remake(name, form, exact=exact)
            host.log.prefix = prefix.encode()
            host.log.recognised, host.log.ended = recognised, ended
            host.log.beginning = bytes.fromhex(fields["beginning"])


def _save_host(host: Host) -> dict[str, Any]:
    log = host.log
    return {
        "place": astuple(host.place),
        "lines": host.lines,
        "bytes before": host.bytes_before,
        "beginning": log.beginning.hex() if log else "",
        "problems": [
            # those of later logs, of which some were read ahead, are met again
            item
            for item in host.known_problems.items()
            if item[0] < host.place.file
        ],
        "log": log
        and [log.name, log.format.name, log.exact, log.prefix.decode(), log.recognised, log.ended],
    }


def save_counts(careful: CarefulReader) -> Sections:
    """What became of the lines that made no row."""
    yield "counts", [careful.changes, careful.rejected]


def load_counts(careful: CarefulReader, saved: Saved) -> None:
    """What `save_counts` saved."""
    careful.changes, careful.rejected = saved["counts"]


def pack_incidents(incidents: Iterable[Incident]) -> dict[str, Section]:
    """Incidents, with the endpoints and changes that they share once each."""
    endpoints: dict[Endpoint, int] = {}
    changes: dict[Change | None, int] = {}
    rows = [
        [
            endpoints.setdefault(incident.endpoint, len(endpoints)),
            incident.start,
            incident.start_position,
            changes.setdefault(incident.broken_by, len(changes)),
            incident.end,
            incident.end_position,
            changes.setdefault(incident.fixed_by, len(changes)),
        ]
        for incident in incidents
    ]
    return {
        "endpoints": [astuple(endpoint) for endpoint in endpoints],
        "changes": [change and astuple(change) for change in changes],
        "incidents": rows,
    }


def unpack_incidents(packed: Saved) -> list[Incident]:
    """What `pack_incidents` packed."""
    endpoints = [Endpoint(*fields) for fields in packed["endpoints"]]
    changes = [fields and Change(*fields) for fields in packed["changes"]]
    return [
        Incident(endpoints[endpoint], start, at, changes[broken], end, end_at, changes[fixed])
        for endpoint, start, at, broken, end, end_at, fixed in packed["incidents"]
    ]
