"""Summaries for the terminal report, by hand and from a seed, with hostile names."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from slomon.core.attribution import Attribution, Candidate, Verdict
from slomon.core.events import EVERY_SERVICE, ReplayAccounting
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.core.metrics import (
    Budget,
    Deploy,
    DoraMetrics,
    Metrics,
    Ranking,
    RankingEntry,
    Repair,
)
from slomon.core.outages import find_outages
from slomon.core.summary import Summary
from slomon.core.totals import EndpointTotal, sum_requests
from tests.report.records import BEGAN, HOSTILE, PROBABILITIES, SPAN, record


def metrics(
    service: str | None = None, records: Sequence[IncidentRecord] = (), deployments: int = 0
) -> Metrics:
    repairs = sorted(one.duration for one in records if one.duration is not None)
    failures = sum(one.failures for one in records)
    states = Counter(one.state for one in records)
    repair = Repair(
        states[State.CLOSED],
        states[State.OPEN],
        states[State.EXPIRED],
        sum(repairs) / len(repairs) if repairs else None,
        repairs[len(repairs) // 2] if repairs else None,
        repairs[len(repairs) * 9 // 10] if repairs else None,
        repairs[-1] if repairs else None,
    )
    failed = min(deployments, len(records))
    return Metrics(
        service,
        len(records),
        repair,
        12.5 if records else None,
        Budget(1000, failures, 10.0, 1 - failures / 10.0),
        DoraMetrics(
            deployments,
            deployments / 2 if deployments else None,
            failed,
            failed / deployments if deployments else None,
            repairs[0] if repairs else None,
        ),
    )


def summary(
    *records: IncidentRecord,
    deploys: Sequence[Deploy] = (),
    began: float = BEGAN,
    ended: float = BEGAN + SPAN,
    quiet: Sequence[str] = (),
) -> Summary:
    """A run with these incidents and deploys, and services without incidents."""
    services = [*dict.fromkeys(one.service for one in records), *quiet]
    of_service = {name: [one for one in records if one.service == name] for name in services}
    commits = Counter(one.broken_by.commit for one in records)
    return Summary(
        began,
        ended,
        ReplayAccounting(events=1000, accesses=1000, lines=1000),
        metrics(None, records, len(deploys)),
        [metrics(name, of_service[name], len(deploys)) for name in services],
        Ranking(
            [], [], [RankingEntry(commit, count, 60.0) for commit, count in commits.most_common()]
        ),
        records,
        [EndpointTotal(name, "GET", "/", 0.9, 30.0, 500, 20) for name in services],
        deploys,
    )


def build(seed: int, *, incidents: int = 40, services: int = 6, hostile: bool = False) -> Summary:
    """A run of two hours with every kind of incident and deploy, the same for the same seed."""
    chance = random.Random(seed)
    names = [f"service-{number}" for number in range(services)]
    if hostile:
        names = [*HOSTILE, *names][:services]
    deploys = sorted(
        (
            Deploy(
                chance.choice([*names, EVERY_SERVICE]),
                f"{chance.getrandbits(160):040x}",
                chance.choice(HOSTILE) if hostile else chance.choice(("ana", "bob")),
                "2018-11-28 14:11:31",
                BEGAN + chance.uniform(0, SPAN),
            )
            for _ in range(2 * services)
        ),
        key=lambda deploy: deploy.at,
    )
    found = [_draw(chance, names, deploys) for _ in range(incidents)]
    found.sort(key=lambda one: one.start)
    made = summary(*found, deploys=deploys)
    return replace(made, outages=find_outages(found, sum_requests(made.endpoints)))


def _draw(chance: random.Random, names: Sequence[str], deploys: Sequence[Deploy]) -> IncidentRecord:
    service = chance.choice(names)
    start = BEGAN + chance.uniform(0, SPAN * 0.9)
    state = chance.choices(list(State), (1, 8, 1))[0]
    lasted = min(chance.expovariate(1 / 300), BEGAN + SPAN - start)
    own = [one for one in deploys if one.service in {service, EVERY_SERVICE}]
    return record(
        service,
        f"/resource/{chance.randrange(3)}",
        start=start,
        lasted=None if state is State.OPEN else lasted,
        failures=chance.randrange(1, 500),
        broken_by=_attribute(chance, own, start),
        fixed_by=_attribute(chance, own, start + lasted) if state is State.CLOSED else None,
        state=state,
        co_occurring=tuple(chance.sample(names, chance.randrange(min(3, len(names))))),
    )


def _attribute(chance: random.Random, deploys: Sequence[Deploy], at: float) -> Attribution:
    """An attribution to the newest deploys before a time, with a random verdict."""
    before = [deploy for deploy in deploys if deploy.at <= at]
    if not before:
        return Attribution(Verdict.NONE)
    verdict = chance.choice((Verdict.CLEAR, Verdict.CLEAR, Verdict.AMBIGUOUS, Verdict.UNEXPLAINED))
    count = chance.randrange(1, 4) if verdict is Verdict.AMBIGUOUS else 1
    changes = tuple(
        Candidate(
            *(one.commit, one.author, one.date, at - one.at, at - one.at),
            PROBABILITIES[verdict] if one is before[-1] else 0.0,
        )
        for one in before[-count:]
    )
    omitted = chance.randrange(2) if verdict is Verdict.AMBIGUOUS else 0
    return Attribution(verdict, changes, omitted, None, 1 - PROBABILITIES[verdict])
