"""The state of a live monitor."""

from __future__ import annotations

import gc
import sys

import pytest

from slomon.core.batching import Batch
from slomon.core.endpoints import Endpoint
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.core.windows import Windows
from slomon.live_monitor.endpoints import LiveEndpoints
from slomon.live_monitor.live_state import LiveState
from slomon.live_monitor.restoration import restore
from tests.live_monitor.services import USERS, make_engine

MEMBERS = [Endpoint("users", "-", "GET", "/users", 0.9, 1000 * TICKS_PER_SECOND)]


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="others collect differently")
def test_collecting_garbage_takes_no_longer_if_there_are_many_requests_in_windows() -> None:
    state = LiveState.begin(MEMBERS, Windows(MEMBERS), 10)
    saved = dict(make_engine(USERS).save())
    for one in (state, restore(saved, [], LiveEndpoints(MEMBERS), Windows(MEMBERS), 10).state):
        numbers = list(range(1000))
        one.advance(Batch([0] * 1000, numbers, [0] * 1000, numbers, []))
        assert not [column for column in one.windows.state if gc.is_tracked(column)]
