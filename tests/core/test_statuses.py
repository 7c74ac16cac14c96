"""Rules of which statuses fail, as texts list them."""

from __future__ import annotations

import pytest

from slomon.core.statuses import StatusTable, parse_statuses, server_errors_fail


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("5xx", StatusTable.from_rule(server_errors_fail).describe()),
        ("5XX, 404", "100-403 succeed, 404-404 fail, 405-499 succeed, 500-599 fail"),
        ("500-504", "100-499 succeed, 500-504 fail, 505-599 succeed"),
        ("100", "100-100 fail, 101-599 succeed"),
        ("4xx,404,599", "100-399 succeed, 400-499 fail, 500-598 succeed, 599-599 fail"),
        ("429-429", "100-428 succeed, 429-429 fail, 430-599 succeed"),
    ],
)
def test_a_text_lists_the_statuses_that_fail(text: str, answers: str) -> None:
    rule = parse_statuses(text)
    assert rule is not None
    assert StatusTable.from_rule(rule).describe() == answers


@pytest.mark.parametrize(
    "text",
    ["", ",", "5xx,", "6xx", "0xx", "5x", "xxx", "99", "600", "5000", "504-500", "500-", "-504"],
)
def test_any_other_text_is_no_rule(text: str) -> None:
    assert parse_statuses(text) is None


@pytest.mark.parametrize("text", ["5xx-599", "500-5xx", "500 504", "\u0665\u0660\u0660", "500.0"])
def test_a_text_that_resembles_a_rule_is_none(text: str) -> None:
    assert parse_statuses(text) is None
