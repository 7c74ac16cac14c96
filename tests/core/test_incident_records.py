"""Incident records equal those of a brute-force count over the raw events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.core.attribution import Attribution, Candidate, Verdict
from slomon.core.batching import Batcher
from slomon.core.endpoints import Sharding
from slomon.core.events import Accounting
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.shard import Shard
from slomon.core.statistics import Counts, compare
from slomon.core.statuses import server_errors_fail
from slomon.core.totals import add_up
from tests.core.builders import make_endpoint
from tests.core.runs import CATALOGUE, RESOURCES, SECOND, SLO, WINDOW, Asked, Event, ask, run
from tests.incidents import make_incident
from tests.onsets import find_onsets


def records(
    events: Sequence[Event], workers: int = 1, cut: int = 7, no_traffic: int | None = None
) -> list[IncidentRecord]:
    """The records of a run over events."""
    return run(events, workers, cut, no_traffic).records(stale_after=20)


@dataclass
class Seen:
    """A request at its position; it counts at the newest time of its endpoint."""

    position: int
    clock: int
    failed: bool


def brute_force(
    events: Sequence[Event], path: str, no_traffic: int | None
) -> list[dict[str, object]]:
    """The expected records of an endpoint's incidents, each window counted anew."""
    seen: list[Seen] = []
    found: list[dict[str, object]] = []
    silent_from = math.inf
    since = 0  # the request after which an incident last ended
    for position, event in enumerate(events):
        if isinstance(event, str) or event.path != path:
            continue
        clock = max([event.at, *(one.clock for one in seen)])
        if found and found[-1]["end"] is None and clock >= silent_from:
            found[-1] |= {"end": silent_from, "state": State.EXPIRED}
            found[-1]["recovery"] = onsets(seen, since)[1]
            since = len(seen)
        silent_from = math.inf if no_traffic is None else clock + max(WINDOW, no_traffic)
        seen.append(Seen(position, clock, event.failed))
        inside = [one for one in seen if clock - WINDOW < one.clock]
        sli = sum(not one.failed for one in inside) / len(inside)
        is_open = bool(found) and found[-1]["end"] is None
        if is_open:
            follow(found[-1], seen[-1], sli)
        if sli < SLO and not is_open:
            found.append(
                {
                    "start": clock,
                    "end": None,
                    "state": State.OPEN,
                    "onset": onsets(seen, since)[0],
                    "recovery": None,
                    "requests": 1,
                    "failures": int(event.failed),
                    "last_failure": [one.clock for one in seen if one.failed][-1],
                    "min_sli": sli,
                    "min_sli_at": clock,
                    "fix": None,
                    "break": newest_change(events, RESOURCES[path], position),
                    "stretches": stretches(events, RESOURCES[path], seen),
                    "opened": position,
                }
            )
        elif sli >= SLO and is_open:
            found[-1] |= {"end": clock, "state": State.CLOSED}
            found[-1]["fix"] = newest_change(events, RESOURCES[path], position)
            found[-1]["recovery"] = onsets(seen, since)[1]
            since = len(seen)
            found[-1]["stretches at the end"] = stretches(events, RESOURCES[path], seen)
    newest = max((event.at for event in events if isinstance(event, Asked)), default=0)
    if found and found[-1]["end"] is None and newest >= silent_from:
        found[-1] |= {"end": silent_from, "state": State.EXPIRED}
        found[-1]["recovery"] = onsets(seen, since)[1]
    return found


def onsets(seen: Sequence[Seen], since: int) -> tuple[int, int]:
    """The seconds of the onset and of the recovery, of the requests since an incident ended."""
    accesses = [(one.clock, one.position, int(one.failed)) for one in seen]
    found, recovery = find_onsets(accesses, since, SLO)
    return found[0], recovery


def follow(incident: dict[str, object], now: Seen, sli: float) -> None:
    """Add one request to an open incident."""
    requests, failures = incident["requests"], incident["failures"]
    assert isinstance(requests, int)
    assert isinstance(failures, int)
    incident["requests"], incident["failures"] = requests + 1, failures + now.failed
    if now.failed:
        incident["last_failure"] = now.clock
    lowest = incident["min_sli"]
    assert isinstance(lowest, float)
    if sli < SLO and sli < lowest:
        incident["min_sli"], incident["min_sli_at"] = sli, now.clock


