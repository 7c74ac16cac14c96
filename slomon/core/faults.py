"""
Faults: the incidents of a service that one cause keeps making.

A fault that makes few requests fail opens and closes incidents by chance, one that flaps does so
with each pause, and a fault of several endpoints breaks the quiet ones late:

    GET /cart    ----====--====-====---------        one fault
    GET /pay     -------============---------
    GET /cart    --------------------------===       another one

Whatever broke the endpoint first has broken it each time, so a fault is judged as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, fsum, inf
from typing import Final

from slomon.core.fault_times import TimeDensity
from slomon.core.repairs import FIXED, RECOVERED, REPAIR, ROLLED_BACK, Repair
from slomon.core.sightings import Sighting

KNOWN: Final = 2.5, 0.15
"""A failure rate is as uncertain as if this many failures had been seen before, at this rate."""
AGAIN: Final = ((0.8, 10.0), (0.4, 200.0), (0.05, 1000.0))
"""A fault breaks the same endpoint again: how often, and after how many seconds on average."""
OTHER: Final = 0.6
"""How often it breaks another endpoint of the service from the beginning on,"""
LATER: Final = 0.1, 300.0
"""and later: how often, and after how many seconds on average."""
ONGOING: Final = 1 / 400
"""While it goes on elsewhere in the service, it breaks an endpoint at least this often a second."""
VAIN: Final = 0.3
"""The share of changes at the end of the failures that repaired nothing."""
ANEW: Final = 1 / 43_200
"""A service breaks by itself this often per second,"""
ANEW_BY_CHANGE: Final = 0.05, ((0.6, 10.0), (0.15, 120.0), (0.15, 600.0))
"""and by a change: how often, and after how many seconds on average."""
_LONG: Final = 10_000.0  # seconds; a change so long ago doesn't count here
_LINKED: Final = 1e-5  # per second; less is no sign that a fault goes on


@dataclass(eq=False, slots=True)
class Case:
    """
    What is known of an incident. Times are seconds since the beginning of the run.

    * `key`: the endpoint; `interval`: mean seconds between two requests of it
    * `onsets`: the possible onsets, the likeliest one first
    * `suspects`: the times of the changes before an onset, by their positions
    * `strays`: the rate at which stray failures alone make such an incident, per second
    * `recovery`: the last failure before the endpoint recovered; None if the incident did not close
    * `over`: the last failure, infinite while the incident is open
    * `repairs`: the changes during the incident
    * `steps`: the times of the surge, the opening and the last failure, each with the number of
      failures until then from the one before
    * `error`: mean seconds between failures, so from the beginning of the failures to the onset
    """

    service: str
    key: int
    interval: float
    onsets: list[Sighting]
    last_failure: float
    over: float = inf
    recovery: float | None = None
    strays: float = 0.0
    suspects: dict[int, float] = field(default_factory=dict)
    repairs: list[Repair] = field(default_factory=list)
    steps: Sequence[tuple[float, int]] = ()
    error: float = field(init=False)

    def __post_init__(self) -> None:
        self.error = self.see(self.onsets[0]).error

    @property
    def onset(self) -> float:
        """The likeliest onset."""
        return self.onsets[0].time

    @property
    def recovered(self) -> float:
        """The last failure before it recovered, or so far."""
        return self.last_failure if self.recovery is None else self.recovery

    def extend(self, later: Case) -> None:
        """Take in an incident that opened without a failure since this one: it is the same."""
        more = later.onsets[0].failures
        self.onsets = [
            one._replace(
                failures=one.failures + more,
                seconds=max(later.recovered - one.time, one.seconds),
            )
            for one in self.onsets
        ]
        self.error = self.see(self.onsets[0]).error
        self.last_failure, self.over, self.recovery = later.last_failure, later.over, later.recovery
        self.strays = min(self.strays, later.strays)
        known = {one.change for one in self.repairs}
        self.repairs += [one for one in later.repairs if one.change not in known]

    def see(self, sighting: Sighting, severity: float = KNOWN[1]) -> Sighting:
        """A sighting with what is known beforehand, if requests fail with this probability."""
        worth, _ = KNOWN
        expected = worth * self.interval / severity
        return sighting._replace(
            failures=sighting.failures + worth, seconds=sighting.seconds + expected
        )

    def trace(self, sighting: Sighting) -> Sighting:
        """A sighting with the course of its failures: those in each stretch of time since then."""
        course = []
        since = sighting.time
        for time, failures in self.steps:
            if (until := min(time, self.steps[-1][0])) > since:
                course.append((until, failures))
                since = until
        return sighting._replace(course=tuple(course))

    def find_unrepaired(self, deploys: float) -> float:
        """
        The probability that the endpoint recovered without a repair. `deploys` are the changes of
        the service per second.
        """
        if not self.repairs:
            return 1.0
        itself = RECOVERED[0] * deploys
        repaired = 0.0
        for one in self.repairs:
            delay = self.recovered - one.time
            nearness = exp(-delay / REPAIR if delay >= 0 else delay / self.error)
            share = FIXED[0] if one.taken_back is None else ROLLED_BACK[0]
            repaired += share * nearness / (REPAIR + self.error)
        return itself / (itself + repaired)


@dataclass(slots=True)
class Fault:
    """
    Incidents with one cause.

    * `cases`: the incidents
    * `strays`: for each, the probability that stray failures made it and not the fault
    * `newest`: the number of the newest incident of each endpoint
    * `first`: the first incident of each endpoint: they tell when the fault began
    * `until`: the last failure of all, infinite while an incident is open
    * `parent`: the number of the fault that may go on in this one, or -1; `again`: the rate of that
    """

    cases: list[Case] = field(default_factory=list)
    strays: list[float] = field(default_factory=list)
    newest: dict[int, int] = field(default_factory=dict)
    first: list[Case] = field(default_factory=list)
    until: float = -inf
    parent: int = -1
    again: float = _LINKED
    _failures: float = 0.0
    _requests: float = 0.0

    @property
    def service(self) -> str:
        """The service that it broke."""
        return self.cases[0].service

    def add(self, case: Case, strays: float) -> None:
        """Add an incident."""
        onset = case.onsets[0]
        failures, seconds = onset.failures, onset.seconds
        number = self.newest.get(case.key)
        if number is not None:
            failures += 1
            seconds = max(case.last_failure - self.cases[number].last_failure, 0.0)
        elif strays < 0.5 or not self.cases:
            self.first.append(case)
        if strays < 0.5 or not self.cases:
            self._failures += failures
            self._requests += seconds / case.interval
        self.newest[case.key] = len(self.cases)
        self.cases.append(case)
        self.strays.append(strays)
        self.until = max(self.until, case.over)

    def find_beginning(self, delays: Sequence[float]) -> TimeDensity:
        """When it began. The endpoints have about the same failure rate."""
        sums = [
            (one.onsets[0].failures, one.onsets[0].seconds / one.interval) for one in self.first
        ]
        failures, requests = (fsum(column) for column in zip(*sums, strict=True))
        endpoints = []
        for case, (own_failures, own_requests) in zip(self.first, sums, strict=True):
            severity = _find_severity(failures - own_failures, requests - own_requests)
            endpoints.append([case.trace(case.see(one, severity)) for one in case.onsets])
        return TimeDensity.of_beginning(endpoints, delays)

    @property
    def has_recovered(self) -> bool:
        """Whether an endpoint has recovered."""
        return any(self.cases[one].recovery is not None for one in self.newest.values())

    def find_end(self) -> TimeDensity:
        """When it ended, if an endpoint has recovered."""
        severity = _find_severity(self._failures, self._requests)
        endpoints = []
        for number in self.newest.values():
            case = self.cases[number]
            if case.recovery is None:
                continue
            last = case.onsets[0]._replace(time=case.recovery, weight=1.0)
            endpoints.append([case.see(last, severity)])
        return TimeDensity.of_end(endpoints, (REPAIR,))

    def list_suspects(self) -> list[tuple[int, float]]:
        """The positions and times of the changes before its beginning, in order of positions."""
        times: dict[int, float] = {}
        for case in self.first:
            for change, time in case.suspects.items():
                times[change] = min(time, times.get(change, inf))
        return sorted(times.items())

    def list_repairs(self) -> list[Repair]:
        """The changes during the newest incident of each endpoint."""
        repairs: dict[int, Repair] = {}
        for number in self.newest.values():
            repairs.update((one.change, one) for one in self.cases[number].repairs)
        return [repairs[change] for change in sorted(repairs)]

    def goes_on(self, case: Case, deploys: float) -> float:
        """
        The rate at which this fault makes such an incident. `deploys`: of the service per second.
        """
        ongoing = ONGOING if case.onset < self.until else 0.0
        severity = _find_severity(self._failures, self._requests)
        number = self.newest.get(case.key)
        if number is not None:
            before = self.cases[number]
            error = case.interval / severity
            delay = max(case.onset - before.recovered, 0.0)
            rate = fsum([_exponential(delay, mean + error) * share for share, mean in AGAIN])
            return max(rate, ongoing) * (VAIN + (1 - VAIN) * before.find_unrepaired(deploys))
        share, mean = LATER
        if case.onset > self.until + 60:
            return share * _exponential(case.onset - self.until, mean)
        delay = max(case.onset - self.cases[0].onset, 0.0)
        rate = max(share * _exponential(delay, mean), ongoing)
        sighting = case.see(case.onsets[0]._replace(weight=1.0), severity)
        return rate + OTHER * sighting.density(delay)


def find_faults(cases: Sequence[Case], deploys: Mapping[str, float]) -> list[Fault]:
    """
    The faults of cases, which must be in order of their onsets. So are the faults. `deploys`: the
    changes of each service per second.
    """
    faults: list[Fault] = []
    newest: dict[str, int] = {}  # by service
    for case in cases:
        number = newest.get(case.service, -1)
        again = 0.0
        if number >= 0:
            fault = faults[number]
            again = fault.goes_on(case, deploys[case.service])
            if fault.strays[0] < 0.3 and again > _break_anew(case, since=fault.cases[0].onset):
                fault.add(case, case.strays / (case.strays + again))
                continue
        fault = Fault()
        fault.add(case, case.strays / (case.strays + _break_anew(case, since=-inf)))
        if again > _LINKED:
            fault.parent, fault.again = number, again
        newest[case.service] = len(faults)
        faults.append(fault)
    return faults


def _break_anew(case: Case, since: float) -> float:
    """The rate of another fault: by itself, or by a change since a time."""
    bad, delays = ANEW_BY_CHANGE
    rate = ANEW
    for time in case.suspects.values():
        delay = case.onset - time
        if time > since and delay < _LONG:
            for share, mean in delays:
                rate += bad * share * _exponential(delay, mean + case.error)
    return rate


def _find_severity(failures: float, requests: float) -> float:
    """The probability that a request fails."""
    worth, severity = KNOWN
    return min((failures + worth) / (requests + worth / severity), 1.0)


def _exponential(delay: float, mean: float) -> float:
    return exp(-delay / mean) / mean
