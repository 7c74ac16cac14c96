"""Which changes may have done it is a matter of where they stand in the stream."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from slomon.core.events import EVERY_SERVICE, Change, Placed
from slomon.core.incident import ChangeLog

SERVICES = ["shop", "cart", EVERY_SERVICE]
# A stream, of which each event is a change of a service, or of all, or something else.
STREAMS = st.lists(st.sampled_from([*SERVICES, None]), max_size=40)


def placed(position: int, service: str) -> Placed:
    change = Change(f"c{position}", "<ana@example.com>", "2018-11-28", service)
    return Placed(position, 10 * position, change)


def recorded(stream: Sequence[str | None]) -> ChangeLog:
    log = ChangeLog()
    for position, service in enumerate(stream):
        if service is not None:
            log.record(placed(position, service))
    return log


def listed(log: ChangeLog, service: str, since: int) -> list[int]:
    suspects, _ = log.list_suspects(service, since)
    return [suspect.position for suspect in suspects]


@given(STREAMS, st.sampled_from(SERVICES))
def test_the_suspects_are_the_last_change_before_a_position_and_all_since_then(
    stream: list[str | None], service: str
) -> None:
    log = recorded(stream)
    own = [at for at, changed in enumerate(stream) if changed in (service, EVERY_SERVICE)]
    for since in range(len(stream) + 1):
        before = [at for at in own if at < since][-1:]
        expected = before + [at for at in own if at >= since]
        suspects, earlier = log.list_suspects(service, since)
        assert [*suspects] == [placed(at, stream[at] or "") for at in expected[-10:]]
        assert earlier == len(expected[:-10])


def test_a_service_that_never_changed_has_no_suspects() -> None:
    assert ChangeLog().list_suspects("shop", 5) == ((), 0)


def test_a_change_at_the_very_position_came_after_it() -> None:
    log = recorded(["shop", None, "shop"])
    assert listed(log, "shop", 2) == [0, 2]
    assert listed(log, "shop", 3) == [2]


def test_of_many_changes_the_newest_hundred_are_remembered() -> None:
    log = recorded(["shop"] * 250 + ["cart"])
    assert [change.position for change in log] == [*range(150, 250), 250]
    assert log.list_suspects("shop", 0) == (
        tuple(placed(at, "shop") for at in range(240, 250)),
        90,
    )
