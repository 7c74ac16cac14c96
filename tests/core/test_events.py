"""Every event is read, or there is a reason why it can't be."""

from __future__ import annotations

from array import array
from collections import UserDict
from collections.abc import Callable
from typing import cast

import pytest

from slomon.core.events import (
    Access,
    Change,
    End,
    Gap,
    Malformed,
    parse_access,
    parse_change,
    read_event,
    read_outcome,
)
from slomon.core.statuses import StatusRule, StatusTable, server_errors_fail

LINES = ("commit: c1", "Author: <ana@example.com>", "Date: 2018-11-28 14:11:31", "Service: shop")
CHANGE = Change("c1", "<ana@example.com>", "2018-11-28 14:11:31", "shop")

TYPES = "'access', 'change' and 'end-of-stream'"
ACCESS_FORM = "'<timestamp> <verb> <resource> <status>'"
STAMPS = "seconds since the epoch, a plain decimal of at most 9 places, before 2262"
CHANGE_FORM = "the lines 'commit: ', 'Author: ', 'Date: ' and 'Service: ', each with its text"


def lines(between: str = "\n", *, end: str = "\n") -> str:
    return between.join(LINES) + end


@pytest.mark.parametrize(
    ("event", "item"),
    [
        ({"type": "access", "value": "5 GET /a 200"}, "5 GET /a 200"),
        (UserDict({"type": "access", "value": "5 GET /a 200"}), "5 GET /a 200"),
        ({"type": "change", "value": lines()}, CHANGE),
        ({"type": "end-of-stream", "value": "end-of-stream"}, End()),
        ({"type": "end-of-stream"}, End()),
        ({"type": "end-of-stream", "value": 5}, End()),
        ({"type": "end-of-stream", "value": ""}, End()),
        ({"type": "end-of-stream", "value": "5."}, End()),
        ({"type": "end-of-stream", "value": "1543443091.27"}, End(1543443091_270_000_000)),
        (Malformed("torn", "not JSON"), Malformed("torn", "not JSON")),
    ],
)
def test_an_event_is_read_by_its_type(event: object, item: object) -> None:
    assert read_event(event) == item


@pytest.mark.parametrize(
    ("event", "text", "reason"),
    [
        (None, "None", "an event is a dict, not NoneType"),
        ("access", "access", "an event is a dict, not str"),
        (b"access", "b'access'", "an event is a dict, not bytes"),
        (["access", "x"], "['access', 'x']", "an event is a dict, not list"),
        ({}, "{}", f"it has no type; allowed: {TYPES}"),
        ({"value": "x"}, "{'value': 'x'}", f"it has no type; allowed: {TYPES}"),
        ({"type": "get"}, "{'type': 'get'}", f"the type is 'get'; allowed: {TYPES}"),
        ({"type": "Access"}, "{'type': 'Access'}", f"the type is 'Access'; allowed: {TYPES}"),
        ({"type": None}, "{'type': None}", f"the type is None; allowed: {TYPES}"),
        ({"type": ["access"]}, "{'type': ['access']}", f"the type is ['access']; allowed: {TYPES}"),
        ({"type": "access"}, "{'type': 'access'}", "it has no value; allowed: text"),
        ({"type": "change"}, "{'type': 'change'}", "it has no value; allowed: text"),
    ],
)
def test_what_is_no_event_says_why(event: object, text: str, reason: str) -> None:
    assert read_event(event) == Malformed(text, reason)


NOT_TEXT = [(None, "None"), (5, "5"), (b"5 GET /a 200", "b'5 GET /a 200'"), (["x"], "['x']")]


@pytest.mark.parametrize("kind", ["access", "change"])
@pytest.mark.parametrize(("value", "shown"), NOT_TEXT)
def test_a_value_that_is_not_text_is_malformed(kind: str, value: object, shown: str) -> None:
    event = {"type": kind, "value": value}
    assert read_event(event) == Malformed(repr(event), f"the value is {shown}; allowed: text")