def newest_change(events: Sequence[Event], service: str, until: int) -> str:
    """The commit of the last change of a service before a position."""
    own = [position for position in range(until) if events[position] == service]
    return f"c{own[-1]}" if own else ""


def stretches(events: Sequence[Event], service: str, seen: Sequence[Seen]) -> list[Counts]:
    """The endpoint's requests between the last two changes, and since the last one."""
    until = seen[-1].position
    own = [position for position in range(until) if events[position] == service]
    newest = own[-1] if own else -1
    after = [one for one in seen if one.position > newest]
    earlier = [one for one in seen if one.position < newest]
    if earlier:  # changes between which there was no request are one
        newest = max(at for at in [-1, *own] if at < earlier[-1].position)
    before = [one for one in earlier if one.position > newest]
    return [Counts(len(part), sum(one.failed for one in part)) for part in (before, after)]


requests = st.builds(
    Asked, at=st.integers(0, 40), path=st.sampled_from([*RESOURCES]), failed=st.booleans()
)
streams = st.lists(st.one_of(requests, requests, requests, st.sampled_from(["shop", "cart"])))


@settings(deadline=None)
@given(
    streams.map(
        lambda events: sorted(events, key=lambda one: one.at if isinstance(one, Asked) else 0)
    )
    | streams,
    st.integers(1, 3),
    st.integers(1, 20),
    st.sampled_from([None, 0, 5, 15]),
)
def test_a_record_is_what_a_brute_force_count_says(
    events: list[Event], workers: int, cut: int, no_traffic: int | None
) -> None:
    found = records(events, workers, cut, no_traffic)
    for path in RESOURCES:
        own = [record for record in found if record.resource == path]
        expected = brute_force(events, path, no_traffic)
        assert len(own) == len(expected)
        for record, known in zip(own, expected, strict=True):
            names = "start", "end", "onset", "recovery", "last_failure", "requests", "failures"
            for name in names:
                assert getattr(record, name) == known[name], name
            assert record.state == known["state"]
            assert (record.fixed_by is None) == (record.state != State.CLOSED)
            assert (record.min_sli, record.min_sli_at) == (
                *(known["min_sli"], known["min_sli_at"]),
            )
            assert record.broken_by.commit == known["break"]
            if record.broken_by.evidence:
                evidence = record.broken_by.evidence
                assert [evidence.before, evidence.after] == known["stretches"]
            if record.fixed_by and record.fixed_by.evidence:
                evidence = record.fixed_by.evidence
                assert [evidence.before, evidence.after] == known["stretches at the end"]
            assert (record.fixed_by.commit if record.fixed_by else None) == known["fix"]
            for attribution in (record.broken_by, record.fixed_by or record.broken_by):
                stated = [one.probability for one in attribution.candidates]
                assert min([*stated, attribution.unexplained]) >= 0
                assert math.fsum([*stated, attribution.unexplained]) == pytest.approx(1, abs=1e-5)


# Small streams, with all of their records by hand. A window has 10 s, an SLO is 0.7.


def expected(  # noqa: PLR0917 (in the order in which things happen)
    path: str,
    onset: int,
    start: int,
    end: int | None,
    broken_by: Attribution,
    fixed_by: Attribution | None = None,
    **known: object,
) -> IncidentRecord:
    """A record without its id."""
    fields = {
        "id": "",
        "service": RESOURCES[path],
        "verb": "GET",
        "resource": path,
        "slo": SLO,
        "window": WINDOW,
        "state": State.OPEN if end is None else State.CLOSED,
        "onset": onset,
        "start": start,
        "end": end,
        "duration": None if end is None else end - start,
        "recovery": None if end is None else known["last_failure"],
        "broken_by": broken_by,
        "fixed_by": fixed_by,
    }
    return IncidentRecord(**fields, **known)  # type: ignore[arg-type] # of many types


