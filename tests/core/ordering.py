"""The rule of the reorder buffer, implemented slowly and literally, and rows at its edges."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from hypothesis import strategies as st

from slomon.core.batching import Batch
from slomon.core.events import Change, PositionedChange
from slomon.core.reorder import Order
from slomon.kernels.codes import BLANK, EXCLUDED, NO_TICK, REJECTED, UNMATCHED, change_code

Row: TypeAlias = tuple[int, int]
"""Tick and code. Any code below UNMATCHED that is not REJECTED, BLANK or EXCLUDED is a change."""

Dealt: TypeAlias = dict[int, list[Any]]
"""What was released, by shard: accesses (slot, tick, failed, position) and positioned changes."""

A_CHANGE = -100


@dataclass(frozen=True)
class Arrival:
    """Rows of a source that arrive together, and whether final rows are taken then."""

    source: int
    rows: Sequence[Row]
    taken: bool


@dataclass(frozen=True)
class Arrivals:
    """The rows that arrive from sources with these latenesses, and the number of shards."""

    latenesses: Sequence[int]
    shards: int
    pieces: Sequence[Arrival]

    def of(self, source: int) -> list[Row]:
        return [row for piece in self.pieces if piece.source == source for row in piece.rows]


def change(number: int) -> Change:
    return Change(f"c{number}", "<ana@example.com>", "today", "shop")


def numbered(arrivals: Arrivals) -> Arrivals:
    """Return the arrivals with a code for each change, in the order in which they arrive."""
    noted = 0
    pieces = []
    for piece in arrivals.pieces:
        rows = []
        for tick, code in piece.rows:
            rows.append((NO_TICK, change_code(noted)) if code == A_CHANGE else (tick, code))
            noted += code == A_CHANGE
        pieces.append(Arrival(piece.source, rows, piece.taken))
    return Arrivals(arrivals.latenesses, arrivals.shards, pieces)


def put_through(
    order: Order, arrivals: Arrivals, resume: Callable[[Order], Order] = lambda order: order
) -> Dealt:
    """
    Return what an order releases for all arrivals, batch after batch.

    Before each arrival, the order is replaced by `resume(order)`.
    """
    for clock, lateness in zip(order.clocks, arrivals.latenesses, strict=True):
        clock.lateness = lateness
    dealt: Dealt = {shard: [] for shard in range(arrivals.shards)}
    for piece in arrivals.pieces:
        order = resume(order)
        ticks = array("q", [tick for tick, _ in piece.rows] + [7, 7])
        codes = array("q", [code for _, code in piece.rows] + [1, 1])  # two rows beyond the count
        for _, code in piece.rows:
            if code <= change_code(0):
                assert order.add_change(change(order.noted)) == code
        order.enter(piece.source, ticks, codes, len(piece.rows))
        if piece.taken:
            _collect(order.take(), dealt)
    for source in range(len(order.clocks)):
        order.end(source)
    _collect(order.take(), dealt)
    assert order.take() == []
    assert order.changes == {}
    return dealt


def _collect(batches: list[tuple[int, Batch]], dealt: Dealt) -> None:
    for shard, batch in batches:
        columns = batch.slots, batch.ticks, batch.failures, batch.positions
        rows = [*zip(*columns, strict=True), *batch.changes]
        assert rows, "no batch is empty"
        dealt[shard] += rows


def go_on(order: Order, before: Order) -> Order:
    """Return `order` with the state of another one."""
    order.clocks, order.changes = before.clocks, before.changes
    order.position, order.noted = before.position, before.noted
    order.accesses, order.unmatched = before.accesses, before.unmatched
    order.excluded, order.blank = before.excluded, before.blank
    order.last, order.excluded_changes = before.last, before.excluded_changes
    order.span, order.deploys = before.span, before.deploys
    order.load_rows(before.save_rows())
    return order


def by_the_rule(arrivals: Arrivals) -> Dealt:
    """
    Return what is to be released for all arrivals.

    Each row stands at its tick, or at its source's watermark before it if it is older. Rows are
    ordered by time, at the same time by source, and within a source as they arrived.
    """
    totals_of = []
    for source, lateness in enumerate(arrivals.latenesses):
        newest = 0
        for tick, code in arrivals.of(source):
            if code != BLANK:
                at = newest if tick == NO_TICK else tick
                totals_of.append((max(at, newest - lateness), source, at, code))
                newest = max(newest, at)
    totals_of.sort(key=lambda row: row[:2])
    dealt: Dealt = {shard: [] for shard in range(arrivals.shards)}
    for position, (_, _, tick, code) in enumerate(totals_of):
        if code >= 0:
            shard, slot = (code >> 1) % arrivals.shards, (code >> 1) // arrivals.shards
            dealt[shard].append((slot, tick, code & 1, position))
        elif code <= change_code(0):
            for rows in dealt.values():
                rows.append(PositionedChange(position, tick, change(change_code(0) - code)))
    return dealt


def counted(arrivals: Arrivals, source: int) -> tuple[int, ...]:
    """Return a source's newest tick, the number of disordered rows, and their largest lateness."""
    ticks = [tick for tick, code in arrivals.of(source) if code != BLANK and tick != NO_TICK]
    behind = [max([0, *ticks[:number]]) - tick for number, tick in enumerate(ticks)]
    return max([0, *ticks]), sum(by > 0 for by in behind), max([0, *behind])


def events(arrivals: Arrivals) -> tuple[int, ...]:
    """Return the numbers of events, of accesses, unmatched and excluded ones, and of blanks."""
    codes = [code for piece in arrivals.pieces for _, code in piece.rows]
    blanks = codes.count(BLANK)
    accesses = sum(code >= 0 for code in codes)
    return len(codes) - blanks, accesses, codes.count(UNMATCHED), codes.count(EXCLUDED), blanks


def went_out(order: Order) -> tuple[int, ...]:
    """Return the same numbers as an order counts them."""
    return order.position, order.accesses, order.unmatched, order.excluded, order.blank


_rows = st.one_of(
    st.tuples(st.integers(0, 12), st.integers(0, 9)),
    st.tuples(st.integers(0, 12), st.just(UNMATCHED)),
    st.sampled_from([(NO_TICK, REJECTED), (NO_TICK, BLANK), (NO_TICK, A_CHANGE)]),
    st.sampled_from([(NO_TICK, REJECTED), (NO_TICK, UNMATCHED), (5, UNMATCHED)]),
    st.sampled_from([(NO_TICK, EXCLUDED), (5, EXCLUDED)]),
)


@st.composite
def all_arrivals(draw: st.DrawFn) -> Arrivals:
    """Up to three sources, whose rows arrive in pieces of any size and in any turn."""
    latenesses = draw(st.lists(st.sampled_from([0, 1, 2, 5, 100]), min_size=1, max_size=3))
    sources = st.integers(0, len(latenesses) - 1)
    pieces = draw(
        st.lists(
            st.builds(Arrival, sources, st.lists(_rows, max_size=8), st.booleans()), max_size=12
        )
    )
    return numbered(Arrivals(latenesses, draw(st.integers(1, 3)), pieces))


def sorted_by_position(dealt: Dealt) -> Dealt:
    """Return the accesses and changes of each shard together, in order of position."""
    return {
        shard: sorted(rows, key=lambda row: row[3] if len(row) == 4 else row[0])
        for shard, rows in dealt.items()
    }
