"""The state of a replay as sections of a file, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple
from typing import Any, Protocol

from slomon.core.batching import Span
from slomon.core.events import Change
from slomon.core.reorder import Clock, Order
from slomon.endpoints.discovery import Names, SavedNames
from slomon.replaying.careful import CarefulReader
from slomon.replaying.host import Host
from slomon.replaying.log import Log, Place
from slomon.state.encoding import Saved, Sections, check_lengths, pack_placed, unpack_placed


class Remake(Protocol):
    """Makes a log of a name again, in the format of a name."""

    def __call__(self, name: str, form: str, *, exact: bool) -> Log: ...


def save_order(order: Order) -> Sections:
    """The reordering buffer, and the changes in it."""
    yield "went out", [order.position, order.accesses, order.unmatched]
    yield "came in", [order.noted, order.blank, order.watched_until]
    yield "span", astuple(order.span)
    yield "deploys", [pack_placed(placed) for placed in order.deploys]
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
    order.span = Span(*saved["span"])
    order.deploys = [unpack_placed(fields) for fields in saved["deploys"]]
    order.clocks = [Clock(**clock) for clock in saved["clocks"]]
    order.changes = {code: Change(*fields) for code, *fields in saved["changes on their way"]}
    rows = saved["rows"]
    check_lengths([rows], len(rows))
    order.load_rows(rows)


def save_names(names: Names) -> Sections:
    """The endpoints that the logs show, one after the other."""
    for name, section in names.save()._asdict().items():
        yield f"names' {name}", section


def load_names(names: Names, saved: Saved) -> None:
    """What `save_names` saved."""
    found = SavedNames(**{name: saved[f"names' {name}"] for name in SavedNames._fields})
    check_lengths([found.lengths, found.admitted], len(found.lengths))
    check_lengths([found.texts], sum(found.lengths))
    names.load(found)


def save_hosts(hosts: Sequence[Host]) -> Sections:
    """How far each host was read, and what is known of the log that it is in."""
    yield "hosts", [_save_host(host) for host in hosts]


def load_hosts(hosts: Sequence[Host], saved: Saved, remake: Remake) -> None:
    """What `save_hosts` saved; `remake` makes a log of its name, format and what else it has."""
    for host, fields in zip(hosts, saved["hosts"], strict=True):
        host.place, host.ended = Place(*fields["place"]), fields["ended"]
        host.lines, host.bytes_before = fields["lines"], fields["bytes before"]
        host.known_problems.update(fields["problems"])
        if fields["log"] is not None:
            name, form, exact, prefix, recognised, ended, doubt = fields["log"]
            host.log = remake(name, form, exact=exact)
            host.log.prefix = prefix.encode()
            host.log.recognised, host.log.ended, host.log.doubt = recognised, ended, doubt
            host.log.beginning = bytes.fromhex(fields["beginning"])


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
        and [
            *(log.name, log.format.name, log.exact, log.prefix.decode()),
            *(log.recognised, log.ended, log.doubt),
        ],
    }


def save_counts(careful: CarefulReader) -> Sections:
    """What became of the lines that made no row."""
    yield "counts", [careful.changes, careful.rejected]


def load_counts(careful: CarefulReader, saved: Saved) -> None:
    """What `save_counts` saved."""
    careful.changes, careful.rejected = saved["counts"]