@pytest.mark.parametrize(
    ("line", "access"),
    [
        ("5 GET /a 200", Access(5_000_000_000, "GET", "/a", failed=False)),
        ("0.5 POST /a/b 500", Access(500_000_000, "POST", "/a/b", failed=True)),
        ("5 \u00e9 \u2028 100", Access(5_000_000_000, "\u00e9", "\u2028", failed=False)),
    ],
)
def test_an_access_is_four_fields(line: str, access: Access) -> None:
    assert parse_access(line) == access


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", "it has fields: 1"),
        ("5", "it has fields: 1"),
        ("5 GET /a", "it has fields: 3"),
        ("5 GET /a 200 x", "it has fields: 5"),
        ("5 GET /a 200 ", "it has fields: 5"),
        (" 5 GET /a 200", "it has fields: 5"),
        ("5  GET /a 200", "it has fields: 5"),
        ("5  GET /a", "a field is empty"),
        ("5 GET /a ", "a field is empty"),
        ("   ", "a field is empty"),
        ("5\tGET\t/a\t200", "it has fields: 1"),
        ("5\u00a0GET\u00a0/a\u00a0200", "it has fields: 1"),
    ],
)
def test_an_access_of_other_fields_is_malformed(line: str, found: str) -> None:
    assert parse_access(line) == Malformed(line, f"{found}; allowed: {ACCESS_FORM}")


@pytest.mark.parametrize(
    ("stamp", "shown"),
    [
        ("x", "x"),
        ("nan", "nan"),
        ("-5", "-5"),
        ("5e9", "5e9"),
        ("5.", "5."),
        ("\n5", "\\n5"),
        ("\uff15", "\uff15"),
        ("5.0123456789", "5.0123456789"),
        ("9223372036.854775808", "9223372036.854775808"),
    ],
)
def test_an_access_with_a_wrong_timestamp_is_malformed(stamp: str, shown: str) -> None:
    line = f"{stamp} GET /a 200"
    assert parse_access(line) == Malformed(line, f"the timestamp is '{shown}'; allowed: {STAMPS}")


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("ok", "ok"),
        ("0", "0"),
        ("99", "99"),
        ("600", "600"),
        ("999", "999"),
        ("-200", "-200"),
        ("+200", "+200"),
        ("0200", "0200"),
        ("020", "020"),
        ("2e2", "2e2"),
        ("20_0", "20_0"),
        ("200\n", "200\\n"),
        ("200\r\n", "200\\r\\n"),
        ("\uff12\uff10\uff10", "\uff12\uff10\uff10"),
        ("\u0662\u0660\u0660", "\u0662\u0660\u0660"),
    ],
)
def test_an_access_with_a_wrong_status_is_malformed(status: str, shown: str) -> None:
    line = f"5 GET /a {status}"
    assert parse_access(line) == Malformed(
        line, f"the status is '{shown}'; allowed: one that the rule knows, by default 100 to 599"
    )


@pytest.mark.parametrize(("status", "failed"), [("200", False), ("499", False), ("500", True)])
def test_a_status_is_judged_by_the_rule(status: str, failed: bool) -> None:
    access = read_outcome("line", 5, ("GET", "/"), status, server_errors_fail)
    assert access == Access(5, "GET", "/", failed=failed)


@pytest.mark.parametrize(
    "status", ["", "-", "0", "000", "600", "2000", "200.0", "\u0662\u0660\u0660"]
)
def test_a_status_that_no_request_has_is_malformed(status: str) -> None:
    assert read_outcome("line", 5, ("GET", "/"), status, server_errors_fail) == Malformed(
        "line", f"the status is '{status}'; allowed: one that the rule knows, by default 100 to 599"
    )


def test_statuses_of_server_errors_fail_and_the_other_ones_succeed() -> None:
    judged = {status: server_errors_fail(status) for status in range(1000)}
    assert {status for status, failed in judged.items() if failed} == set(range(500, 600))
    assert {status for status, failed in judged.items() if failed is False} == set(range(100, 500))


