"""Numbers as short text come back as they were; see test_payload.py for the browser's side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from slomon.report.payload import DIGITS, pack, pack_rising, pack_signed


def unpack(text: str) -> list[int]:
    numbers, number, shift = [], 0, 0
    for sign in text:
        digit = DIGITS.index(sign)
        number |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            numbers.append(number)
            number = shift = 0
    return numbers


@given(st.lists(st.integers(0, 1 << 53)))
def test_numbers_come_back(numbers: list[int]) -> None:
    assert unpack(pack(numbers)) == numbers


@given(st.lists(st.integers(-(1 << 52), 1 << 52)))
def test_negative_numbers_carry_their_sign_in_the_lowest_bit(numbers: list[int]) -> None:
    signed = [
        number >> 1 if number % 2 == 0 else -(number >> 1)
        for number in unpack(pack_signed(numbers))
    ]
    assert signed == numbers


def test_rising_numbers_are_told_by_their_steps() -> None:
    assert pack_rising([1000, 1003, 1002]) == pack_signed([1000, 3, -1])


def test_small_numbers_take_one_sign() -> None:
    assert len(pack(range(32))) == 32
    assert pack([]) == ""
