"""The truth about an incident: which source of failures opened it, and what ended it."""

from __future__ import annotations

from tests.worlds.recording import BACKGROUND, STEPS, Recording
from tests.worlds.truth import NOTHING, UNDECIDED, Truth, explain
from tests.worlds.world import EPOCH, Endpoint, Fault, Kind, World

ENDPOINT = Endpoint("shop", "/", slo=0.9, window=10, rate=1)
FIRST = Fault(Kind.AT_ONCE, frozenset("/"), ((20, 40),), 0.5, cause="bad", fix="good")
SECOND = Fault(Kind.AT_ONCE, frozenset("/"), ((20, 40),), 0.5, cause="worse")


def record(failures: dict[int, int]) -> Recording:
    """A request each second until 100; some seconds have a failure from a source."""
    recording = Recording(World(100, (ENDPOINT,), (), (FIRST, SECOND)))
    traffic = recording.traffic["/"]
    traffic.requests[:] = range(0, 100 * STEPS, STEPS)
    traffic.failures[:] = [second * STEPS for second in failures]
    traffic.sources[:] = failures.values()
    return recording


def ask(failures: dict[int, int], start: int, end: int | None = None) -> Truth:
    return explain(record(failures), "/", EPOCH + start, None if end is None else EPOCH + end)


def test_the_only_source_in_the_window_opened_the_incident() -> None:
    failures = {22: 0, 24: 0}

    assert ask(failures, 24) == Truth("bad", None, FIRST, 0)
    assert ask(failures, 24, 45) == Truth("bad", "good", FIRST, 0)


def test_an_incident_of_background_failures_has_no_cause_and_ended_by_itself() -> None:
    failures = {22: BACKGROUND, 24: BACKGROUND}

    assert ask(failures, 24, 34) == Truth(NOTHING, NOTHING)
    assert ask(failures, 24) == Truth(NOTHING, None)


def test_a_source_that_the_breach_does_not_need_is_not_the_cause() -> None:
    failures = {21: BACKGROUND, 22: 0, 23: 0}

    assert ask(failures, 23).cause == "bad"


def test_a_fault_that_completes_the_background_is_the_cause() -> None:
    failures = {21: BACKGROUND, 22: 0}

    assert ask(failures, 22).cause == "bad"


def test_a_fault_that_adds_to_a_breach_of_the_background_leaves_it_undecided() -> None:
    failures = {20: BACKGROUND, 21: BACKGROUND, 22: 0, 23: 0}

    assert ask(failures, 23) == UNDECIDED


def test_two_faults_leave_it_undecided() -> None:
    failures = {21: 0, 22: 1}

    assert ask(failures, 22) == UNDECIDED


def test_failures_older_than_the_window_do_not_count() -> None:
    failures = {12: BACKGROUND, 21: 0, 22: 0}

    assert ask(failures, 22).cause == "bad"


def test_an_incident_that_another_source_keeps_open_is_undecided() -> None:
    failures = {21: BACKGROUND, 22: BACKGROUND, 25: 0, 26: 0, 27: 0}

    assert ask(failures, 22, 38) == UNDECIDED


def test_an_incident_that_ended_before_its_fault_ended_by_itself() -> None:
    assert ask({22: 0, 24: 0}, 24, 36).fix == NOTHING


def test_a_fault_that_nobody_repaired_ended_by_itself() -> None:
    assert ask({22: 1, 24: 1}, 24, 50).fix == NOTHING


def test_a_fix_just_before_the_incident_would_have_ended_is_undecided() -> None:
    failures = {22: 0, 24: 0}

    assert ask(failures, 24, 41).fix is None
    assert ask(failures, 24, 42).fix == "good"
