"""A stream that switches to the compiled backend goes on to the same answer."""

from __future__ import annotations

import random
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.compiled.batching import CompiledBatcher
from slomon.compiled.library import Library
from slomon.compiled.windows import CompiledWindows
from slomon.core.batching import AnyBatcher, Batcher, Item
from slomon.core.endpoints import Catalogue, Sharding
from slomon.core.events import End, Gap, Malformed, read_event
from slomon.core.shard import Shard
from slomon.core.statuses import server_errors_fail
from slomon.core.windows import Windows
from tests.compiled.kernels import BACKENDS, Opened, compiled_kernels
from tests.compiled.reading import GIVEN
from tests.formats.lines import random_lines
from tests.strategies import Stream as Drawn
from tests.strategies import random_stream, streams

backends = pytest.mark.parametrize("backend", BACKENDS)


class Run:
    """A batcher with its shards, and all that they return."""

    def __init__(self, catalogue: Catalogue, shards: int) -> None:
        self.sharding = Sharding(catalogue, shards)
        self.batcher: AnyBatcher = Batcher(self.sharding, server_errors_fail)
        self.shards = [Shard(members) for members in self.sharding.members]

    def switch(self, library: Library) -> None:
        self.batcher = CompiledBatcher(library, self.batcher, self.sharding, server_errors_fail)
        for shard in self.shards:
            assert isinstance(shard.windows, Windows)
            shard.windows = CompiledWindows(library, shard.windows)

    def feed(self, items: list[Item]) -> object:
        cut = self.batcher.cut(list(items))
        moved = [i for shard, batch in cut.batches for i in self.shards[shard].advance(batch)]
        moved.sort(key=lambda incident: incident.end_position or incident.start_position)
        late = [shard.late for shard in self.shards]
        return moved, cut.rejections, asdict(self.batcher.state), late


def check(backend: Opened, catalogue: Catalogue, pieces: list[list[Item]], shards: int) -> None:
    """Feed a stream that turns out to be long after the first of its pieces."""
    plain, fast = Run(catalogue, shards), Run(catalogue, shards)
    with backend() as library:
        for number, items in enumerate(pieces):
            if number == 1:
                fast.switch(library)
            assert fast.feed(items) == plain.feed(items)


def pieces_of(rng: random.Random, items: list[Item]) -> list[list[Item]]:
    pieces = []
    while items:
        size = rng.choice([1, 2, 10, 50])
        pieces.append(items[:size])
        items = items[size:]
    return pieces


def read(events: list[object]) -> list[Item]:
    return [item for event in events if not isinstance(item := read_event(event), End | Gap)]


@pytest.mark.slow
@backends
@pytest.mark.parametrize("shards", [1, 3])
def test_streams_of_every_kind_are_counted_alike(backend: Opened, shards: int) -> None:
    for seed in range(30 if backend is compiled_kernels else 5):
        rng = random.Random(seed)
        events, entries = random_stream(rng, 200)
        check(backend, Catalogue(entries), pieces_of(rng, read(events)), shards)


@settings(deadline=None)
@given(streams(), st.integers(0, 99))
def test_the_smallest_stream_that_is_not_would_be_shown(stream: Drawn, seed: int) -> None:
    events, entries = stream
    pieces = pieces_of(random.Random(seed), read(events))
    check(compiled_kernels, Catalogue(entries), pieces, 2)


@backends
def test_texts_of_any_kind_are_counted_alike(backend: Opened) -> None:
    rng = random.Random(3)
    lines = random_lines(rng, "plain", 600)
    items: list[Item] = [line.decode("utf-8", "surrogateescape") for line in lines]
    items += ["5 GET /a\n 200", "5 GET /a 200\n6 GET /a 200", "\n", "", "5 GET /\ud800 200"]
    items += [Malformed("torn", "not JSON")] * 3
    rng.shuffle(items)
    check(backend, GIVEN, pieces_of(rng, items + items), 2)


class Text(str):
    """Text of a class of its own, as some clients of databases hand out."""

    __slots__ = ()


@backends
def test_text_of_any_class_is_read_as_text(backend: Opened) -> None:
    items: list[Item] = [Text("5 GET /a 200"), "6 GET /a 500", Text("7 GET /a\n 200"), Text("x")]
    check(backend, GIVEN, [items, items, items], 1)