def put_down(commit: str, age: int, before: tuple[int, int], after: tuple[int, int]) -> Attribution:
    """To a commit of that age, by the requests and failures before it and after it."""
    candidate = Candidate(commit, f"author {commit[1:]}", f"date {commit[1:]}", age)
    return Attribution(Verdict.NONE, (candidate,), 0, compare(Counts(*before), Counts(*after)), 1.0)


def without_probabilities(attribution: Attribution) -> Attribution:
    """Only the newest candidate, and what is counted."""
    candidates = tuple(
        one._replace(delay=0.0, probability=0.0) for one in attribution.candidates[-1:]
    )
    return Attribution(Verdict.NONE, candidates, 0, attribution.evidence, 1.0)


def counted(record: IncidentRecord) -> IncidentRecord:
    """What is counted, without what is estimated."""
    return replace(
        record,
        id="",
        broken_by=without_probabilities(record.broken_by),
        fixed_by=record.fixed_by and without_probabilities(record.fixed_by),
        onset_error=0.0,
        recovery_error=None,
    )


BY_HAND: dict[str, tuple[list[Event], list[IncidentRecord]]] = {
    "nothing broke": ([*ask("/a", "o" * 7), "shop", *ask("/a", "xxx", 7)], []),
    # at      0 1 2 3 4 c5 5 6 c8 7 c10 8 9
    # /a      o o o o o    x x    x     o o
    # SLI at 6 is 5/7, above 0.7; at 7 it is 5/8: it opens. At 8 it is 6/9, at 9 7/10: it closes.
    "two deploys came inside the lag": (
        [
            *ask("/a", "ooooo"),
            "shop",
            *ask("/a", "xx", 5),
            "shop",
            *ask("/a", "x", 7),
            "shop",
            *ask("/a", "oo", 8),
        ],
        [
            expected(
                *("/a", 5, 7, 9),
                # c5 stands behind the request at 4, c8 behind that at 6. Between them 2 of 2
                # failed, since c8 1 of 1.
                put_down("c8", 7 - 6, (2, 2), (1, 1)),
                put_down("c10", 9 - 7, (1, 1), (2, 0)),
                last_failure=7,
                requests=3,  # at 7, 8 and 9
                failures=1,
                min_sli=5 / 8,
                min_sli_at=7,
                burn_rate=1 / 3 / 0.3,  # a third failed where 0.3 may
                error_budget_consumed=1 / (0.3 * 10),  # 3 of the run's 10 requests may
            )
        ],
    ),
    # at      0 1 2 3 4 5 6 c7 7 8 9 10 11
    # /c      o o o o o o o    x x x x  x
    # SLI at 9 is 7/10, not below 0.7; at 10, without the request at 0, it is 6/10: it opens. At 11
    # it is 5/10, and the stream ends.
    "the stream ended before it closed": (
        [*ask("/c", "o" * 7), "cart", *ask("/c", "xxxxx", 7)],
        [
            expected(
                *("/c", 7, 10, None),
                # 0 of 7 failed before c7, and 4 of 4 since, until it opened
                put_down("c7", 10 - 6, (7, 0), (4, 4)),
                last_failure=11,
                requests=2,
                failures=2,
                min_sli=5 / 10,
                min_sli_at=11,
                burn_rate=2 / 2 / 0.3,
                error_budget_consumed=2 / (0.3 * 12),
            )
        ],
    ),
    # at      0 c1 1 2 3 4 5 6
    # /b      o    x o o x o o
    # SLI     1    1/2 2/3 3/4 3/5 4/6 5/7: it opens at 1 and 4, closes at 3 and 6.
    "it flapped under one commit": (
        [*ask("/b", "o"), "shop", *ask("/b", "xooxoo", 1)],
        [
            expected(
                *("/b", 1, 1, 3),
                put_down("c1", 1, (1, 0), (1, 1)),
                put_down("c1", 3, (1, 0), (3, 1)),
                last_failure=1,
                requests=3,
                failures=1,
                min_sli=1 / 2,
                min_sli_at=1,
                burn_rate=1 / 3 / 0.3,
                error_budget_consumed=1 / (0.3 * 7),
            ),
            expected(
                *("/b", 4, 4, 6),
                put_down("c1", 4, (1, 0), (4, 2)),
                put_down("c1", 6, (1, 0), (6, 2)),
                last_failure=4,
                requests=3,
                failures=1,
                min_sli=3 / 5,
                min_sli_at=4,
                burn_rate=1 / 3 / 0.3,
                error_budget_consumed=1 / (0.3 * 7),
            ),
        ],
    ),
    # /a fails once, and 60 s later /c does: a minute apart is together.
    "two services broke together": (
        [*ask("/a", "x", 5), *ask("/c", "x", 65)],
        [
            expected(
                *(path, at, at, None),
                Attribution(Verdict.NONE),
                last_failure=at,
                requests=1,
                failures=1,
                min_sli=0,
                min_sli_at=at,
                burn_rate=1 / 0.3,
                error_budget_consumed=1 / 0.3,
                co_occurring=(other,),
            )
            for path, at, other in (("/a", 5, "cart"), ("/c", 65, "shop"))
        ],
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_records_are_what_they_are_by_hand(name: str) -> None:
    events, found = BY_HAND[name]
    assert [counted(record) for record in records(events)] == found


def test_every_field_of_a_hand_worked_incident() -> None:
    #   at        0123456789 c1 10 11 12 13 14 c4 15 ... 24   window 10, slo 0.7
    #   /a        oooooooooo    o  x  x  x  x      o ... o
    #   at 12 the window (2, 12] has 8 of 10; at 13 it has 7 of 10, which is not below; at 14 it has
    #   6 of 10: opens, with the onset at 11. From 14 on each request pushes a success out until 20,
    #   where 10 is the last one to go: 6 of 10. At 21 the failure of 11 leaves: 7 of 10, it closes.
    events = [
        *ask("/a", "o" * 10),
        "shop",  # position 10
        *ask("/a", "oxxxx", 10),
        "shop",  # position 16
        *ask("/a", "o" * 10, 15),
    ]
    [record] = records(events)
    assert (record.service, record.verb, record.resource) == ("shop", "GET", "/a")
    assert (record.slo, record.window, record.state) == (SLO, WINDOW, State.CLOSED)
    assert (record.start, record.end, record.duration) == (14, 21, 7)
    assert (record.onset, record.last_failure) == (11, 14)
    assert (record.requests, record.failures, record.successes) == (8, 1, 7)
    assert (record.min_sli, record.min_sli_at) == (0.6, 14)
    assert record.burn_rate == pytest.approx((1 / 8) / 0.3)
    assert record.error_budget_consumed == pytest.approx(1 / (0.3 * 25))
    assert record.co_occurring == ()

    broken = record.broken_by
    [candidate] = broken.candidates
    assert (candidate.commit, candidate.author, candidate.date) == ("c10", "author 10", "date 10")
    assert candidate.age == 14 - 9  # it came after the request at 9
    assert (broken.commit, broken.omitted) == ("c10", 0)
    assert candidate.delay == 11 - 9
    assert broken.evidence is not None
    assert (broken.evidence.before, broken.evidence.after) == (Counts(10, 0), Counts(5, 4))
    assert broken.evidence.rose

    fixed = record.fixed_by
    assert fixed is not None
    assert fixed.commit == "c16"
    assert [one.age for one in fixed.candidates] == [21 - 9, 21 - 14]
    assert fixed.evidence is not None
    assert (fixed.evidence.before, fixed.evidence.after) == (Counts(5, 4), Counts(7, 0))


def test_every_field_of_an_incident_that_ended_in_silence() -> None:
    #   at   0 1 2 3 ... c4 ... 17 18 20   window 10, no traffic 15: the deadline is 3 + 15
    #   /a   o x x o            .  .  x    it is over at 18, and another one opens at 20
    events = [*ask("/a", "oxxo"), "shop", *ask("/b", "o", 17), *ask("/a", "x", 20)]
    record, following = records(events, no_traffic=15)
    assert (record.state, record.start, record.end, record.duration) == (State.EXPIRED, 1, 18, 17)
    assert (record.requests, record.failures, record.last_failure) == (3, 2, 2)
    assert (record.min_sli, record.min_sli_at) == (1 / 3, 2)
    assert record.error_budget_consumed == pytest.approx(2 / (0.3 * 5))
    assert record.fixed_by is None
    assert (following.state, following.start, following.requests) == (State.OPEN, 20, 1)
    assert following.min_sli == 0
    assert following.broken_by.commit == "c4"
    [whole] = records(events[:-1], no_traffic=14)
    assert whole == replace(record, end=17, duration=16, error_budget_consumed=2 / (0.3 * 4))


def test_a_change_that_is_too_old_did_not_cause_an_onset() -> None:
    for age, possible in ((20, True), (21, False)):
        [record] = records([*ask("/b", "o", 0), "shop", *ask("/a", "x", age)])
        assert (record.broken_by.suspect is not None) == possible
        assert record.broken_by.commit == "c1"


def test_without_changes_there_is_nobody_to_blame() -> None:
    [record] = records([*ask("/a", "x"), *ask("/a", "o", 10)])
    assert (record.broken_by.verdict, record.broken_by.candidates) == (Verdict.NONE, ())
    assert record.fixed_by is not None
    assert (record.fixed_by.verdict, record.fixed_by.candidates) == (Verdict.NONE, ())


def test_services_that_broke_within_a_minute_are_named_together() -> None:
    def co_occurring(*starts: tuple[str, int]) -> list[tuple[str, ...]]:
        incidents = [
            make_incident(make_endpoint(name, f"/{n}", slo=1.0), start * SECOND, n)
            for n, (name, start) in enumerate(starts)
        ]
        shard = Shard([incidents[0].endpoint])
        monitor = ServiceMonitor(
            incidents,
            Accounting(),
            (),
            add_up([shard], (), Batcher(Sharding(CATALOGUE, 1), server_errors_fail).state.span),
        )
        return [record.co_occurring for record in monitor.records()]

    assert co_occurring(("a", 0), ("b", 60), ("a", 61), ("c", 120), ("d", 181)) == [
        *(("b",), ("a", "c"), ("b", "c"), ("a", "b"), ()),
    ]
    assert co_occurring(("a", 9), ("b", 0)) == [("b",), ("a",)]
    many = co_occurring(*((f"s{n:02}", 0) for n in range(30)))
    assert many[29] == tuple(f"s{n:02}" for n in range(10))


def test_an_slo_of_one_has_no_budget() -> None:
    incident = make_incident(make_endpoint(slo=1.0), 0, 0)
    shard = Shard([incident.endpoint])
    totals = add_up([shard], (), Batcher(Sharding(CATALOGUE, 1), server_errors_fail).state.span)
    [record] = ServiceMonitor([incident], Accounting(), (), totals).records()
    assert (record.burn_rate, record.error_budget_consumed) == (None, None)


def test_an_id_is_made_of_the_endpoint_and_where_and_when_it_opened() -> None:
    events = [*ask("/a", "x"), *ask("/b", "x"), *ask("/a", "o", 10), *ask("/a", "x", 11)]
    ids = [record.id for record in records(events)]
    assert len(set(ids)) == 3
    assert ids == [record.id for record in records([*events, "shop", *ask("/c", "xx", 50)])][:3]
    assert len({one.id for at in (1, 2) for one in records([*ask("/a", "x", at)])}) == 2


def test_a_change_before_all_accesses_is_as_old_as_the_stream() -> None:
    [record] = records(["shop", *ask("/a", "o", 1_700_000_000), *ask("/a", "x", 1_700_000_007)])
    assert [one.age for one in record.broken_by.candidates] == [7]


def test_a_change_is_never_younger_than_the_crossing_that_it_stands_before() -> None:
    # The clock of /a is behind that of /b, after which c1 came.
    [record] = records([*ask("/b", "o", 100), "shop", *ask("/a", "x", 40)])
    assert [one.age for one in record.broken_by.candidates] == [0]
    assert record.broken_by.suspect == record.broken_by.newest
