"""The stream is cut into batches, a request that is known by its text or not, and nothing lost."""

from __future__ import annotations

from dataclasses import asdict
from enum import Enum

import pytest

from slomon.core import batching
from slomon.core.batching import Batch, Batcher, BatchResult, Item, TimeRange
from slomon.core.endpoints import Catalogue, Sharding
from slomon.core.events import Change, Malformed, PositionedChange, Rejection
from slomon.core.statuses import server_errors_fail

SECOND = 1_000_000_000
OWNED = [("shop", "/b"), ("shop", "/a"), ("cart", "/cart")]


def sharding(shards: int) -> Sharding:
    fields = {"email": "ana@example.com", "verb": "GET", "slo": 0.9, "window": 30}
    return Sharding(Catalogue([fields | {"name": n, "resource": r} for n, r in OWNED]), shards)


def batcher(shards: int = 1) -> Batcher:
    return Batcher(sharding(shards), server_errors_fail)


def change(service: str) -> Change:
    return Change("c1", "<ana@example.com>", "2018-11-28", service)


class CountingRule:
    """A status rule that knows how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, status: int) -> bool:
        self.asked.append(status)
        return status >= 500


def test_accesses_become_columns() -> None:
    assert batcher().cut(["5 GET /b 200", "6 GET /a 500", "7 GET /b 404"]) == BatchResult(
        [(0, Batch([0, 1, 0], [5 * SECOND, 6 * SECOND, 7 * SECOND], [0, 1, 0], [0, 1, 2], []))], []
    )


def test_positions_go_on_from_cut_to_cut_and_rows_do_not_come_back() -> None:
    cutter = batcher()
    for position in range(3):
        assert cutter.cut(["5 GET /a 500"]) == BatchResult(
            [(0, Batch([1], [5 * SECOND], [1], [position], []))], []
        )


def test_nothing_in_gives_nothing_out() -> None:
    cutter = batcher(shards=7)
    assert cutter.cut([]) == BatchResult([], [])
    assert cutter.state.accounting.events == 0


def test_only_a_shard_that_something_is_for_has_a_batch() -> None:
    cutter = batcher(shards=64)
    place = sharding(64).place("GET", "/cart")
    assert place is not None
    shard, slot = place
    assert cutter.cut(["5 GET /cart 200"]) == BatchResult(
        [(shard, Batch([slot], [5 * SECOND], [0], [0], []))], []
    )


def test_a_change_goes_to_every_shard_that_owns_an_endpoint_of_its_service_and_no_other() -> None:
    shards = 64
    owners = sharding(shards).owners("shop")
    assert len(owners) == 2

    cut = batcher(shards).cut([change("shop"), change("nobody"), change("shop")])

    changes = [PositionedChange(0, 0, change("shop")), PositionedChange(2, 0, change("shop"))]
    assert cut.batches == [(shard, Batch([], [], [], [], changes)) for shard in sorted(owners)]


def test_a_request_that_was_seen_is_known_by_its_text() -> None:
    rule = CountingRule()
    cutter = Batcher(sharding(1), rule)
    lines: list[Item] = ["5 GET /a 500", "6 GET /a 200", "7 GET /a 500"]

    cutter.cut(lines)
    cut = cutter.cut(lines)

    assert rule.asked == [500, 200]
    assert cut.batches[0][1].failures == [1, 0, 1]


def test_no_more_requests_are_remembered_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batching, "_REMEMBERED", 2)
    rule = CountingRule()
    cutter = Batcher(sharding(1), rule)

    for _ in range(3):
        cut = cutter.cut(["5 GET /a 201", "5 GET /a 202", "5 GET /a 503", "5 GET /a 504"])
        assert cut.batches[0][1].failures == [0, 0, 1, 1]

    assert rule.asked == [201, 202, *[503, 504] * 3]


def test_a_request_to_nowhere_is_unmatched_however_often_it_comes() -> None:
    cutter = batcher()
    assert cutter.cut(["5 GET /nowhere 200"] * 3) == BatchResult([], [])
    assert cutter.state.accounting.unmatched == 3


@pytest.mark.parametrize(
    "item",
    [
        "",
        "5",
        "5 ",
        "5 GET /a 200 ",
        "5  GET /a 200",
        " GET /a 200",
        "x GET /a 200",
        "5. GET /a 200",
        "5,5 GET /a 200",
        "9223372037 GET /a 200",
        "\ud800 GET /a 200",
        "5\nGET /a 200",
        "5 GET /a 600",
    ],
)
def test_a_malformed_item_among_known_requests_costs_no_good_row(item: str) -> None:
    cutter = batcher()
    cutter.cut(["1 GET /a 200", "2 GET /a 500"])

    cut = cutter.cut(["3 GET /a 200", item, "4 GET /a 500"])

    assert cut.batches == [(0, Batch([1, 1], [3 * SECOND, 4 * SECOND], [0, 1], [2, 4], []))]
    [rejection] = cut.rejections
    assert rejection.position == 3
    assert rejection.text == item
    assert rejection.reason.isprintable()


def test_stamps_that_are_written_differently_are_read_all_the_same() -> None:
    cut = batcher().cut(["0 GET /a 200", "0.5 GET /a 200", "01.50 GET /a 200", "10 GET /a 200"])
    assert cut.batches[0][1].ticks == [0, SECOND // 2, SECOND * 3 // 2, 10 * SECOND]


def test_a_change_has_the_newest_time_before_it_whoever_watches_that_access() -> None:
    cutter = batcher(3)
    stream: list[Item] = [
        *(change("shop"), "5 GET /a 200", "9 GET /nobody 200", "7 GET /cart 500", change("shop")),
        *("11 GET /a 200", change("shop"), "12 GET /nobody 200", "x GET /a 200"),
    ]
    cutter.cut(stream[:3])
    cutter.cut(stream[3:])
    cutter.cut([change("shop")])
    assert [(positioned.position, positioned.tick) for positioned in cutter.state.deploys] == [
        *((0, 0), (4, 9 * SECOND), (6, 11 * SECOND), (9, 12 * SECOND))
    ]
    assert cutter.state.span == TimeRange(5 * SECOND, 11 * SECOND)


def test_a_batch_may_be_left_with_changes_alone_or_with_nothing() -> None:
    cutter = batcher()
    cutter.cut(["1 GET /a 200"])

    assert cutter.cut(["x GET /a 200", change("shop")]).batches == [
        (0, Batch([], [], [], [], [PositionedChange(2, SECOND, change("shop"))]))
    ]
    assert cutter.cut(["x GET /a 200"]).batches == [(0, Batch([], [], [], [], []))]
    assert asdict(cutter.state.accounting) == {
        "events": 4,
        "accesses": 1,
        "changes": 1,
        "unmatched": 0,
        "rejected": 2,
        "excluded": 0,
        "late": 0,
        "excluded_by_reason": {},
    }


def test_rejections_come_in_stream_order_however_they_were_found() -> None:
    cutter = batcher(shards=7)
    cutter.cut(["1 GET /a 200", "1 GET /b 200", "1 GET /cart 200"])

    cut = cutter.cut(
        [
            Malformed("torn", "not JSON"),
            "x GET /cart 200",  # its request is known: found when its column is read
            "5 GET",
            "x GET /b 200",
            "y GET /cart 200",
            "",
            "x GET /a 200",
        ]
    )

    assert [rejection.position for rejection in cut.rejections] == [3, 4, 5, 6, 7, 8, 9]
    assert cut.rejections[0] == Rejection(3, "torn", "not JSON")
    assert cut.rejections[1].text == "x GET /cart 200"
    assert cutter.cut([]).rejections == []


def test_every_kind_of_item_is_counted_once() -> None:
    cutter = batcher(shards=2)
    cutter.cut(
        [
            *["5 GET /a 200"] * 4,
            *[change("shop")] * 3,
            change("nobody"),
            "5 GET /nowhere 200",
            Malformed("torn", "not JSON"),
            "x GET /a 200",
            "5 GET /a 20",
        ]
    )
    assert asdict(cutter.state.accounting) == {
        "events": 12,
        "accesses": 4,
        "changes": 3,
        "unmatched": 2,
        "rejected": 3,
        "excluded": 0,
        "late": 0,
        "excluded_by_reason": {},
    }


class Line(str, Enum):  # noqa: UP042 (a StrEnum's str() is its text: that one would be no trap)
    """Text whose str() is another text."""

    ACCESS = "5 GET /a 500"


def test_text_of_a_class_of_its_own_is_still_text() -> None:
    cutter = batcher()
    assert cutter.cut([Line.ACCESS]).batches == [(0, Batch([1], [5 * SECOND], [1], [0], []))]
    assert cutter.state.accounting.accesses == 1
