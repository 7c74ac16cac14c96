"""
Which incidents are of one fault.

Times are seconds. All endpoints have a request a second, and the requests of a fault fail half.
"""

from __future__ import annotations

from math import exp, inf

import pytest

from slomon.core.faults import ANEW, ONGOING, VAIN, Case, Fault, find_faults
from slomon.core.repairs import FIXED, RECOVERED, REPAIR, Repair
from slomon.core.sightings import Sighting

DEPLOYS = {"shop": 1e-3, "mail": 1e-3}


def fail(key: int, onset: float, until: float, *, service: str = "shop", end: bool = True) -> Case:
    """An incident that closed, or is open."""
    seconds = until - onset
    sighting = Sighting(onset, 1.0, seconds / 2, seconds)
    recovery = until if end else None
    return Case(service, key, 1.0, [sighting], until, until if end else inf, recovery)


def group(*cases: Case) -> list[list[Case]]:
    """The incidents of each fault."""
    return [fault.cases for fault in find_faults(cases, DEPLOYS)]


def test_endpoints_of_a_service_that_break_together_have_one_fault_and_other_services_another() -> (
    None
):
    cases = fail(0, 100, 200), fail(1, 103, 190), fail(2, 103, 190, service="mail")
    assert group(*cases) == [[cases[0], cases[1]], [cases[2]]]


def test_an_endpoint_that_flaps_has_one_fault() -> None:
    cases = [fail(0, at, at + 20) for at in range(100, 1000, 60)]
    assert group(*cases) == [cases]


def test_an_endpoint_that_breaks_much_later_breaks_anew() -> None:
    first, second = fail(0, 100, 200), fail(0, 9000, 9100)
    assert group(first, second) == [[first], [second]]
    faults = find_faults((first, second), DEPLOYS)
    assert (faults[1].parent, faults[0].until) == (-1, 200)


def test_it_may_go_on_after_a_pause_unless_a_change_broke_it() -> None:
    first, second = fail(0, 100, 200), fail(0, 500, 600)
    assert group(first, second) == [[first, second]]
    second.suspects = {7: 495.0}
    first_fault, second_fault = find_faults((first, second), DEPLOYS)
    assert (first_fault.cases, second_fault.cases) == ([first], [second])
    assert second_fault.parent == 0
    assert 0 < second_fault.again < ONGOING


def test_it_goes_on_while_it_goes_on_elsewhere() -> None:
    busy, first, second = fail(0, 100, 3000, end=False), fail(1, 103, 190), fail(1, 2500, 2600)
    assert group(busy, first, second) == [[busy, first, second]]
    third = fail(2, 2700, 2800)
    assert group(busy, first, second, third) == [[busy, first, second, third]]
    assert find_faults((busy,), DEPLOYS)[0].until == inf
    assert not find_faults((busy,), DEPLOYS)[0].has_recovered


def test_after_a_repair_it_seldom_goes_on() -> None:
    fault = Fault()
    case, again = fail(0, 100, 200), fail(0, 260, 300)
    fault.add(case, 0.0)
    before = fault.goes_on(again, DEPLOYS["shop"])
    case.repairs = [Repair(5, 198.0)]
    weight = FIXED[0] * exp(-2 / REPAIR) / (REPAIR + case.error) / DEPLOYS["shop"]
    unrepaired = RECOVERED[0] / (RECOVERED[0] + weight)
    assert case.find_unrepaired(DEPLOYS["shop"]) == pytest.approx(unrepaired)
    assert unrepaired < 0.05
    expected = before * (VAIN + (1 - VAIN) * unrepaired)
    assert fault.goes_on(again, DEPLOYS["shop"]) == pytest.approx(expected)


def test_stray_failures_are_no_fault_that_goes_on() -> None:
    stray, real = fail(0, 100, 101), fail(1, 150, 400)
    stray.strays = 1.0
    assert group(stray, real) == [[stray], [real]]


def test_an_incident_that_strays_explain_as_well_says_nothing_about_the_beginning() -> None:
    first, stray = fail(0, 1000, 2000), fail(1, 1500, 1501)
    stray.strays = 1.0
    [fault] = find_faults((first, stray), DEPLOYS)
    assert fault.first == [first]
    assert fault.strays[1] > 0.99


def test_an_incident_that_opened_without_a_new_failure_is_the_one_before() -> None:
    case, later = fail(0, 100, 200), fail(0, 200, 260)
    later.repairs = [Repair(3, 255.0)]
    case.extend(later)
    assert (case.recovery, case.over, case.last_failure) == (260, 260, 260)
    assert case.onsets[0] == Sighting(100, 1.0, 80.0, 160.0)
    assert [one.change for one in case.repairs] == [3]
    case.extend(later)
    assert len(case.repairs) == 1


def test_a_quiet_endpoint_has_the_failure_rate_of_the_others() -> None:
    busy, quiet = fail(0, 100, 200), fail(1, 104, 104)
    quiet.interval = 20.0
    alone, fault = Fault(), Fault()
    alone.add(quiet, 0.0)
    fault.add(busy, 0.0)
    fault.add(quiet, 0.0)
    # Alone, its failures may be 20 s / 0.15 apart; with the other one, about 20 s / 0.5.
    assert alone.find_beginning((5.0,)).error == pytest.approx(20 / 0.15)
    assert 1 / fault.find_beginning((5.0,)).error == pytest.approx(1 / 2.4 + 1 / 45, rel=0.2)
    assert ANEW < ONGOING
