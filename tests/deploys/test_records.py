"""Deploys are read from JSON and CSV by the names of their fields."""

from __future__ import annotations

import json
from datetime import UTC

import pytest

from slomon.core.events import Change, RejectedLine
from slomon.deploys.history import read_changes

FIRST = '{"sha": "a", "ts": 5}'
SECOND = '{"sha": "b", "ts": 6.000000001}'
BOTH = [
    (5_000_000_000, Change("a", "", "5", "")),
    (6_000_000_001, Change("b", "", "6.000000001", "")),
]
NO_COMMIT = (
    "it has no commit; allowed: text in a field such as 'commit', 'sha', 'revision' or 'version', "
    "or the one that --change-keys (change_keys=) names"
)
NO_DATE = (
    "it has no date; allowed: text in a field such as 'deployed_at', 'finished_at', 'timestamp' "
    "or 'date', or the one that --change-keys (change_keys=) names"
)
OBJECT = "an object of JSON"
TORN = "it is no row: a quote in it is out of place or never closed, or a field too long"


def only(fields: dict[str, object]) -> Change:
    ((_, change),) = read_changes(json.dumps(fields), zone=UTC).changes
    return change


def reason(text: str) -> str:
    (rejected,) = read_changes(text).rejected
    return rejected.reason


@pytest.mark.parametrize(
    "text",
    [
        f"{FIRST}\n{SECOND}\n",
        f"\n{FIRST}\n\n{SECOND}",
        f"[{FIRST}, {SECOND}]",
        f"[\n  {FIRST},\n  {SECOND}\n]\n",
        json.dumps([json.loads(FIRST)], indent=2) + SECOND,
    ],
)
def test_objects_stand_in_lines_or_in_an_array(text: str) -> None:
    changes = read_changes(text)

    assert changes.changes == BOTH


@pytest.mark.parametrize(
    ("text", "rejected"),
    [
        (
            f"{FIRST}\nnot JSON {{}}\n{SECOND}",
            RejectedLine(
                "",
                2,
                "not JSON {}",
                f"it is not JSON: Expecting value: line 1 column 1 (char 0); allowed: {OBJECT}",
            ),
        ),
        (
            f"[\n{FIRST}, 5,\n{SECOND}]",
            RejectedLine("", 2, "5", f"it is '5'; allowed: {OBJECT}"),
        ),
        (f'{FIRST}\n{{"ts": 7}}\n{SECOND}', RejectedLine("", 2, '{"ts": 7}', NO_COMMIT)),
    ],
)
def test_a_malformed_deploy_rejects_no_other(text: str, rejected: RejectedLine) -> None:
    changes = read_changes(text)

    assert changes.changes == BOTH
    assert changes.rejected == [rejected]


def test_an_object_that_is_too_deep_rejects_only_its_line() -> None:
    line = '{"a":' * 100_000
    changes = read_changes(f"{FIRST}\n{line}\n{SECOND}")

    assert changes.changes == BOTH
    assert len(changes.rejected) == 1


def test_an_object_may_be_long() -> None:
    line = json.dumps({"sha": "c", "ts": "7", "log": "x" * 3_000_000})
    changes = read_changes(f"{FIRST}\n{line}\n{SECOND}")

    assert [change.commit for _, change in changes.changes] == ["a", "b", "c"]
    assert changes.rejected == []


def test_many_objects_without_an_end_are_rejected_in_linear_time() -> None:
    line = '{"sha": "' + "x" * 500
    changes = read_changes(f"{FIRST}\n" + f"{line}\n" * 5_000 + SECOND)

    assert changes.changes == BOTH
    assert len(changes.rejected) == 5_000


@pytest.mark.parametrize(
    ("fields", "change"),
    [
        (
            {"Deployed At": "5", "Commit-SHA": "a", "deployedBy": "ana", "SERVICE_NAME": "shop"},
            Change("a", "ana", "5", "shop"),
        ),
        ({"@timestamp": "5", "version": 12, "app": "shop"}, Change("12", "", "5", "shop")),
        (
            {"time": "5", "commit": "  a\n", "author": "Ana\r\nLima"},
            Change("a", "Ana Lima", "5", ""),
        ),
        (
            {"time": "5", "commit": "a\u2028b  c", "author": "\u2028"},
            Change("a\u2028b  c", "", "5", ""),
        ),
    ],
)
def test_fields_are_known_by_many_names(fields: dict[str, object], change: Change) -> None:
    assert only(fields) == change


