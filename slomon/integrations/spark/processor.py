"""The stateful processor of a watch: Spark calls it with the packed rows of one shard."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from typing import Any, Final

import pandas as pd
import pyarrow as pa
from pyspark.sql.streaming import StatefulProcessor

from slomon.core.incident import Incident
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.integrations.spark.counting import Place, PlacedChange
from slomon.integrations.spark.packing import ACCESSES, CHANGES, Shards, read_accesses
from slomon.integrations.spark.shard_stream import ShardStream
from slomon.integrations.spark.tasks import BackendChoice
from slomon.log_replay.plan import Plan
from slomon.state.encoding import pack_incidents

STATE: Final = "shard"
"""The name of the state of a shard in the checkpoint."""

OUTPUT: Final = (
    "shard int, position long, state string, service string, verb string, resource string, "
    "start timestamp, end timestamp, incident string"
)
"""
The columns of the output. `shard` and `position` identify an incident; `incident` is all that is
known of it, for `read_spark`.
"""

_TICKS_PER_MILLISECOND: Final = TICKS_PER_SECOND // 1000


class ShardProcessor(StatefulProcessor):  # type: ignore[misc] # Spark's classes are not typed here
    """Feeds the packed rows of a shard to its `ShardStream`, and emits incidents."""

    def __init__(self, plan: Plan, shards: Shards, backend: BackendChoice, identity: str) -> None:
        self._plan = plan
        self._shards = shards
        self._backend = backend
        self._identity = identity

    def init(self, handle: Any) -> None:
        """Called by Spark at the beginning of each micro-batch."""
        self._handle = handle
        self._state = handle.getValueState(STATE, "blob binary")

    def handleInputRows(  # noqa: N802 (Spark's name)
        self,
        key: tuple[int],
        rows: Iterator[pd.DataFrame],
        timerValues: Any,  # noqa: N803
    ) -> Iterator[pd.DataFrame]:
        """Add the rows of a micro-batch, and count what is final."""
        stream = self._load(key[0])
        for frame in rows:
            for kind, blob in zip(frame["kind"], frame["blob"], strict=True):
                if kind == ACCESSES:
                    stream.add(read_accesses(1, pa.py_buffer(blob)))
                elif kind == CHANGES:
                    stream.add_changes(pickle.loads(blob))  # noqa: S301 (by a task of this query)
                else:
                    stream.summary.merge(pickle.loads(blob))  # noqa: S301
        yield from self._release(key[0], stream, timerValues)

    def handleExpiredTimer(  # noqa: N802
        self,
        key: tuple[int],
        timerValues: Any,  # noqa: N803
        expiredTimerInfo: Any,  # noqa: N803, ARG002
    ) -> Iterator[pd.DataFrame]:
        """Count what is final, if there are no new rows."""
        yield from self._release(key[0], self._load(key[0]), timerValues)

    def close(self) -> None:
        """Called by Spark at the end of each micro-batch."""

    def _load(self, shard: int) -> ShardStream:
        saved = bytes(self._state.get()[0]) if self._state.exists() else None
        stream = ShardStream(
            *(self._plan, self._shards, self._backend.load(), shard),
            identity=self._identity,
            saved=saved,
        )
        known = {(one.tick, one.change) for one in stream.deploys}
        known |= {(one.tick, one.change) for one in stream.changes}
        stream.add_changes(
            [
                PlacedChange(Place(tick, 0, rank), tick, change)
                for rank, (tick, change) in enumerate(self._plan.changes)
                if (tick, change) not in known
            ]
        )
        return stream

    def _release(self, shard: int, stream: ShardStream, timers: Any) -> Iterator[pd.DataFrame]:
        updated = stream.release(timers.getCurrentWatermarkInMs() * _TICKS_PER_MILLISECOND)
        self._state.update((stream.save(),))
        if (until := stream.waits_until) is not None:
            self._handle.registerTimer(until // _TICKS_PER_MILLISECOND + 1)
        if updated:
            yield pd.DataFrame([_make_row(shard, one) for one in updated])


def _make_row(shard: int, incident: Incident) -> dict[str, object]:
    endpoint = incident.endpoint
    return {
        "shard": shard,
        "position": incident.start_position,
        "state": str(incident.state),
        "service": endpoint.name,
        "verb": endpoint.verb,
        "resource": endpoint.resource,
        "start": pd.Timestamp(incident.start // 1000, unit="us"),
        "end": pd.NaT if incident.end is None else pd.Timestamp(incident.end // 1000, unit="us"),
        "incident": json.dumps(pack_incidents([incident])),
    }