def missing_pages_fail(status: int) -> bool | None:
    return None if status == 418 else status == 404


@pytest.mark.parametrize(
    ("status", "rule", "failed"),
    [
        ("404", missing_pages_fail, True),
        ("500", missing_pages_fail, False),
        ("999", missing_pages_fail, False),  # its own rule says what statuses there are
        ("404", server_errors_fail, False),
    ],
)
def test_another_rule_says_which_statuses_fail(status: str, rule: StatusRule, failed: bool) -> None:
    assert parse_access(f"5 GET /a {status}", rule) == Access(
        5_000_000_000, "GET", "/a", failed=failed
    )


def test_a_rule_may_answer_with_whatever_is_true() -> None:
    access = parse_access("5 GET /a 204", cast(StatusRule, lambda status: status - 200))
    assert isinstance(access, Access)
    assert access.failed is True


def test_another_rule_says_which_statuses_there_are_not() -> None:
    assert isinstance(parse_access("5 GET /a 418", missing_pages_fail), Malformed)


def test_a_status_table_has_the_answers_of_its_rule() -> None:
    table = StatusTable.from_rule(server_errors_fail)
    assert table.answers == tuple(map(server_errors_fail, range(1000)))
    assert [table.failed(status) for status in (-1, 99, 200, 500, 600, 999, 1000)] == [
        *(None, None, False, True, None, None, None)
    ]
    assert table.column(2) == array("q", [2] * 100 + [0] * 400 + [1] * 100 + [2] * 400)
    assert table.describe() == "100-499 succeed, 500-599 fail"


def test_a_status_table_has_no_answer_where_the_rule_raises_and_asks_it_once() -> None:
    asked = []

    def rule(status: int) -> bool:
        asked.append(status)
        return {0: False, 1: True, 2: cast(bool, "yes"), 404: True}[status]

    table = StatusTable.from_rule(rule)
    assert asked == list(range(1000))
    assert table.answers[:4] == (False, True, True, None)
    assert table.describe() == "0-0 succeed, 1-2 fail, 404-404 fail"


@pytest.mark.parametrize(
    ("text", "change"),
    [
        (lines(), CHANGE),
        (lines(end=""), CHANGE),
        (
            "commit: c 1\nAuthor: <<a@x.org>>\nDate: Wed Nov 28 14:11:31 PST 2018\nService: a: b",
            Change("c 1", "<<a@x.org>>", "Wed Nov 28 14:11:31 PST 2018", "a: b"),
        ),
        (
            lines().replace("<ana@example.com>", "a\u2028b\x0bc"),  # not line ends to anyone else
            Change("c1", "a\u2028b\x0bc", CHANGE.date, "shop"),
        ),
    ],
)
def test_a_change_is_four_lines(text: str, change: Change) -> None:
    assert parse_change(text) == change


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ("", 1),
        ("\n", 1),
        ("\n".join(LINES[:3]), 3),
        ("\n".join(LINES[1:]), 3),
        (lines() + LINES[3], 5),
        (lines(end="\n\n"), 5),
        ("\n" + lines(), 5),
        (lines("\r"), 1),
        (lines(" "), 1),
        (lines("\n\n"), 7),
    ],
)
def test_a_change_of_more_or_fewer_lines_is_malformed(value: str, count: int) -> None:
    assert parse_change(value) == Malformed(value, f"it has lines: {count}; allowed: {CHANGE_FORM}")


