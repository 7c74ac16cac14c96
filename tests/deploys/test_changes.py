"""A change file is read in its own format, in order of time, and every record is accounted for."""

from __future__ import annotations

import json
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.events import Change, RejectedLine
from slomon.deploys.history import History, read_changes
from slomon.errors import ConfigurationError

SECOND = 1_000_000_000
INSTANT = 1543443091 * SECOND
LOS_ANGELES = ZoneInfo("America/Los_Angeles")

BLOCK = """\
commit: c1
Author: <ana@example.com>
Date: 2018-11-28 14:11:31
Service: shop
"""
HOSTILE = "\x1b[2J\u202e" * 2_500
SHAPE = "the lines 'commit: ', 'Author: ', 'Date: ' and 'Service: ', each with its text"
FORMS = (
    "blocks of the lines 'commit: ', 'Author: ', 'Date: ' and 'Service: '; what git log prints, "
    "in its default form, with --format=fuller, or as lines of a hash and a date; tags with their "
    "dates; JSON of deploys or CDEvents; CSV or aligned columns of deploys, with a header that "
    "names a commit's and a date's column, such as "
    "'commit,deployed_at'; --change-keys (change_keys=) names other columns"
)


def commits(changes: History) -> list[str]:
    return [change.commit for _, change in changes.changes]


@pytest.mark.parametrize(
    "text",
    [
        BLOCK,
        "\ufeff\r\n" + BLOCK.replace("\n", "\r\n"),
        BLOCK.replace("\n", "\n\n"),
        "commit c1ff\nAuthor: Ana <ana@example.com>\nDate:   Wed Nov 28 14:11:31 2018\n",
        '{"sha": "c1", "deployed_at": "2018-11-28 14:11:31"}',
        '[\n{"sha": "c1", "deployed_at": "2018-11-28 14:11:31"}\n]',
        "sha,deployed_at\nc1,2018-11-28 14:11:31\n",
    ],
)
def test_the_format_is_detected_from_the_text(text: str) -> None:
    changes = read_changes(text, zone=LOS_ANGELES)

    assert changes.rejected == []
    assert changes.changes[0][0] == INSTANT


def test_a_block_is_a_change_as_in_a_stream() -> None:
    assert read_changes(BLOCK, zone=LOS_ANGELES).changes == [
        (INSTANT, Change("c1", "<ana@example.com>", "2018-11-28 14:11:31", "shop"))
    ]


@pytest.mark.parametrize("text", ["", " \n\t\n", "\ufeff"])
def test_a_blank_file_has_no_changes(text: str) -> None:
    assert read_changes(text) == History([], [])


@pytest.mark.parametrize("text", ["[]", "[\n]\n", "sha,date\n"])
def test_a_file_of_no_records_has_no_changes(text: str) -> None:
    assert read_changes(text) == History([], [])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("c1 2018-11-28", "c1 2018-11-28"),
        ("\n[info] deployed\n", "[info] deployed\\n"),
        ("commits: 5\ncommit message", "commits: 5\\ncommit message"),
        ("sha,name\nc1,x", "sha,name\\nc1,x"),
        ("x" * 10_000, "x" * 80 + "... (10000 characters)"),
    ],
)
def test_a_file_of_another_format_is_rejected(text: str, shown: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_changes(text)
    assert str(caught.value) == f"the changes begin with '{shown}'; allowed: {FORMS}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n" + BLOCK, 2),
        (BLOCK.replace("31", "31Z") + "\n" + BLOCK, 6),
        (BLOCK.replace("31", "31 IST"), 1),
        ('{"sha": "c1", "date": 5}\n{"sha": "c1", "date": "2018-11-28 14:11:31"}', 2),
    ],
)
def test_a_date_without_a_zone_is_an_error_if_none_is_given(text: str, line: int) -> None:
    date = "2018-11-28 14:11:31 IST" if "IST" in text else "2018-11-28 14:11:31"
    with pytest.raises(ConfigurationError) as caught:
        read_changes(text)
    assert str(caught.value) == (
        f"line {line}: the date '{date}' has no offset from UTC, so it can't be compared with the "
        "times of accesses; allowed: a date with an offset, or --change-zone (change_zone=) with "
        "the zone of all dates without one"
    )


