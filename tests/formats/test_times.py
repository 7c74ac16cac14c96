"""The times of lines, in the forms of all layouts."""

from __future__ import annotations

import pytest

from slomon.core.ticks import TICKS_PER_SECOND
from slomon.formats.times import FORMS, find_time_form, read_time


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("01/Jan/1970:00:00:00 +0000", 0),
        ("01/Jan/1970:01:00:00 +0100", 0),
        ("31/Dec/1969:23:00:00 -0100", 0),
        ("17/May/2015:12:05:03 +0200", 1431857103),
        ("17/May/2015:15:35:03 +0530", 1431857103),
        ("17/May/2015:04:35:03 -0530", 1431857103),
        ("29/Feb/2016:23:59:59 +0000", 1456790399),
        ("11/Apr/2262:23:47:16 +0000", 9223372036),
    ],
)
def test_a_date_has_the_offset_that_it_says(text: str, second: int) -> None:
    assert read_time(text, FORMS["clf"], None) == second * TICKS_PER_SECOND


@pytest.mark.parametrize("text", ["", "5", "17/May/2015", " 17/May/2015:10:05:03 +0000"])
def test_text_of_another_form_is_no_such_date(text: str) -> None:
    assert find_time_form(text) is None
