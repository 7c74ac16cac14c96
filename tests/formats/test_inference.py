"""Layouts are inferred from the first lines, or refused."""

from __future__ import annotations

from datetime import UTC
from random import Random

import pytest

from slomon.core.events import Access
from slomon.core.statuses import server_errors_fail
from slomon.formats.format import Ambiguity
from slomon.formats.inference import infer
from slomon.formats.layout import Layout
from slomon.formats.layout_lines import make_parser
from tests.formats.other_logs import LINES
from tests.formats.random_layouts import Log, draw_log

_HEAD = 100


def _judge(log: Log) -> str:
    """Infer from the first lines, and compare all lines with what they say."""
    layout = infer(log.lines[:_HEAD])
    if not isinstance(layout, Layout):
        return "refused"
    parse = make_parser(layout, server_errors_fail, UTC)
    for line, truth in zip(log.lines, log.truths, strict=True):
        found = parse(line)
        if not isinstance(found, Access):
            return "incomplete"
        near = abs(found.tick / 1e9 - truth.second) < 1.1  # some layouts drop the fraction
        same = (found.verb, found.resource) == (truth.verb, truth.path)
        if not near or not same or found.failed != (truth.status >= 500):
            return "wrong"
    return "right"


def _judge_all(seeds: range) -> dict[str, int]:
    answers = [_judge(draw_log(seed, 2 * _HEAD)) for seed in seeds]
    return {answer: answers.count(answer) for answer in sorted(set(answers))}


@pytest.mark.slow
def test_random_layouts_are_inferred_and_never_wrong() -> None:
    answers = _judge_all(range(100))
    assert answers["right"] >= 95
    assert "wrong" not in answers


@pytest.mark.slow
def test_many_random_layouts_are_inferred_and_never_wrong() -> None:
    answers = _judge_all(range(10_000, 10_300))
    assert answers["right"] >= 285
    assert "wrong" not in answers


@pytest.mark.parametrize("kind", LINES)
def test_other_logs_are_refused(kind: str) -> None:
    random = Random(kind)
    lines = [LINES[kind].format(n=random.randrange(100, 999), d=i % 10) for i in range(60)]
    assert infer(lines) is None


def test_two_statuses_that_disagree_are_ambiguous() -> None:
    random = Random(1)
    lines = [
        f"2025-03-10T12:00:{second:02}Z {random.choice([200, 404, 503])} GET /cart "
        f"{random.choice([200, 301, 502])}"
        for second in range(60)
    ]
    found = infer(lines)
    assert isinstance(found, Ambiguity)
    assert len({layout.show() for layout in found.layouts}) == 2


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ('{time} 192.0.2.1 "GET /cart HTTP/1.1" {one} {other} 0.1', '"$request" $status'),
        ('{time} {one} 192.0.2.1 "GET /cart HTTP/1.1" {other} 0.1', ""),
    ],
)
def test_statuses_that_mostly_agree_are_told_by_their_place_behind_the_request(
    line: str, status: str
) -> None:
    lines = [
        line.format(
            time=f"2025-03-10T12:00:{second:02}Z",
            one=502 if second == 7 else 200 + second % 2,
            other=200 + second % 2,
        )
        for second in range(50)
    ]
    found = infer(lines)
    assert status in found.show() if isinstance(found, Layout) else isinstance(found, Ambiguity)
    assert isinstance(found, Layout) == bool(status)


def test_a_target_may_be_a_whole_url() -> None:
    lines = [
        f'2025-03-10T12:00:{second:02}Z GET 200 "https://shop.example.com/cart?a=1" 0.1'
        for second in range(20)
    ]
    found = infer(lines)
    assert isinstance(found, Layout)
    assert found.show() == '$time_iso8601 $request_method $status "$request_uri" $request_time'


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "{time}|192.0.2.1|{host}|GET /cart HTTP/1.1|200",
            "$time_iso8601|$_|$host|$request|$status",
        ),
        ('{time} "GET /cart HTTP/1.1" 200 {host}', '$time_iso8601 "$request" $status $host'),
        ('{time} to={host} "GET /cart HTTP/1.1" 200', '$time_iso8601 $_ "$request" $status'),
        (
            '{time} vhost={host} "GET /cart HTTP/1.1" 200',
            '$time_iso8601 vhost=$host "$request" $status',
        ),
        ('{time} web1.{host} "GET /cart HTTP/1.1" 200', '$time_iso8601 $_ "$request" $status'),
        (
            '{time} app.{host}.access "GET /cart HTTP/1.1" 200',
            '$time_iso8601 $_ "$request" $status',
        ),
        ('{time} {host} {host} "GET /cart HTTP/1.1" 200', '$time_iso8601 $_ $_ "$request" $status'),
    ],
)
def test_a_virtual_host_is_found_but_no_machine(line: str, shown: str) -> None:
    hosts = ["shop.example.com", "www.example.com", "192.0.2.9"]
    lines = [
        line.format(time=f"2025-03-10T12:00:{second:02}Z", host=hosts[(second % 5) // 2])
        for second in range(50)
    ]
    found = infer(lines)
    assert isinstance(found, Layout)
    assert found.show() == shown


def test_an_hour_before_noon_or_after_it_is_no_time() -> None:
    lines = [f"2025-03-10 01:00:{second:02} PM GET /cart 200" for second in range(20)]
    assert infer(lines) is None


def test_error_lines_beside_the_requests_are_ignored() -> None:
    error = LINES["nginx error"].format(n=1, d=1)
    access = '192.0.2.1 - [29/Nov/2023:13:20:{:02} +0000] "GET /cart HTTP/1.1" 502 157'
    lines = [line for second in range(30) for line in (error, error, access.format(second))]
    found = infer(lines)
    assert isinstance(found, Layout)
    assert found.show() == '$_ $_ [$time_local] "$request" $status'


def test_a_time_that_names_its_zone_comes_before_one_that_does_not() -> None:
    lines = [
        f"2025-03-10 14:00:{second:02},123 INFO 192.0.2.1 - 10/Mar/2025:14:00:{second:02} +0200 "
        '"GET /cart HTTP/1.1" 200 5'
        for second in range(20)
    ]
    found = infer(lines)
    assert isinstance(found, Layout)
    assert found.show() == '$_ $_ $_ $_ $_ $time_local "$request" $status'


@pytest.mark.parametrize(("unit", "field"), [("ms", "duration_ms"), ("us", "duration_us")])
def test_the_unit_of_a_duration_may_be_a_word_of_its_own(unit: str, field: str) -> None:
    lines = [
        f"2025-03-10T12:00:{second:02}Z GET /cart 200 {second}.345 {unit} - 5"
        for second in range(20)
    ]
    found = infer(lines)
    assert isinstance(found, Layout)
    assert found.show() == f"$time_iso8601 $request_method $request_uri $status ${field}"


def test_no_lines_have_no_layout() -> None:
    assert infer([]) is None
