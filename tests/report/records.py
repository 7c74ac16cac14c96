"""Incident records, from a seed and from Hypothesis, with hostile names."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import strategies as st

from slomon.core.attribution import Attribution, Candidate, Verdict
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.core.statistics import Comparison, Counts

BEGAN = 1_543_443_091.25
SPAN = 7_200.0

HOSTILE = (
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\u202egpj.exe",
    "\u200bzero\u200dwidth",
    "line\nbreak\r\ttab",
    "nul\x00",
    "half \ud800",
    "支払いサービス" * 5,
    "e\u0301" * 30,
    "👩🏽‍💻 ❤\ufe0f",
    "=cmd|' /C calc'!A0",
    "'=quoted",
    '"; DROP TABLE',
    "a;b\\;c\\",
    "x" * 500,
)


PROBABILITIES = {
    Verdict.CLEAR: 0.97,
    Verdict.LIKELY: 0.6,
    Verdict.AMBIGUOUS: 0.4,
    Verdict.UNEXPLAINED: 0.2,
    Verdict.NONE: 0.0,
}
"""The probability of the newest candidate of a made-up attribution."""


def candidate(
    commit: str = "c1", *, author: str = "ana", age: float = 12.5, probability: float = 0.0
) -> Candidate:
    return Candidate(commit, author, "2018-11-28 14:11:31", age, age - 1.5, probability)


def attribution(
    *commits: str, verdict: Verdict = Verdict.CLEAR, age: float = 12.5, omitted: int = 0
) -> Attribution:
    changes = tuple(
        candidate(commit, age=age, probability=PROBABILITIES[verdict] if commit == last else 0.0)
        for last in commits[-1:]
        for commit in commits
    )
    evidence = Comparison(Counts(100, 1), Counts(50, 20), 0.39, 0.25, 0.53)
    return Attribution(
        verdict if changes else Verdict.NONE,
        changes,
        omitted,
        evidence if changes else None,
        1 - PROBABILITIES[verdict if changes else Verdict.NONE],
    )


def record(
    service: str = "shop",
    resource: str = "/",
    *,
    start: float = BEGAN,
    lasted: float | None = 60.0,
    failures: int = 5,
    broken_by: Attribution | None = None,
    fixed_by: Attribution | None = None,
    state: State | None = None,
    co_occurring: tuple[str, ...] = (),
) -> IncidentRecord:
    """An incident; one that lasted None is open."""
    return IncidentRecord(
        id=f"{service}-{start}",
        service=service,
        verb="GET",
        resource=resource,
        slo=0.9,
        window=30.0,
        state=state or (State.OPEN if lasted is None else State.CLOSED),
        start=start,
        end=None if lasted is None else start + lasted,
        duration=lasted,
        onset=max(0.0, start - 1.5),
        last_failure=start + (lasted or 0.0) / 2,
        requests=failures * 4,
        failures=failures,
        min_sli=0.75,
        min_sli_at=start,
        burn_rate=2.5,
        error_budget_consumed=0.125,
        broken_by=broken_by or attribution("c1"),
        fixed_by=fixed_by,
        co_occurring=co_occurring,
    )


def build(
    seed: int, *, incidents: int = 40, services: int = 6, hostile: bool = False
) -> list[IncidentRecord]:
    """Incidents of two hours with every kind of field, the same for the same seed."""
    chance = random.Random(seed)
    names = [f"service-{number}" for number in range(services)]
    if hostile:
        names = [*HOSTILE, *names][:services]
    found = [_draw(chance, names) for _ in range(incidents)]
    return sorted(found, key=lambda one: one.start)


def _draw(chance: random.Random, names: Sequence[str]) -> IncidentRecord:
    start = BEGAN + chance.uniform(0, SPAN * 0.9)
    state = chance.choices(list(State), (1, 8, 1))[0]
    lasted = min(chance.expovariate(1 / 300), BEGAN + SPAN - start)
    return record(
        chance.choice(names),
        f"/resource/{chance.randrange(3)}",
        start=start,
        lasted=None if state is State.OPEN else lasted,
        failures=chance.randrange(1, 500),
        broken_by=_attribute(chance),
        fixed_by=_attribute(chance) if state is State.CLOSED else None,
        state=state,
        co_occurring=tuple(chance.sample(names, chance.randrange(min(3, len(names))))),
    )


def _attribute(chance: random.Random) -> Attribution:
    verdict = chance.choice(list(Verdict))
    count = {Verdict.NONE: 0, Verdict.AMBIGUOUS: chance.randrange(1, 4)}.get(verdict, 1)
    changes = tuple(
        Candidate(
            f"{chance.getrandbits(160):040x}",
            chance.choice((*HOSTILE, "ana", "bob")),
            "2018-11-28 14:11:31",
            chance.uniform(0, SPAN),
            chance.uniform(-60, SPAN),
            PROBABILITIES[verdict] if number == count - 1 else 0.0,
        )
        for number in range(count)
    )
    omitted = chance.randrange(2) if verdict is Verdict.AMBIGUOUS else 0
    return Attribution(verdict, changes, omitted, None, 1 - PROBABILITIES[verdict])


texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=20),
    st.text(st.sampled_from("=+-@'\t\r\n\0;\\\",\uff1d "), max_size=6),
)
names = texts.filter(bool)
ticks = st.integers(0, 2**62)
seconds = ticks.map(lambda tick: tick / 1_000_000_000)
shares = st.floats(0, 1)
counts = st.integers(0, 2**40)
tallies = st.builds(Counts, counts, counts)
comparisons = st.builds(
    Comparison, tallies, tallies, st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1)
)
attributions = st.builds(
    Attribution,
    st.sampled_from(Verdict),
    st.lists(
        st.builds(Candidate, names, texts, texts, seconds, st.floats(-1e9, 1e9), shares), max_size=3
    ).map(tuple),
    counts,
    st.none() | comparisons,
    shares,
)
records = st.builds(
    IncidentRecord,
    id=texts,
    service=names,
    verb=names,
    resource=names,
    slo=st.floats(0, 1, exclude_min=True),
    window=st.integers(1, 2**62).map(lambda tick: tick / 1_000_000_000),
    state=st.sampled_from(State),
    start=seconds,
    end=st.none() | seconds,
    duration=st.none() | seconds,
    onset=seconds,
    last_failure=seconds,
    requests=counts,
    failures=counts,
    min_sli=shares,
    min_sli_at=seconds,
    burn_rate=st.none() | st.floats(0, 1e9),
    error_budget_consumed=st.none() | st.floats(0, 1e9),
    broken_by=attributions,
    fixed_by=st.none() | attributions,
    co_occurring=st.lists(names, max_size=3).map(tuple),
)
