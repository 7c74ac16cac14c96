from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from slomon.core.incident import Incident
from slomon.pipeline.collector import Collector
from slomon.pipeline.stream import Listener
from tests.core.builders import make_endpoint
from tests.incidents import make_incident

ENDPOINT = make_endpoint("api", window=10**9)
EARLY, LATE = (make_incident(ENDPOINT, position, position) for position in (3, 8))
CLOSED = replace(EARLY, end=9, end_position=9)


class Diary(Listener):
    def __init__(self) -> None:
        self.entries: list[Incident] = []

    def incident_moved(self, incident: Incident) -> None:
        self.entries.append(incident)


async def test_a_closed_incident_takes_the_place_of_the_open_one_and_all_listeners_are_told() -> (
    None
):
    diaries = Diary(), Diary()
    collector = Collector(diaries)
    send, moved = anyio.create_memory_object_stream[list[Incident]](9)
    with send:
        for incidents in ([LATE], [EARLY, CLOSED]):
            send.send_nowait(incidents)
    await collector.collect(moved)
    assert collector.incidents == {3: CLOSED, 8: LATE}
    assert [diary.entries for diary in diaries] == [[LATE, EARLY, CLOSED]] * 2
    with pytest.raises(anyio.ClosedResourceError):
        moved.receive_nowait()