def test_a_malformed_date_rejects_only_its_record() -> None:
    changes = read_changes(BLOCK.replace("2018-11-28", "today") + BLOCK, zone=UTC)

    assert len(changes.changes) + len(changes.rejected) == 2
    assert commits(changes) == ["c1"]
    (rejected,) = changes.rejected
    assert rejected.line == 1
    assert rejected.text == BLOCK.replace("2018-11-28", "today").rstrip()
    assert rejected.reason.startswith("the date is 'today 14:11:31'; allowed: ")


def test_an_incomplete_block_rejects_no_other() -> None:
    head = "Date: 2018-11-28 14:11:31\n\nService: shop\n"
    changes = read_changes(f"{head}\ncommit: c0\nAuthor: x\n{BLOCK}commit: c2\n", zone=UTC)

    assert commits(changes) == ["c1"]
    assert changes.rejected == [
        RejectedLine(
            "", 1, head.replace("\n\n", "\n").rstrip(), f"it has lines: 2; allowed: {SHAPE}"
        ),
        RejectedLine("", 5, "commit: c0\nAuthor: x", f"it has lines: 2; allowed: {SHAPE}"),
        RejectedLine("", 11, "commit: c2", f"it has lines: 1; allowed: {SHAPE}"),
    ]


def test_a_record_without_a_service_has_the_service_given() -> None:
    text = '{"sha": "a", "ts": 2}\n{"sha": "b", "ts": 3, "app": "cart"}'

    assert [change.service for _, change in read_changes(text).changes] == ["", "cart"]
    assert [change.service for _, change in read_changes(text, service="shop").changes] == [
        "shop",
        "cart",
    ]


def deploys(*ticks: int) -> str:
    return "\n".join(json.dumps({"sha": str(n), "ts": tick}) for n, tick in enumerate(ticks))


@pytest.mark.parametrize(
    ("ticks", "order"),
    [
        ((1, 2, 3), "012"),
        ((3, 2, 1), "210"),
        ((2, 1, 3), "102"),
        ((1, 2, 2, 3), "0123"),  # from old to new: of two at once the first came first
        ((3, 2, 2, 1), "3210"),  # from new to old: the second did
        ((2, 2, 2), "012"),
    ],
)
def test_changes_come_in_the_order_in_which_they_were_made(
    ticks: tuple[int, ...], order: str
) -> None:
    assert commits(read_changes(deploys(*ticks))) == list(order)


def test_a_git_log_of_one_second_runs_from_new_to_old() -> None:
    text = "commit bbbb\nDate: 5\n\n    second\n\ncommit aaaa\nDate: 5\n\n    first\n"
    assert commits(read_changes(text)) == ["aaaa", "bbbb"]


@pytest.mark.parametrize(
    "text",
    [
        BLOCK.replace("c1", HOSTILE),
        json.dumps({"sha": HOSTILE, "ts": "2018-11-28 14:11:31"}),
        f"sha,ts\n{HOSTILE},2018-11-28 14:11:31",
    ],
    ids=["block", "json", "csv"],
)
def test_a_hostile_commit_is_kept_and_reasons_about_it_are_printable(text: str) -> None:
    assert len(commits(read_changes(text, zone=UTC))[0]) >= 10_000

    (rejected,) = read_changes(text.replace(":31", ":31" + HOSTILE), zone=UTC).rejected
    assert rejected.reason.isprintable()
    assert len(rejected.reason) < 400


@given(
    st.sampled_from(["sha,date\n", "{}\n", "commit: a\n", "commit abcd\n"]),
    st.text(alphabet='commit:{}[]",;\n\tshadte 0123ab\\', max_size=200),
)
def test_a_rejected_record_is_shown_whatever_its_text(head: str, text: str) -> None:
    changes = read_changes(head + text, zone=UTC)

    assert all(rejected.text.strip() for rejected in changes.rejected)
