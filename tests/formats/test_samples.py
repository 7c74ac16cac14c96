"""
Lines as they are found in the wild, for each format: from the vendors' own documentation, from
public samples, and mangled as files are, all with addresses that are nobody's. What is expected
was counted by hand.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from slomon.core.events import NO_STATUS, Access, Change, End, Malformed
from slomon.core.statuses import server_errors_fail
from slomon.formats.format import Format, Reading
from slomon.formats.recognition import recognise
from slomon.formats.registry import find_json_format, known_formats, regex_format

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
KNOWN = {form.name: form for form in known_formats(server_errors_fail)}


@dataclass(frozen=True)
class Expected:
    """What a sample holds. The reasons of what is rejected are given by how they begin."""

    detected: str | None
    accesses: int
    failures: int
    blank: int = 0
    changes: int = 0
    ends: int = 0
    excluded: int = 0
    rejected: dict[str, int] = field(default_factory=dict)


NO_TIME = "there is no ' [$time_local' in"
SAMPLE = {
    "plain.log": Expected(
        "plain",
        accesses=5,
        failures=2,
        blank=1,
        rejected={"the status is '0'": 1, "it has fields: 5": 1, "the timestamp is": 2},
    ),
    "events.jsonl": Expected(
        "events",
        accesses=4,
        failures=2,
        blank=1,
        changes=1,
        ends=1,
        rejected={
            "it has fields: 3": 1,
            "the type is 'acess'": 1,
            "it is not JSON": 1,
            "it has lines: 1": 1,
        },
    ),
    "apache_common.log": Expected(
        "combined", 12, failures=2, blank=1, rejected={"the request is '-'": 1, NO_TIME: 1}
    ),
    "apache_combined.log": Expected("combined", 26, failures=3, blank=1),
    "nginx_combined.log": Expected(
        "combined",
        accesses=13,
        failures=2,
        excluded=1,
        rejected={"the request is": 4, NO_TIME: 1},
    ),
    "vhost_combined.log": Expected("combined", 12, failures=2, rejected={"the request is": 3}),
    "traefik.log": Expected("traefik", 12, failures=2, excluded=1, rejected={NO_TIME: 1}),
    "ingress_nginx.log": Expected(
        "ingress-nginx", 11, failures=2, rejected={"the request is": 1, NO_TIME: 2}
    ),
    "wrapped.log": Expected(
        "combined",
        accesses=7,
        failures=2,
        blank=1,
        rejected={"the request is '-'": 1, "after $remote_addr stands ''": 1},
    ),
    "odd.log": Expected("combined", 14, failures=3, blank=2),
    "invalid.log": Expected(
        None,
        accesses=0,
        failures=0,
        excluded=1,
        rejected={
            "the time is": 5,
            "the time '17/May/2015:10:05:11' has no zone": 1,
            NO_TIME: 2,
            "after $time_local stands": 2,
            "after $request stands": 1,
            "the status is '600'": 1,
            "the request is": 5,
        },
    ),
    "caddy.log": Expected(
        "caddy",
        accesses=12,
        failures=3,
        blank=1,
        excluded=1,
        rejected={
            "it has no 'request.method'": 1,
            "it has no 'ts'": 1,
            "it has no JSON object": 1,
            "it is not JSON": 1,
            "the date is '1742472002.1234567891'": 1,
            "the time '2024-06-25 16:16:25' has no zone": 1,
        },
    ),
    "envoy.log": Expected(
        "envoy",
        accesses=9,
        failures=3,
        excluded=3,
        rejected={
            "the request is '- - HTTP/1.1'": 1,
            "the time is '2024-02-30T15:18:17.437Z'": 1,
            "the time '2024-02-28T15:18:17.437' has no zone": 1,
            "after $time_iso8601 stands '][7][info][main] ": 1,
            "it begins with '[sidecar-proxy-access] ": 1,
            "it begins with 'ACCESS ": 1,
        },
    ),
    "alb.log": Expected(
        "alb",
        accesses=11,
        failures=2,
        excluded=1,
        rejected={"the request is '-": 1, "after $received_bytes stands": 1},
    ),
    "clb.log": Expected("clb", accesses=3, failures=1, excluded=1),
    "nginx_json.log": Expected(
        None,
        accesses=7,
        failures=2,
        blank=1,
        rejected={
            "the method is ''": 1,
            "'status' is True": 1,
            "it has no 'request_uri'": 1,
            "it is not JSON": 1,
            "the status is '200.0'": 1,
            "the date is 'yesterday'": 1,
            "it has no JSON object": 1,
        },
    ),
    "application.log": Expected(
        None,
        accesses=6,
        failures=2,
        blank=1,
        rejected={
            "the pattern does not match": 2,
            "the time '2026-09-": 2,
            "the status is '999'": 1,
        },
    ),
}
CONFIGURED = {
    "invalid.log": KNOWN["combined"],
    "nginx_json.log": find_json_format(
        {
            "time": "time_date",
            "method": "request_method",
            "path": "request_uri",
            "status": "status",
        },
        Reading(server_errors_fail),
    ),
    "application.log": regex_format(
        r"(?P<time>.+?) INFO shop\.web (?P<method>\S+) (?P<path>\S+) -> (?P<status>\d+) in ",
        server_errors_fail,
    ),
}


def read_lines(name: str) -> list[str]:
    return (SAMPLES / name).read_text(encoding="utf-8").split("\n")[:-1]


def form_of(name: str) -> Format:
    return CONFIGURED.get(name) or KNOWN[str(SAMPLE[name].detected)]


def begin(reason: str, beginnings: dict[str, int]) -> str:
    return next((known for known in beginnings if reason.startswith(known)), reason)


def test_every_sample_is_expected() -> None:
    assert {path.name for path in SAMPLES.iterdir()} == set(SAMPLE)


@pytest.mark.parametrize("name", SAMPLE)
def test_the_format_of_a_sample_is_detected(name: str) -> None:
    lines = [line for line in read_lines(name) if line.strip()]
    found = recognise(lines, list(KNOWN.values()), Reading(server_errors_fail), lambda _: None)
    assert (None if isinstance(found, str) else found.format.name) == SAMPLE[name].detected


@pytest.mark.parametrize("name", SAMPLE)
def test_every_line_of_a_sample_is_accounted_for(name: str) -> None:
    expected, form = SAMPLE[name], form_of(name)
    lines = read_lines(name)
    outcomes = [form.parse(line) for line in lines if line.strip()]
    accesses = [outcome for outcome in outcomes if isinstance(outcome, Access)]
    malformed = [outcome.reason for outcome in outcomes if isinstance(outcome, Malformed)]

    assert len(accesses) == expected.accesses
    assert sum(access.failed for access in accesses) == expected.failures
    assert Counter(begin(reason, expected.rejected) for reason in malformed) == expected.rejected
    assert sum(isinstance(outcome, Change) for outcome in outcomes) == expected.changes
    assert outcomes.count(End()) == expected.ends
    assert outcomes.count(NO_STATUS) == expected.excluded
    assert len(lines) - len(outcomes) == expected.blank


def test_the_same_second_in_two_zones_is_one() -> None:
    ticks = [
        access.tick
        for line in read_lines("odd.log")
        if isinstance(access := form_of("odd.log").parse(line), Access)
        and access.resource == "/same/second"
    ]
    assert ticks == [1431857111_000_000_000] * 2
