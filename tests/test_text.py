"""Any text from outside is shown printable and of bounded length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.text import excerpt, quote


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("", ""),
        ("\u00e9\u05d0", "\u00e9\u05d0"),  # letters stay letters
        ("it's\n", "it's\\n"),
        ('say "it\'s"\t', 'say "it\\\'s"\\t'),
        ("\u202eright to left", "\\u202eright to left"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\ud800", "\\ud800"),
        (None, "None"),
        (0.5, "0.5"),
        (b"\xff", "b'\\xff'"),
        ({"a": [1, 2]}, "{'a': [1, 2]}"),
    ],
)
def test_a_value_is_shown_printable(value: object, shown: str) -> None:
    assert excerpt(value) == shown


def test_a_number_of_more_digits_than_python_prints_is_shown_by_its_type() -> None:
    assert excerpt(10**5000) == "<int>"


def test_long_text_is_cut_and_says_how_long_it_was() -> None:
    assert excerpt("x" * 81) == "x" * 80 + "... (81 characters)"
    assert excerpt("x" * 80) == "x" * 80
    assert excerpt("abcdef", limit=3) == "abc... (6 characters)"


def test_only_text_is_put_in_quotes() -> None:
    assert quote("5") == "'5'"
    assert quote(5) == "5"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON | st.text(min_size=80), st.integers(1, 100))
def test_the_excerpt_of_any_value_is_printable_and_bounded(value: object, limit: int) -> None:
    shown = excerpt(value, limit)
    assert shown.isprintable()
    longest_escape = len("\\U0001f600")
    assert len(shown) <= limit * longest_escape + len("... (1000000 characters)")
