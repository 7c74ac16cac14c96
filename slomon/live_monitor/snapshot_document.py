"""
A snapshot as a JSON document, by which the process that counts answers for the others of its group.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import asdict, astuple
from typing import Any

from slomon.core.batching import TimeRange
from slomon.core.endpoints import Endpoint
from slomon.core.events import Rejection
from slomon.core.sli_series import Buckets
from slomon.core.statistics import Counts
from slomon.core.totals import Totals
from slomon.live_monitor.durations import Durations
from slomon.live_monitor.incident_history import Tally
from slomon.live_monitor.snapshot import LiveAccounting, SnapshotData
from slomon.state.encoding import pack_change, pack_incidents, unpack_change, unpack_incidents


def pack_snapshot(data: SnapshotData) -> dict[str, Any]:
    """The document of a snapshot."""
    totals = data.totals
    return {
        "now": data.now,
        "incidents": pack_incidents(data.incidents),
        "accounting": asdict(data.accounting),
        "rejections": [astuple(rejection) for rejection in data.rejections],
        "totals": {
            "endpoints": [  # astuple() takes twenty times as long, here and below
                [one.name, one.email, one.verb, one.resource, one.slo, one.window]
                for one in totals.endpoints
            ],
            "requests": list(totals.requests),
            "failures": list(totals.failures),
            "deploys": [pack_change(deploy) for deploy in totals.deploys],
            "span": astuple(totals.span),
            "buckets": [[column.tolist() for column in buckets] for buckets in totals.buckets],
            "step": totals.step,
        },
        "windows": [[counts.requests, counts.failures] for counts in data.windows],
        "tallies": [list(tally) for tally in data.tallies],
        "services": list(data.services.items()),
        "repairs": [data.repaired, data.ticks],
        "forgotten": data.forgotten,
        "durations": [
            None if took is None else [took.requests, took.seconds, took.counts]
            for took in data.durations
        ],
    }


def unpack_snapshot(document: Mapping[str, Any]) -> SnapshotData:
    """What `pack_snapshot` packed. Raises ValueError, LookupError or TypeError if it is invalid."""
    totals = document["totals"]
    repaired, ticks = document["repairs"]
    return SnapshotData(
        document["now"],
        unpack_incidents(document["incidents"]),
        LiveAccounting(**document["accounting"]),
        [Rejection(*fields) for fields in document["rejections"]],
        Totals(
            [Endpoint(*fields) for fields in totals["endpoints"]],
            array("q", totals["requests"]),
            array("q", totals["failures"]),
            [unpack_change(fields) for fields in totals["deploys"]],
            TimeRange(*totals["span"]),
            [_unpack_buckets(columns) for columns in totals["buckets"]],
            totals["step"],
        ),
        [Counts(*fields) for fields in document["windows"]],
        [Tally(*fields) for fields in document["tallies"]],
        dict(document["services"]),
        repaired,
        ticks,
        document["forgotten"],
        [None if took is None else Durations(*took) for took in document["durations"]],
    )


def _unpack_buckets(columns: list[list[Any]]) -> Buckets:
    *counts, lowest = columns
    end, start, requests, failures = (array("q", column) for column in counts)
    return Buckets(end, start, requests, failures, array("d", lowest))
