"""What fits a screen, and does it no harm."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wcwidth import wcswidth

from slomon.report.screen import Colour, Screen, measure, open_screen
from tests.cli.terminal import Terminal
from tests.report.records import HOSTILE, texts

letters = st.text(
    st.sampled_from("ab 1é支払ｱ\uff21한é\u0301\u0327\u20dd👩🏽💻❤\ufe0fשไ\u0e31"), max_size=40
)


@settings(deadline=None)
@given(letters)
def test_text_is_never_wider_than_it_is_measured(text: str) -> None:
    assert wcswidth(text) <= measure(text)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("abc", 3),
        ("支払い", 6),
        ("e\u0301", 1),
        ("a\u20dd", 1),
        ("ｱ", 1),
        ("👩", 2),
        ("❤\ufe0f", 2),
    ],
)
def test_wide_characters_and_marks_are_measured(text: str, columns: int) -> None:
    assert measure(text) == columns == wcswidth(text)


@settings(deadline=None)
@given(texts, st.integers(0, 30), st.sampled_from(["utf-8", "ascii", "latin-1", "cp437"]))
def test_clean_text_is_placed_in_exactly_its_columns(
    text: str, columns: int, encoding: str
) -> None:
    screen = Screen(encoding=encoding)
    positioned = screen.fit(screen.clean(text), columns)

    assert measure(positioned) == columns
    assert positioned.isprintable()
    positioned.encode(encoding)


def test_what_is_cut_keeps_whole_characters_with_their_marks() -> None:
    assert Screen().cut("e\u0301" * 3, 3) == "e\u0301" * 3
    assert Screen().cut("e\u0301" * 4, 3) == "e\u0301" * 2 + "…"
    assert Screen().cut("支払い", 4) == "支…"
    assert Screen().fit("支払い", 5, right=True) == "支払…"
    assert Screen().fit("a", 3, right=True) == "  a"
    assert Screen(encoding="ascii").cut("abcdef", 5) == "ab..."
    assert Screen(encoding="ascii").cut("abcdef", 2) == ".."


@settings(deadline=None)
@example([(" ", None), ("a", None)], 1)
@given(st.lists(st.tuples(texts, st.sampled_from([None, *Colour])), max_size=4), st.integers(1, 60))
def test_no_line_is_wider_than_its_screen(
    pieces: list[tuple[str, Colour | None]], width: int
) -> None:
    screen = Screen(width)
    line = screen.line(*((screen.clean(text), colour) for text, colour in pieces))

    assert measure(line) <= width
    assert line.isprintable()
    assert not line.endswith(" ")


@settings(deadline=None)
@given(st.lists(st.sampled_from([*HOSTILE, "a", "word", ""]), max_size=20), st.integers(1, 60))
def test_words_are_wrapped_and_none_is_lost(words: list[str], width: int) -> None:
    screen = Screen(width)
    text = screen.clean(" ".join(words))
    lines = list(screen.wrap(text.split(" "), indent=4))

    assert all(measure(line) <= width for line in lines)
    if all(measure(word) + 4 <= width for word in text.split()):
        assert " ".join(lines).split() == text.split()


def test_all_but_the_first_line_of_a_text_are_indented() -> None:
    words = ["ab", "", "cd", "ef", "gh", "ij"]

    assert list(Screen(10).wrap(words, indent=3)) == ["ab  cd ef", "   gh ij"]
    assert list(Screen(10).wrap(["a b", "c d", "e"], gap="  ")) == ["a b  c d", "e"]


def test_escape_sequences_are_shown_and_not_sent() -> None:
    assert Screen().clean("\x1b[31m\u202e") == "\\x1b[31m\\u202e"
    assert Screen(encoding="ascii").clean("é") == "\\xe9"
    assert Screen(encoding="latin-1").clean("é") == "é"


def test_colours_are_only_where_they_are_wanted() -> None:
    pieces = ("a", None), ("b", Colour.RED), ("", Colour.DIM)

    assert Screen().line(*pieces) == "ab"
    assert Screen(colour=True).line(*pieces) == "a\x1b[31mb\x1b[0m"
    assert Screen(1, colour=True).line(("ab", Colour.RED)) == "\x1b[31m…\x1b[0m"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437", "shift_jis"])
def test_charts_are_ascii_where_the_encoding_lacks_a_character_of_theirs(encoding: str) -> None:
    assert Screen(encoding=encoding).glyphs.broken == "#"
    assert Screen(encoding="utf-8").glyphs.broken == "█"


def test_a_terminal_has_its_width_and_colours_unless_they_are_unwanted() -> None:
    with Terminal(columns=57) as terminal:
        assert open_screen(terminal.stream, {}) == Screen(57, "utf-8", colour=True)
        assert open_screen(terminal.stream, {"NO_COLOR": ""}).colour
        assert not open_screen(terminal.stream, {"NO_COLOR": "1"}).colour
        assert not open_screen(terminal.stream, {"TERM": "dumb"}).colour
    with Terminal(columns=0) as terminal:
        assert open_screen(terminal.stream, {}).width == 80


def test_what_is_no_terminal_has_80_columns_and_no_colours() -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")

    assert open_screen(file, {}) == Screen(80, "latin-1", colour=False)
    assert open_screen(io.StringIO(), {}).encoding == "ascii"
