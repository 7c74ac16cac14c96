"""The code of a row says what the row is; no two kinds of rows share a code."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from slomon.kernels.codes import (
    BLANK,
    EXCLUDED,
    FIRST_CHANGE,
    REJECTED,
    UNMATCHED,
    access_code,
    change_code,
)


@given(st.integers(0, 2**40), st.booleans())
def test_the_code_of_an_access_says_its_endpoint_and_whether_it_failed(
    key: int, failed: bool
) -> None:
    code = access_code(key, failed=failed)
    assert code >= 0
    assert (code >> 1, code & 1) == (key, failed)


def test_an_access_to_no_endpoint_is_unmatched_whether_it_failed_or_not() -> None:
    assert access_code(UNMATCHED, failed=True) == access_code(UNMATCHED, failed=False) == UNMATCHED


@given(st.integers(0, 2**40))
def test_the_code_of_a_change_is_that_of_nothing_else(number: int) -> None:
    assert change_code(number) <= FIRST_CHANGE < EXCLUDED < BLANK < REJECTED < UNMATCHED < 0
    assert FIRST_CHANGE - change_code(number) == number