@pytest.mark.parametrize(
    ("value", "number", "shown"),
    [
        (lines("\r\n", end="\r\n"), 1, "commit: c1\\r"),
        (lines(end="\r"), 4, "Service: shop\\r"),
        ("\n".join(reversed(LINES)), 1, "Service: shop"),
        ("\n".join((LINES[0], LINES[0], *LINES[2:])), 2, "commit: c1"),
        ("\n".join((*LINES[:2], LINES[3], LINES[2])), 3, "Service: shop"),
        (lines().replace("commit: c1", "commit: "), 1, "commit: "),
        (lines().replace("commit: c1", "commit:  \t"), 1, "commit:  \\t"),
        (lines().replace("commit: ", "commit:"), 1, "commit:c1"),
        (lines().replace("commit", "Commit"), 1, "Commit: c1"),
        (lines().replace("commit", " commit"), 1, " commit: c1"),
        (lines().replace("Service: shop", "Service:"), 4, "Service:"),
    ],
)
def test_a_change_with_a_wrong_line_names_it(value: str, number: int, shown: str) -> None:
    assert parse_change(value) == Malformed(
        value, f"line {number} is '{shown}'; allowed: {CHANGE_FORM}"
    )


HOSTILE = "\x1b[2J\u202e\r\u0007\u05d0" * 125_000  # a million characters


@pytest.mark.parametrize(
    ("read", "event"),
    [
        pytest.param(parse_access, HOSTILE, id="line"),
        pytest.param(parse_access, f"{HOSTILE} GET /a 200", id="timestamp"),
        pytest.param(parse_access, f"5 GET /a {HOSTILE}", id="status"),
        pytest.param(read_event, {"type": "access", "value": [HOSTILE]}, id="value"),
        pytest.param(parse_change, HOSTILE, id="change"),
        pytest.param(parse_change, lines().replace("commit: ", HOSTILE), id="line of a change"),
        pytest.param(parse_change, lines() + "\n" * 1_000_000, id="lines of a change"),
        pytest.param(read_event, {"type": HOSTILE}, id="type"),
        pytest.param(
            read_event, {"type": "rejected", "value": "5", "reason": HOSTILE}, id="reason"
        ),
        pytest.param(
            read_event, {"type": "rejected", "value": "5", "reason": "x" * 10_000}, id="long reason"
        ),
        pytest.param(read_event, HOSTILE.encode(), id="event"),
    ],
)
def test_a_reason_is_printable_and_bounded_whatever_the_text(
    read: Callable[[object], object], event: object
) -> None:
    malformed = read(event)
    assert isinstance(malformed, Malformed)
    assert malformed.reason.isprintable()
    assert len(malformed.reason) < 1000


def test_the_text_of_an_event_of_unknown_type_is_the_whole_event() -> None:
    event = {"host": "a", "id": 7, "pid": 1, "type": "acess", "value": "5 GET /a 200", "zone": 2}
    assert read_event(event) == Malformed(repr(event), f"the type is 'acess'; allowed: {TYPES}")


def test_an_event_that_was_rejected_when_it_was_recorded_is_rejected_for_the_same_reason() -> None:
    event = {"type": "rejected", "value": "9 GET /a 200", "reason": "the timestamp is 9"}
    assert read_event(event) == Malformed("9 GET /a 200", "the timestamp is 9")
    assert read_event({**event, "reason": 7}) == Malformed(
        "9 GET /a 200", "it has no reason that can be shown"
    )
    assert isinstance(read_event({**event, "value": 7}), Malformed)


def test_a_gap_says_how_many_events_are_missing_and_from_when_to_when() -> None:
    gap = Gap(12, 1_500_000_000, 7 * 10**9 + 1)
    assert gap.show() == "12 1.500000000 7.000000001"
    assert read_event({"type": "gap", "value": gap.show()}) == gap


@pytest.mark.parametrize("value", ["", "12", "12 1", "12 1 2 3", "x 1 2", "-1 1 2", "1 1 x", 12])
def test_a_gap_that_says_something_else_is_malformed(value: object) -> None:
    assert isinstance(read_event({"type": "gap", "value": value}), Malformed)


def test_a_rule_that_raises_says_nothing_before_a_request_asks() -> None:
    def only_even(status: int) -> bool:
        if status % 2:
            raise ValueError(status)
        return status == 500

    table = StatusTable.from_rule(only_even)
    assert [table.failed(status) for status in (200, 201, 500)] == [False, None, True]