@pytest.mark.parametrize(
    ("fields", "date"),
    [
        ({"date": "1", "deployed_at": "2"}, "2"),
        ({"committed_at": "1", "timestamp": "2"}, "2"),
        ({"started_at": "1", "finished_at": "2"}, "2"),
        ({"author_date": "1", "commit_date": "2"}, "2"),
        ({"finished_at": None, "deployed_at": "", "date": "2"}, "2"),
    ],
)
def test_the_time_of_the_deploy_comes_before_the_date_of_the_commit(
    fields: dict[str, object], date: str
) -> None:
    assert only({"sha": "a"} | fields).date == date


@pytest.mark.parametrize("commit", [None, "", " \t", True, [], {"name": "a"}, "NULL", "\\N"])
def test_a_deploy_without_a_commit_is_rejected(commit: object) -> None:
    assert reason(json.dumps({"sha": commit, "ts": 5})) == NO_COMMIT


def test_a_deploy_without_a_date_is_rejected() -> None:
    assert reason('{"sha": "a"}') == NO_DATE


def cdevent(kind: str = "service.deployed.0.1.1", **subject: object) -> dict[str, object]:
    return {
        "context": {
            "version": "0.3.0",
            "id": "271069a8-fc18-44f1-b38f-9d70a1695819",
            "source": "/event/source/123",
            "type": f"dev.cdevents.{kind}",
            "timestamp": "2018-11-28T22:11:31Z",
        },
        "subject": {"id": "shop", "content": {"artifactId": "pkg:oci/shop@sha256%3A0b"}} | subject,
    }


@pytest.mark.parametrize("kind", ["deployed", "upgraded", "rolledback"])
def test_a_cdevent_that_puts_an_artifact_into_service_is_a_change(kind: str) -> None:
    assert only(cdevent(f"service.{kind}.0.1.1")) == Change(
        "pkg:oci/shop@sha256%3A0b", "", "2018-11-28T22:11:31Z", "shop"
    )


def test_another_cdevent_is_rejected() -> None:
    assert reason(json.dumps(cdevent("service.removed.0.1.1"))) == (
        "the CDEvent's type is 'dev.cdevents.service.removed.0.1.1'; allowed: "
        "dev.cdevents.service.deployed, dev.cdevents.service.upgraded and "
        "dev.cdevents.service.rolledback"
    )


@pytest.mark.parametrize("content", [{}, None, "x"])
def test_a_cdevent_without_an_artifact_is_rejected(content: object) -> None:
    assert reason(json.dumps(cdevent(content=content))) == (
        "it has no commit; allowed: text in subject.content.artifactId"
    )


@pytest.mark.parametrize("context", [{"type": "x"}, {"type": 5}, "production", {}])
def test_a_context_of_another_kind_makes_no_cdevent(context: object) -> None:
    assert only({"sha": "a", "ts": 5, "context": context}).commit == "a"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", ", "])
def test_a_table_is_divided_by_what_divides_its_header(delimiter: str) -> None:
    rows = ["sha", "Deployed at", "user"], ["a", '"5"', "ana, bo" if delimiter == ";" else "ana"]
    changes = read_changes("\n".join(map(delimiter.join, rows)))

    assert changes.changes == [(5_000_000_000, Change("a", rows[1][2], "5", ""))]


def test_a_row_may_span_lines_and_blank_rows_are_skipped() -> None:
    text = 'sha,ts,note\na,5,"first\n\nsecond ""quoted"""\n\n,,\nb,6,'
    changes = read_changes(text)

    assert [change.commit for _, change in changes.changes] == ["a", "b"]
    assert changes.rejected == [RejectedLine("", 6, ",,", NO_COMMIT)]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("a", "it has fields: 1; allowed: 2, as in the header"),
        ("a,5,x", "it has fields: 3; allowed: 2, as in the header"),
        ('"a,5', TORN),
        ('"a"x,5', TORN),
        ('"a,5\n"b,6\n', TORN),
        ("a" * 200_000 + ",5", TORN),
    ],
)
def test_a_row_that_does_not_fit_rejects_its_first_line(row: str, why: str) -> None:
    changes = read_changes(f"sha,ts\n{row}\nc,7\nd,8")

    assert changes.rejected[0] == RejectedLine("", 2, row.partition("\n")[0], why)
    assert [change.commit for _, change in changes.changes] == ["c", "d"]


def test_lines_above_the_header_are_rejected() -> None:
    changes = read_changes("Deploys of 2018\n\nsha;date\na;5")

    assert changes.rejected == [
        RejectedLine("", 1, "Deploys of 2018", "it stands above the header")
    ]
    assert len(changes.changes) == 1
