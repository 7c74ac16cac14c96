"""The timeline: where a bar begins and ends, and what stands below it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from slomon.core.attribution import Attribution, Verdict
from slomon.core.events import EVERY_SERVICE
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.core.metrics import Deploy
from slomon.core.summary import Summary
from slomon.report.screen import Screen
from slomon.report.timeline import show_timeline
from tests.report.records import attribution, record
from tests.report.terminal_summaries import build, summary

MIDNIGHT = 1_543_363_200.0  # 2018-11-28 00:00:00 UTC
WIDTH = 46  # 40 columns for what happens, where services are named by four letters
HOUR = 3600.0


def deploy(commit: str, minute: float, service: str = "shop") -> Deploy:
    return Deploy(service, commit, "ana", "", MIDNIGHT + 60 * minute)


def incident_at(
    minute: float,
    lasted: float | None,
    service: str = "shop",
    *,
    broken_by: Attribution | None = None,
    state: State | None = None,
    failures: int = 5,
) -> IncidentRecord:
    return record(
        service,
        start=MIDNIGHT + 60 * minute,
        lasted=None if lasted is None else 60 * lasted,
        broken_by=broken_by,
        state=state,
        failures=failures,
    )


def forty_minutes(
    *found: IncidentRecord, deploys: Sequence[Deploy] = (), quiet: Sequence[str] = ()
) -> Summary:
    """A run in which a column is a minute."""
    ended = MIDNIGHT + 40 * 60
    return summary(*found, deploys=deploys, quiet=quiet, began=MIDNIGHT, ended=ended)


def draw(run: Summary, *, width: int = WIDTH, encoding: str = "utf-8") -> list[str]:
    return list(show_timeline(run, Screen(width, encoding)))


def test_a_lane_has_its_incidents_as_bars_and_its_deploys_below() -> None:
    run = forty_minutes(
        incident_at(6.75, 4),
        incident_at(30.75, None, broken_by=attribution("c9", verdict=Verdict.UNEXPLAINED)),
        incident_at(14, 2, state=State.EXPIRED),
        deploys=[
            deploy("c0", 0),
            deploy("c1", 4),
            deploy("c9", 25),
            deploy("c2", 39, EVERY_SERVICE),
        ],
    )

    assert draw(run)[:4] == [
        "shop  ──────█████───▒▒▒─────────────█████████▶",
        "      ╵   ▲                    ╵             ╵",
        "      ┬─────────┬─────────┬─────────┬─────────",
        "      11-28     00:10     00:20     00:30",
    ]
    assert draw(run)[4:] == [
        "2018-11-28 00:00:00 to 2018-11-28 00:40:00",
        "UTC; a column is 1m",
        "█ broken  ▒ expired  ▶ still open  ╵ deploy",
        "▲ deploy that broke it",
    ]


def test_an_encoding_without_these_characters_gets_ascii() -> None:
    lines = draw(
        forty_minutes(incident_at(6, None), deploys=[deploy("c1", 4), deploy("c2", 5)]),
        encoding="ascii",
    )

    assert lines[:3] == [
        "shop  ......#################################>",
        "          ^'",
        "      +---------+---------+---------+---------",
    ]


def test_the_worst_services_come_first_and_ten_are_shown() -> None:
    found = [incident_at(1, 1, f"s{number:03}", failures=number + 1) for number in range(40)]
    lines = draw(forty_minutes(*found))

    assert [line[:4] for line in lines[:11]] == [
        f"s{number:03}" for number in range(39, 29, -1)
    ] + [" " * 4]
    assert lines[12] == "… and 30 more"


def test_a_service_that_was_deployed_and_did_not_break_comes_last() -> None:
    deploys = [deploy("c8", 5, "calm"), deploy("c9", 9, EVERY_SERVICE)]
    lines = draw(forty_minutes(incident_at(1, 1), deploys=deploys, quiet=["calm", "quiet"]))

    assert lines[:5] == [
        "shop  ─██─────────────────────────────────────",
        "               ╵",
        "calm  ────────────────────────────────────────",
        "           ╵   ╵",
        "      ┬─────────┬─────────┬─────────┬─────────",
    ]


def test_a_deploy_of_another_service_or_outside_the_run_is_not_shown() -> None:
    others = [deploy("c1", -1), deploy("c1", 41), deploy("c1", 5, "cart")]

    assert draw(forty_minutes(incident_at(6, 1), deploys=others))[1].startswith("cart  ──")


def test_of_deploys_in_one_column_the_one_that_broke_it_is_seen() -> None:
    both = [deploy("c1", 4), deploy("c2", 4.5)]

    assert draw(forty_minutes(incident_at(6, 1), deploys=both))[1] == "          ▲"


def test_of_a_commit_deployed_several_times_only_what_broke_something_is_marked() -> None:
    deploys = [
        *(deploy("c1", 1), deploy("c1", 4), deploy("c1", 30)),
        *(deploy("c1", 8, "calm"), deploy("c1", 20, EVERY_SERVICE)),
    ]
    run = forty_minutes(
        incident_at(6, 1, broken_by=attribution("c1", age=120)),
        incident_at(22, 1, "cart", broken_by=attribution("c1", age=120)),
        deploys=deploys,
    )

    assert draw(run)[:6] == [
        "shop  ──────██────────────────────────────────",
        "       ╵  ▲               ╵         ╵",
        "cart  ──────────────────────██────────────────",
        "                          ▲",
        "calm  ────────────────────────────────────────",
        "              ╵           ╵",
    ]


def test_only_what_broke_is_red() -> None:
    run = forty_minutes(incident_at(0, 39), deploys=[deploy("c1", 3), deploy("c2", 5)])
    lines = list(show_timeline(run, Screen(WIDTH, colour=True)))

    assert lines[0] == "shop  \x1b[31m" + "█" * 40 + "\x1b[0m"
    assert lines[1] == "         \x1b[31m▲\x1b[0m ╵"


def test_a_long_name_leaves_room_for_what_happens() -> None:
    lines = draw(forty_minutes(incident_at(6, 1, "a-service-of-a-very-long-name")), width=40)

    assert lines[0].startswith("a-service…  ──")
    assert len(lines[0]) == 40


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        (0.02, ["00:00:00.000", "00:00:00.010"]),
        (40.0, ["00:00:00", "00:00:10", "00:00:20", "00:00:30"]),
        (12 * HOUR, ["11-28", "03:00", "06:00", "09:00"]),
        (60 * HOUR, ["11-28", "12:00", "11-29", "12:00", "11-30"]),
        (21 * 24 * HOUR, ["2018-11-29", "2018-12-06", "2018-12-13"]),
        (200 * 365 * 24 * HOUR, ["2069-12-07", "2169-11-13"]),
    ],
)
def test_the_axis_says_what_its_ticks_are(seconds: float, labels: list[str]) -> None:
    run = summary(record("shop", start=MIDNIGHT), began=MIDNIGHT, ended=MIDNIGHT + seconds)

    assert draw(run)[2].split() == labels


def test_a_run_of_a_single_moment_has_one_tick() -> None:
    run = summary(record("shop", start=MIDNIGHT, lasted=None), began=MIDNIGHT, ended=MIDNIGHT)

    assert draw(run)[:3] == [
        "shop  █" + "─" * 38 + "▶",
        "      ┬" + "─" * 39,
        "      00:00:00",
    ]


def test_where_nothing_happened_there_is_no_timeline() -> None:
    assert draw(summary(quiet=["calm"])) == []


def test_lanes_are_as_wide_as_the_screen() -> None:
    assert all(len(line) == 97 for line in draw(build(3), width=97) if "─" in line)
