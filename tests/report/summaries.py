"""Made-up but consistent summaries, the same for the same seed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Final

from slomon.core.aggregation import aggregate, rank_by_owner
from slomon.core.attribution import Attribution, Candidate, Verdict
from slomon.core.events import Accounting, ReplayAccounting
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.core.metrics import Deploy, Ranking, RankingEntry
from slomon.core.outages import find_outages
from slomon.core.sli_series import SliSeries
from slomon.core.statistics import Comparison, Counts
from slomon.core.summary import Summary
from slomon.core.totals import EndpointTotal
from tests.report.records import PROBABILITIES

BEGAN: Final = 1543443091.2745  # 2018-11-28 22:11:31 UTC
WINDOW: Final = 300.0
NOUNS: Final = [
    "users",
    "orders",
    "carts",
    "prices",
    "search",
    "stock",
    "mail",
    "invoices",
    "sessions",
    "reviews",
    "media",
    "tax",
]
AUTHORS: Final = [f"{name}@example.com" for name in ["ana", "bob", "chen", "dora", "emil", "fay"]]


@dataclass
class Maker:
    """Makes a summary with these numbers of services, endpoints and incidents, over `seconds`."""

    seed: int = 1
    services: int = 8
    endpoints: int = 24
    incidents: int = 60
    seconds: float = 86_400.0
    buckets: int = 256
    between: float = 600.0  # seconds, at least, between deploys of a service that break something
    deploys: list[Deploy] = field(default_factory=list)
    newest: dict[str, Deploy] = field(default_factory=dict)

    def make(self) -> Summary:
        self.random = random.Random(self.seed)
        totals = [self.endpoint(number) for number in range(self.endpoints)]
        starts = sorted(self.random.uniform(0.02, 0.97) for _ in range(self.incidents))
        records = [
            self.incident(number, self.random.choice(totals), BEGAN + share * self.seconds)
            for number, share in enumerate(starts)
        ]
        for _ in range(self.services * 3):  # most changes break nothing
            self.deploy(self.service(), BEGAN + self.random.uniform(0, 1) * self.seconds)
        self.deploys.sort(key=lambda one: one.at)
        summary = summarise(
            totals,
            records,
            self.deploys,
            BEGAN + self.seconds,
            list(self.sli_series(totals, records)),
        )
        return replace(summary, series_step=self.seconds / self.buckets)

    def service(self, number: int | None = None) -> str:
        number = self.random.randrange(self.services) if number is None else number
        noun = NOUNS[number % len(NOUNS)]
        return noun if number < len(NOUNS) else f"{noun}-{number // len(NOUNS) + 1}"

    def endpoint(self, number: int) -> EndpointTotal:
        service = self.service(number % self.services)
        verb = ("GET", "POST", "PUT")[number // self.services % 3]
        path = f"/api/v1/{service}" + ("", "/{id}", "/{id}/items")[number % 3]
        requests = self.random.randrange(20_000, 90_000)
        slo = self.random.choice([0.99, 0.995, 0.999])
        failures = round(requests * (1 - slo) * self.random.uniform(0.1, 2.5))
        resource = f"{path}/{number}" if number >= 3 * self.services else path
        return EndpointTotal(service, verb, resource, slo, WINDOW, requests, failures)

    def incident(self, number: int, total: EndpointTotal, start: float) -> IncidentRecord:
        state = self.random.choices(list(State), [2, 90, 4])[0]
        lasted = min(self.random.lognormvariate(6.5, 1.0), BEGAN + self.seconds - start)
        end = None if state is State.OPEN else start + lasted
        requests = round(lasted * self.random.uniform(1, 5)) + 40
        failures = round(requests * self.random.uniform(0.02, 0.6)) + 1
        onset = start - self.random.uniform(1, 100)
        allowed = 1 - total.slo
        co_occurring = (self.service(),) if self.random.random() < 0.1 else ()
        return IncidentRecord(
            id=f"{self.random.getrandbits(48):012x}",
            service=total.service,
            verb=total.verb,
            resource=total.resource,
            slo=total.slo,
            window=total.window,
            state=state,
            start=start,
            end=end,
            duration=None if end is None else end - start,
            onset=onset,
            last_failure=start + lasted * 0.8,
            requests=requests,
            failures=failures,
            min_sli=1 - failures / requests,
            min_sli_at=start + lasted * 0.3,
            burn_rate=failures / requests / allowed,
            error_budget_consumed=failures / (allowed * total.requests),
            broken_by=self.attribution(number, total.service, start, rose=True),
            fixed_by=self.attribution(number, total.service, end, rose=False)
            if end is not None and state is State.CLOSED
            else None,
            co_occurring=co_occurring,
            recovery=None if end is None else start + lasted * 0.8,
        )

    def attribution(self, number: int, service: str, at: float, *, rose: bool) -> Attribution:
        verdict = self.random.choices(list(Verdict), [60, 10, 20, 6, 4])[0]
        if verdict is Verdict.NONE:
            return Attribution(verdict)
        candidates = []
        for _ in range(self.random.randrange(2, 4) if verdict is Verdict.AMBIGUOUS else 1):
            age = self.random.uniform(5, 280) * (400 if verdict is Verdict.UNEXPLAINED else 1)
            deploy = self.deploy_near(service, at - age)
            age = at - deploy.at
            candidates.append(Candidate(deploy.commit, deploy.author, deploy.date, age, age - 2.0))
        candidates.sort(key=lambda one: -one.age)
        probability = PROBABILITIES[verdict]
        candidates[-1] = candidates[-1]._replace(probability=probability)
        before, after = Counts(900 + number % 300, number % 4), Counts(120, 8 + number % 40)
        if not rose:
            before, after = after, before
        difference = after.failure_rate - before.failure_rate
        spread = 0.03 if verdict is Verdict.CLEAR else 0.4
        evidence = Comparison(before, after, difference, difference - spread, difference + spread)
        omitted = 2 if number % 37 == 5 else 0
        return Attribution(verdict, tuple(candidates), omitted, evidence, 1 - probability)

    def deploy_near(self, service: str, at: float) -> Deploy:
        """A recent deploy of the service, or a new one, so that incidents share deploys."""
        newest = self.newest.get(service)
        if newest is None or not 0 <= at - newest.at < self.between:
            newest = self.newest[service] = self.deploy(service, at)
        return newest

    def deploy(self, service: str, at: float) -> Deploy:
        commit = f"{self.random.getrandbits(160):040x}"
        date = f"{datetime.fromtimestamp(at - 8 * 3600, UTC):%Y-%m-%d %H:%M:%S.%f}"
        self.deploys.append(Deploy(service, commit, self.random.choice(AUTHORS), date, at))
        return self.deploys[-1]

    def sli_series(
        self, totals: list[EndpointTotal], records: list[IncidentRecord]
    ) -> Iterator[SliSeries]:
        incidents = defaultdict(list)
        for one in records:
            incidents[one.verb, one.resource].append(one)
        for number, total in enumerate(totals):
            yield self.series_of(number, total, incidents[total.verb, total.resource])

    def series_of(
        self, number: int, total: EndpointTotal, records: list[IncidentRecord]
    ) -> SliSeries:
        step = self.seconds / self.buckets
        mine = [(one.start, one.end or BEGAN + self.seconds, one.min_sli) for one in records]
        at, requests, failures, lowest = [], [], [], []
        for bucket in range(self.buckets):
            moment = BEGAN + bucket * step
            if number % 7 == 3 and bucket % 16 < 4:
                continue  # a quiet stretch
            count = max(1, round(self.random.gauss(total.requests / self.buckets, 12)))
            lows = [low for start, end, low in mine if start < moment + step and end > moment]
            share = (1 - min(lows)) if lows else (1 - total.slo) * self.random.betavariate(1, 6)
            at.append(moment)
            requests.append(count)
            failures.append(round(share * count))
            lowest.append(min(lows, default=1 - share))
        return SliSeries(number, at, requests, failures, lowest)


def summarise(
    totals: list[EndpointTotal],
    records: list[IncidentRecord],
    deploys: list[Deploy],
    ended: float,
    sli_series: list[SliSeries],
) -> Summary:
    """The summary of these, with matching metrics."""
    requests = sum(one.requests for one in totals)
    overall, services = aggregate(records, totals, deploys, (BEGAN, ended))
    return Summary(
        began=BEGAN,
        ended=ended,
        accounting=ReplayAccounting(
            events=requests + len(deploys) + 123,
            accesses=requests,
            changes=len(deploys),
            unmatched=120,
            rejected=3,
            late=17,
            lines=requests + 171,
            records=len(deploys),
            blank=48,
            disordered=40,
            largest_lateness=2.5,
            endpoints=len(totals),
        ),
        overall=overall,
        services=services,
        ranking=rank_by_owner(records, ended),
        incidents=records,
        endpoints=totals,
        deploys=deploys,
        sli_series=sli_series,
        outages=find_outages(records, totals),
    )


@cache
def large() -> Summary:
    """A week with 10,000 incidents on 1,000 endpoints, which a page must hold."""
    week, half_a_day = 7 * 86_400.0, 43_200.0
    return Maker(
        seed=2, services=120, endpoints=1000, incidents=10_000, seconds=week, between=half_a_day
    ).make()


def quiet() -> Summary:
    """A run without an access."""
    nothing = summarise([], [], [], BEGAN, [])
    return replace(nothing, began=0.0, ended=0.0, accounting=Accounting())


HOSTILE: Final = [
    "</script><script>window.ran = 1</script>",
    "<img src=x onerror='window.ran = 1'>",
    "\"' onmouseover=window.ran=1 x='",
    "]]><!-- --><![CDATA[",
    "a\u2028b\u2029c",
    "\u202egnp.txt\u2066\u200f",
    "&lt;b&gt; &#x202e; ${ran} $title {commit}",
    "javascript:window.ran=1",
    "x" * 10_000,
    "\ud800 half \x00\x07 a pair",
    "\u05e9\u05dc\u05d5\u05dd " * 40,
    "",
]


def hostile() -> Summary:
    """A run in which every text is an attack, or at least malformed."""
    made = Maker(seed=3, services=len(HOSTILE), endpoints=len(HOSTILE), incidents=40).make()
    text = {
        name: HOSTILE[n] for n, name in enumerate(dict.fromkeys(t.service for t in made.endpoints))
    }

    def attack(attribution: Attribution, number: int) -> Attribution:
        turned = HOSTILE[number % len(HOSTILE) :] + HOSTILE
        return replace(
            attribution,
            candidates=tuple(
                one._replace(commit=turned[0], author=turned[1], date=turned[2])
                for one in attribution.candidates
            ),
        )

    endpoints = [
        replace(one, service=text[one.service], verb=HOSTILE[n], resource=HOSTILE[-n])
        for n, one in enumerate(made.endpoints)
    ]
    known = {
        (old.verb, old.resource): new for old, new in zip(made.endpoints, endpoints, strict=True)
    }
    incidents = [
        replace(
            one,
            id=HOSTILE[n % len(HOSTILE)] + str(n),
            service=text[one.service],
            verb=known[one.verb, one.resource].verb,
            resource=known[one.verb, one.resource].resource,
            broken_by=attack(one.broken_by, n),
            fixed_by=one.fixed_by and attack(one.fixed_by, n + 1),
            co_occurring=tuple(HOSTILE[:3]),
        )
        for n, one in enumerate(made.incidents)
    ]
    named = [RankingEntry(name, 3, 60.0) for name in HOSTILE]
    return replace(
        made,
        services=[replace(one, service=text[one.service or ""]) for one in made.services],
        endpoints=endpoints,
        incidents=incidents,
        deploys=[
            replace(one, service=text[one.service], commit=HOSTILE[n % 12], author=HOSTILE[n % 11])
            for n, one in enumerate(made.deploys)
        ],
        ranking=Ranking(named, named, named),
    )
