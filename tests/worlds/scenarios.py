"""
Small worlds worked out by hand, without chance: requests are evenly spaced, and every n-th fails.

Each scenario says which commit broke its endpoint and which repaired it. `BUSY` has a request a
second and an SLO of 0.9 over 10 minutes, so at a failure rate of 100 % an incident opens after 60
failures; `QUIET` has three requests a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.worlds.recording import Event, Playback, Traffic, merge_events, to_step
from tests.worlds.truth import NOTHING
from tests.worlds.world import Deploy, Endpoint

_MINUTE: Final = 60
_HOUR: Final = 3600

BUSY: Final = Endpoint("shop", "/cart", slo=0.9, window=600, rate=1, regular=True)
QUIET: Final = Endpoint("shop", "/terms", slo=0.9, window=600, rate=0.05, regular=True)
OTHERS: Final = (
    Endpoint("mail", "/mail", slo=0.9, window=600, rate=1, regular=True),
    Endpoint("search", "/search", slo=0.9, window=600, rate=1, regular=True),
)

FailureRate = float | Callable[[float], float]
"""The share of requests that fail, or a function of the seconds since the beginning."""


@dataclass(frozen=True, slots=True)
class Failing:
    """From `begin` to `end` (seconds) a share of the requests fails."""

    begin: float
    end: float
    rate: FailureRate = 1.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    * `failing`: the failures of each endpoint; an endpoint without any is healthy
    * `cause`, `fix`: the commits that broke and repaired the endpoints, or `NOTHING`
    * `length`: seconds
    """

    failing: Mapping[Endpoint, tuple[Failing, ...]]
    deploys: tuple[Deploy, ...]
    cause: str
    fix: str
    length: float

    def events(self) -> list[Event]:
        """The recorded events."""
        traffic = {
            endpoint.resource: _space_requests(endpoint, failing, self.length)
            for endpoint, failing in self.failing.items()
        }
        return merge_events(self.deploys, traffic)

    def play(self) -> Playback:
        """A stream of the events."""
        return Playback(self.failing, self.events())


def _space_requests(endpoint: Endpoint, failing: tuple[Failing, ...], length: float) -> Traffic:
    traffic = Traffic(endpoint)
    owed = 0.0  # failures: the request fails with which it reaches 1
    for number in range(int(length * endpoint.rate)):
        time = (number + 0.5) / endpoint.rate
        step = to_step(time)
        traffic.requests.append(step)
        for one in failing:
            if one.begin <= time < one.end:
                owed += one.rate(time) if callable(one.rate) else one.rate
        if owed >= 1 - 1e-9:
            owed -= 1
            traffic.failures.append(step)
    return traffic


def one_deploy_and_an_outage_at_once() -> Scenario:
    """Half of all requests fail from a second after the deploy until the fix."""
    at = _HOUR
    return Scenario(
        {BUSY: (Failing(at + 1, at + 1201, 0.5),)},
        (Deploy(at, "shop", "bad"), Deploy(at + 1200, "shop", "good")),
        *("bad", "good", 2 * _HOUR),
    )


def an_outage_three_hours_after_a_deploy() -> Scenario:
    """The endpoint was healthy for three hours after the deploy. Nothing deployed repairs it."""
    at = 4 * _HOUR
    return Scenario(
        {BUSY: (Failing(at, at + 1200, 0.5),)},
        (Deploy(_HOUR, "shop", "innocent"),),
        *(NOTHING, NOTHING, 5 * _HOUR),
    )


def two_deploys_inside_the_lag_and_the_first_is_guilty() -> Scenario:
    """
    A fifth of the requests fails, so the SLI needs 5 minutes to cross; the second deploy comes 3
    minutes after the first. The failure rate does not change with it.
    """
    at = _HOUR
    return Scenario(
        {BUSY: (Failing(at + 1, at + 1801, 0.2),)},
        (
            Deploy(at, "shop", "bad"),
            Deploy(at + 3 * _MINUTE, "shop", "innocent"),
            Deploy(at + 1800, "shop", "good"),
        ),
        *("bad", "good", 2 * _HOUR),
    )


def two_deploys_inside_the_lag_and_the_second_is_guilty() -> Scenario:
    """The first deploy does no harm for 3 minutes; the failures begin with the second one."""
    at = _HOUR
    return Scenario(
        {BUSY: (Failing(at + 3 * _MINUTE + 1, at + 1801, 0.2),)},
        (
            Deploy(at, "shop", "innocent"),
            Deploy(at + 3 * _MINUTE, "shop", "bad"),
            Deploy(at + 1800, "shop", "good"),
        ),
        *("bad", "good", 2 * _HOUR),
    )


def a_ramp_after_a_deploy() -> Scenario:
    """As after a memory leak, the failure rate grows from 0 to 60 % within 20 minutes."""
    at = _HOUR

    def grow(time: float) -> float:
        return 0.6 * min(1.0, (time - at) / (20 * _MINUTE))

    return Scenario(
        {BUSY: (Failing(at, at + 2400, grow),)},
        (Deploy(at, "shop", "bad"), Deploy(at + 2400, "shop", "good")),
        *("bad", "good", 2 * _HOUR),
    )


