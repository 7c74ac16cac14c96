"""The functions on words of eight bytes, compared with the bytes themselves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from slomon.kernels.swar import (
    WIDE,
    WIDEST,
    byte_bits,
    copy_wide,
    count_path,
    count_plain,
    count_same,
    count_until,
    equal_texts,
    find_byte,
    hash_bytes,
    leading_bytes,
    load,
    range_bits,
    shift_up,
    wrap,
)

eight = st.binary(min_size=8, max_size=8)
# often the bytes that borrow from each other: one above, one below, with and without high bits
near = st.lists(st.sampled_from(b"\x00\x01\x1f\x20\x21\xa0\x7f\x80\xff"), min_size=8, max_size=8)


def text(word: int) -> bytes:
    return word.to_bytes(8, "little", signed=True)


@given(eight, st.binary(max_size=9))
def test_a_word_is_the_eight_bytes_from_its_place_on(data: bytes, before: bytes) -> None:
    assert text(load(before + data + b"x", len(before))) == data


@given(st.integers(-(2**130), 2**130))
def test_a_number_is_wrapped_as_the_low_64_bits_hold_it(number: int) -> None:
    assert -(2**63) <= wrap(number) < 2**63
    assert (number - wrap(number)) % 2**64 == 0


@given(eight, st.integers(0, 7))
def test_the_leading_bytes_stay_and_the_others_are_zero(data: bytes, count: int) -> None:
    assert text(leading_bytes(load(data, 0), count)) == data[:count].ljust(8, b"\0")


@given(eight, st.integers(0, 7))
def test_bytes_are_shifted_up_behind_zeros(data: bytes, count: int) -> None:
    assert text(shift_up(load(data, 0), count)) == (bytes(count) + data)[:8]


@given(st.text("ab", max_size=200), st.integers(0, 200), st.integers(0, 200))
def test_a_byte_is_found_before_the_stop_or_the_stop_is(data: str, start: int, stop: int) -> None:
    at = data.find("a", start, stop)
    padded = data.encode().ljust(200, b"a") + bytes(WIDEST)
    expected = padded.find(b"a", start, stop) if at < 0 else at
    assert find_byte(padded, start, stop, ord("a")) == (stop if expected < 0 else expected)


@given(st.binary(min_size=WIDE, max_size=2 * WIDE))
def test_bytes_are_counted_up_to_one_that_ends_plain_text(data: bytes) -> None:
    first = data[:WIDE]
    ends = [at for at, byte in enumerate(first) if chr(byte) in '"\\' or not 32 <= byte <= 127]
    assert count_plain(data, 0) == min(ends, default=WIDE)


@given(st.binary(min_size=WIDE, max_size=WIDE), st.integers(0, WIDE), st.integers(1, 255))
def test_bytes_are_counted_that_are_the_same_at_two_places(
    data: bytes, same: int, change: int
) -> None:
    other = bytearray(data)
    if same < WIDE:
        other[same] ^= change
    assert count_same(data + other, 0, WIDE) == same


@given(st.binary(min_size=WIDEST, max_size=WIDEST), st.integers(0, WIDEST), st.integers(0, WIDEST))
def test_bytes_are_counted_up_to_a_newline_or_a_question_mark(
    data: bytes, place: int, count: int
) -> None:
    with_newline = data[:place] + b"\n" + data[place:]
    assert count_until(with_newline, 0, 10) == len(with_newline[:WIDEST].partition(b"\n")[0])
    with_query = data[:place] + b"?" + data[place:]
    assert count_path(with_query, 0, count) == len(with_query[:count].partition(b"?")[0])


@given(st.binary(min_size=WIDEST, max_size=WIDEST), st.integers(0, WIDEST - 1), st.integers(0, 255))
def test_bytes_behind_a_text_change_neither_its_hash_nor_whether_it_equals_another(
    data: bytes, count: int, byte: int
) -> None:
    other = data[:count] + bytes([byte]) * (WIDEST - count)
    assert hash_bytes(data, 0, count) == hash_bytes(other, 0, count)
    assert equal_texts(b"x" + data, 1, other, 0, count)
    assert equal_texts(data, 0, other, 0, count + 1) == (data[count] == byte)


@given(st.binary(min_size=WIDEST), st.integers(0, 63), st.binary(min_size=2, max_size=2))
def test_the_bytes_in_a_range_have_their_bits_set(data: bytes, count: int, ends: bytes) -> None:
    first, last = sorted(ends)
    bits = range_bits(data, 0, count, first, last)
    assert bits == sum((first <= byte <= last) << place for place, byte in enumerate(data[:count]))
    assert byte_bits(data, 0, count, first) == range_bits(data, 0, count, first, first)


@given(st.binary(min_size=WIDE, max_size=WIDE), st.integers(0, 9))
def test_bytes_are_copied_to_their_place(data: bytes, place: int) -> None:
    into = bytearray(WIDE + 10)
    copy_wide(data, 0, into, place)
    assert into == bytes(place) + data + bytes(10 - place)
