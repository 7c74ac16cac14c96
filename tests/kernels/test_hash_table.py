"""The table of requests is a dict from text to key, whatever the texts and however full it is."""

from __future__ import annotations

import random
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.compiled import reorder as order_host
from slomon.compiled import request_table as requests_host
from slomon.compiled.library import Library
from slomon.compiled.reorder import CompiledRowBuffer
from slomon.compiled.request_table import CompiledEndpointNames
from slomon.core.reorder import Order
from slomon.endpoints.discovery import PythonEndpointNames
from slomon.kernels.codes import UNMATCHED
from slomon.kernels.hash_table import BUCKET, MISSING, insert, lookup, rehash
from slomon.kernels.scan import hash_request
from slomon.kernels.swar import KEYS, WIDEST
from tests.compiled.kernels import BACKENDS, Opened, compiled_kernels, uncompiled_kernels

PADDING = bytes(WIDEST)


def accept(library: Library, names: CompiledEndpointNames, key: int) -> None:
    """Let an access to an endpoint go out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order_host, "_FIRST_ROWS", 1)
        order = Order(1, CompiledRowBuffer(library, 1, names))
    order.enter(0, array("q", [5]), array("q", [key << 1]), 1)
    order.end(0)
    order.take()


# Texts that are equal in all but one thing: their length, a word, zeros at their end.
texts = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([b"abcdefg", b"abcdefgh", b"abcdefghi", b"abcdefghijklmnop"]).flatmap(
        lambda text: st.integers(0, 9).map(lambda zeros: text + bytes(zeros))
    ),
)


class Dict:
    """The kernel's functions over a table of `buckets` buckets, which grows when it is full."""

    def __init__(self, buckets: int = 1) -> None:
        self._table = array("q", bytes(8 * BUCKET * buckets))
        self._mask = buckets - 1
        self._arena = bytearray(1 << 16)
        self._used = self._count = 0

    def find(self, text: bytes) -> int:
        hashed, _ = hash_request(text + PADDING, 0, len(text), 0)
        columns = self._table, self._mask, self._arena
        return lookup(text + PADDING, 0, len(text), hashed, *columns)

    def add(self, text: bytes, key: int) -> None:
        if self._count == self._mask:  # one bucket stays free: it ends every search
            self._grow()
        hashed, _ = hash_request(text + PADDING, 0, len(text), 0)
        columns = self._table, self._mask, self._arena, self._used
        self._used = insert(text + PADDING, 0, len(text), hashed, key, *columns)
        self._count += 1

    def _grow(self) -> None:
        grown = array("q", bytes(2 * 8 * len(self._table)))
        mask = 2 * self._mask + 1
        assert rehash(self._table, self._mask + 1, grown, mask) == self._count
        self._table, self._mask = grown, mask


@given(st.lists(texts.filter(len), max_size=60), st.sampled_from([1, 2, 64]))
def test_what_was_put_in_is_found_and_nothing_else(drawn: list[bytes], buckets: int) -> None:
    table, model = Dict(buckets), dict[bytes, int]()
    for text in drawn:
        assert table.find(text) == model.get(text, MISSING)
        if text not in model:
            model[text] = len(model) - 1  # UNMATCHED is a key as well
            table.add(text, model[text])
    for text in drawn:
        assert table.find(text) == model[text]
        assert table.find(text + b"\0") == model.get(text + b"\0", MISSING)
        assert table.find(text[:-1]) == model.get(text[:-1], MISSING)


def collide(number: int) -> bytes:
    """A text whose hash does not depend on the number: a half of its word is that of the key."""
    return number.to_bytes(4, "little") + KEYS[0].to_bytes(8, "little", signed=True)[4:]


@pytest.mark.parametrize("behind", [b"", b"/x" * 50], ids=["short", "long"])
def test_texts_with_the_same_hash_are_distinguished(behind: bytes) -> None:
    rivals = [collide(number) + behind for number in range(51)]
    length = len(rivals[0])
    assert len({hash_request(rival + PADDING, 0, length, 0) for rival in rivals}) == 1
    for buckets in (1, 4, 256):
        table = Dict(buckets)
        for key, rival in enumerate(rivals):
            assert table.find(rival) == MISSING
            table.add(rival, key)
        assert [table.find(rival) for rival in rivals] == list(range(51))