def a_quiet_endpoint() -> Scenario:
    """Three requests a minute; half of them fail from the deploy on, the first after 30 s."""
    at = 2 * _HOUR
    return Scenario(
        {QUIET: (Failing(at, at + 3600, 0.5),)},
        (Deploy(at, "shop", "bad"), Deploy(at + 3600, "shop", "good")),
        *("bad", "good", 5 * _HOUR),
    )


def an_outage_of_all_services() -> Scenario:
    """Three services break in the same second. One of them had a deploy 2 minutes before."""
    at = _HOUR
    failing = (Failing(at, at + 1200, 0.5),)
    return Scenario(
        {BUSY: failing} | dict.fromkeys(OTHERS, failing),
        (Deploy(at - 2 * _MINUTE, "shop", "innocent"),),
        *(NOTHING, NOTHING, 2 * _HOUR),
    )


def a_fix_deployed_before_the_incident_opened() -> Scenario:
    """
    All requests fail from 1 s after the deploy, and the incident opens after 60 of them. The fix
    was deployed 10 s earlier; it needs 20 s to take effect.
    """
    at = _HOUR
    return Scenario(
        {BUSY: (Failing(at + 1, at + 71),)},
        (Deploy(at, "shop", "bad"), Deploy(at + 51, "shop", "good")),
        *("bad", "good", 2 * _HOUR),
    )


def a_recovery_without_any_deploy() -> Scenario:
    """A bad deploy whose failures end by themselves after 20 minutes."""
    at = _HOUR
    return Scenario(
        {BUSY: (Failing(at + 1, at + 1201, 0.5),)},
        (Deploy(at, "shop", "bad"),),
        *("bad", NOTHING, 2 * _HOUR),
    )


def a_rollback() -> Scenario:
    """The commit before the bad one is deployed again, and repairs the endpoint."""
    at = 2 * _HOUR
    return Scenario(
        {BUSY: (Failing(at + 1, at + 1201, 0.5),)},
        (
            Deploy(_HOUR, "shop", "good"),
            Deploy(at, "shop", "bad"),
            Deploy(at + 1200, "shop", "good"),
        ),
        *("bad", "good", 3 * _HOUR),
    )


def a_rollback_that_does_not_help() -> Scenario:
    """An outage without a deploy; in it, an earlier commit is deployed again in vain."""
    at = 5 * _HOUR
    return Scenario(
        {BUSY: (Failing(at, at + 2400, 0.5),)},
        (
            Deploy(_HOUR, "shop", "first"),
            Deploy(2 * _HOUR, "shop", "second"),
            Deploy(at + 900, "shop", "first"),
        ),
        *(NOTHING, NOTHING, 6 * _HOUR),
    )


def a_release_of_three_services_and_one_is_broken() -> Scenario:
    """One commit is deployed to three services; only one of them breaks, and is repaired alone."""
    at = _HOUR
    return Scenario(
        {BUSY: (Failing(at + 4, at + 1201, 0.5),)} | dict.fromkeys(OTHERS, ()),
        (
            Deploy(at, "shop", "release"),
            Deploy(at + 1, "mail", "release"),
            Deploy(at + 2, "search", "release"),
            Deploy(at + 1200, "shop", "good"),
        ),
        *("release", "good", 2 * _HOUR),
    )


def an_outage_without_any_known_deploy() -> Scenario:
    """Nothing was ever deployed."""
    at = _HOUR
    failing = {BUSY: (Failing(at, at + 1200, 0.5),)}
    return Scenario(failing, (), NOTHING, NOTHING, 2 * _HOUR)


def stray_failures_of_a_quiet_endpoint() -> Scenario:
    """Four of 30 requests fail in a minute and a half, an hour after the last deploy."""
    at = 2 * _HOUR
    return Scenario(
        {QUIET: (Failing(at, at + 80),)},
        (Deploy(_HOUR, "shop", "innocent"),),
        *(NOTHING, NOTHING, 3 * _HOUR),
    )


def an_incident_that_reopens() -> Scenario:
    """
    The fault of one deploy pauses for 20 minutes, so a second incident opens 30 minutes after the
    deploy. The fix ends the second; the first ended by itself.
    """
    at = _HOUR
    return Scenario(
        {BUSY: (Failing(at + 1, at + 601, 0.5), Failing(at + 1800, at + 2401, 0.5))},
        (Deploy(at, "shop", "bad"), Deploy(at + 2400, "shop", "good")),
        *("bad", "good", 2 * _HOUR),
    )


SCENARIOS: Final = (
    one_deploy_and_an_outage_at_once,
    an_outage_three_hours_after_a_deploy,
    two_deploys_inside_the_lag_and_the_first_is_guilty,
    two_deploys_inside_the_lag_and_the_second_is_guilty,
    a_ramp_after_a_deploy,
    a_quiet_endpoint,
    an_outage_of_all_services,
    a_fix_deployed_before_the_incident_opened,
    a_recovery_without_any_deploy,
    a_rollback,
    a_rollback_that_does_not_help,
    a_release_of_three_services_and_one_is_broken,
    an_outage_without_any_known_deploy,
    stray_failures_of_a_quiet_endpoint,
    an_incident_that_reopens,
)
"""All scenarios. `fix` is that of the last incident, `cause` that of each incident."""
