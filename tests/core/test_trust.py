"""A run whose accesses come late says so."""

from __future__ import annotations

import pytest

from slomon.core.events import Accounting
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.trust import ResultWarning, warn_of_late_accesses


@pytest.mark.parametrize(("late", "warns"), [(0, 0), (10, 0), (11, 1), (1000, 1)])
def test_more_than_one_late_access_in_a_hundred_is_a_warning(late: int, warns: int) -> None:
    assert len(warn_of_late_accesses(Accounting(events=1000, accesses=1000, late=late))) == warns


def test_a_run_without_an_access_has_no_late_one() -> None:
    assert warn_of_late_accesses(Accounting()) == []


def test_a_warning_says_how_many_accesses_are_late_and_what_to_do() -> None:
    counted = Accounting(events=3000, accesses=2000, late=500)
    (warning,) = warn_of_late_accesses(counted, "sort them")
    assert warning == ResultWarning(
        "late_accesses",
        "500 of 2,000 accesses (25.0%) are late: older than one before them to the same endpoint, "
        "so they count at a later time; sort them",
    )


def test_a_monitor_and_its_summary_have_the_warning_and_a_notebook_shows_it() -> None:
    monitor = ServiceMonitor((), Accounting(events=2, accesses=2, late=1))
    (warning,) = monitor.warnings
    assert monitor.summary().warnings == [warning]
    assert monitor._repr_html_().startswith("<p>Warning: 1 of 2 accesses (50.0%) are late")


def test_a_replay_has_warnings_of_its_own_instead() -> None:
    own = [ResultWarning("newest_first", "turn it round", certain=True)]
    late = Accounting(events=2, accesses=2, late=1)
    assert ServiceMonitor((), late, warnings=own).warnings == own
    assert ServiceMonitor((), late, warnings=[]).warnings == []