@pytest.mark.parametrize("place", [0, 1, 7, 63, 64, 65, 128, 129])
def test_a_request_that_ends_at_its_question_mark_has_the_hash_of_what_is_before(
    place: int,
) -> None:
    path = bytes(random.Random(place).choices(b"abc/", k=place))
    whole = path + b"?a=b?c" + PADDING
    end = len(whole) - len(PADDING)
    cut = hash_request(path + PADDING, 0, place, 0)
    assert hash_request(whole, 0, end, 1) == cut
    assert hash_request(whole, 0, end, 0) != cut
    table = Dict(4)
    table.add(path + b"?", 7)
    assert table.find(path + b"?") == 7
    assert table.find(b"x" + path) == MISSING


def test_a_hash_spreads_similar_requests_over_a_table() -> None:
    requests = [b"GET /api/v1/users/%d" % number for number in range(1000)]
    hashes = [hash_request(request + PADDING, 0, len(request), 0)[0] for request in requests]
    assert len({hashed & 1023 for hashed in hashes}) > 550  # 632 are expected of a random one


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("most", [0, 1, 5, 10_000])
@pytest.mark.parametrize("buckets", [1, 2, 1 << 10])
def test_names_that_are_found_are_numbered_alike_in_each_backend(
    backend: Opened, most: int, buckets: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests_host, "_BUCKETS", buckets)
    rng = random.Random(most)
    requests = [
        b"GET /" + bytes(rng.choices(b"ab\n\xff ", k=rng.randrange(12))) for _ in range(900)
    ]
    requests += [b"G /%b%d" % (b"x" * 3000, number % 30) for number in range(60)]
    requests += [b"\nGET /", b"\n\nGET /", b"GET /", b"\n", b" /", b"1 /", b"GET /\x7f", b"GET /\\"]
    model = PythonEndpointNames(most)
    with backend() as library:
        table = CompiledEndpointNames(library, most)
        for request in requests * 2:
            key = table.key(request)
            assert key == model.key(request)
            if key >= 0:
                accept(library, table, key)
                model.accept(key)
            assert (len(table), table.capped) == (len(model), model.capped)
            assert table.admitted == model.admitted
        for key in range(len(model)):
            assert table.text(key) == model.text(key)
        monkeypatch.setattr(requests_host, "_NAMES", 7)
        assert list(table.list_names(3, 900)) == list(model.list_names(3, 900))


@settings(deadline=None)
@given(st.lists(texts.map(lambda text: b"GET /" + text)), st.integers(0, 9))
def test_names_of_any_bytes_are_kept_as_they_are(drawn: list[bytes], most: int) -> None:
    for backend in (compiled_kernels, uncompiled_kernels):
        with backend() as library:
            table, model = CompiledEndpointNames(library, most), PythonEndpointNames(most)
            assert [table.key(text) for text in drawn] == [model.key(text) for text in drawn]
            kept = list(dict.fromkeys(drawn)) if most else []
            assert [table.text(key) for key in range(len(table))] == kept
            for part in (0, 99), (1, 2), (0, 0), (5, 5):
                assert list(table.list_names(*part)) == list(model.list_names(*part))
                assert table.has_newline(*part) == model.has_newline(*part)
            for key in range(len(kept) - 1, -1, -1):
                accept(library, table, key)
                model.accept(key)
            saved = table.save()
            assert saved == model.save()
            assert list(table.list_admitted()) == list(model.list_admitted())
            again = CompiledEndpointNames(library, most)
            again.load(saved)
            assert again.save() == saved
            assert again.admitted == table.admitted


@pytest.mark.parametrize("backend", BACKENDS)
def test_capped_requests_that_others_count_are_counted_with_its_own(backend: Opened) -> None:
    with backend() as library:
        table = CompiledEndpointNames(library, 1)
        assert table.key(b"GET /a") == 0
        accept(library, table, 0)
        assert table.key(b"GET /b") == UNMATCHED
        table.capped += 2
        assert table.capped == 3


@pytest.mark.parametrize("backend", BACKENDS)
def test_scanners_see_what_was_published_and_never_a_table_that_is_written(backend: Opened) -> None:
    with backend() as library:
        table = CompiledEndpointNames(library)
        before = table.known
        copy = before.table[:]
        for number in range(2000):
            table.learn(b"GET /%d" % number, number << 1)
        assert table.known is before
        assert before.table == copy
        table.publish(2000)
        assert table.known.entries == 2000
        published = table.known
        table.publish(2000)
        assert table.known is published, "nothing new is worth a copy"
