"""How long to wait before the next try."""

from __future__ import annotations

import pytest

from slomon.core.ticks import TICKS_PER_SECOND
from slomon.integrations.notify.delivery import Backoff, read_retry_after

NOW = 1_543_443_091 * TICKS_PER_SECOND  # Wed, 28 Nov 2018 22:11:31 GMT


def test_waits_double_up_to_a_minute_and_half_of_each_at_most_is_left_out() -> None:
    backoff = Backoff()
    for longest in (1, 2, 4, 8, 16, 32, 60, 60):
        assert longest / 2 <= backoff.lengthen() / TICKS_PER_SECOND <= longest


def test_waits_differ_from_sender_to_sender() -> None:
    assert len({Backoff().lengthen() for _ in range(20)}) > 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("0", 0),
        ("17", 17),
        (" 17 ", 17),
        ("3601", 3600),
        ("9" * 5000, 3600),
        ("Wed, 28 Nov 2018 22:12:01 GMT", 30),
        ("Wed, 28 Nov 2018 22:12:01 -0000", 30),
        ("Wed, 28 Nov 2018 23:12:01 +0100", 30),
        ("Wed, 28 Nov 2018 22:11:01 GMT", 0),
        ("Wed, 28 Nov 9999 22:11:01 GMT", 3600),
        ("Wed, 28 Nov 0001 00:00:00 +2300", 0),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("\u0663", 0),
        ("Wed, 99 Nov 2018 22:12:01 GMT", 0),
    ],
)
def test_what_a_receiver_asks_for_is_taken_up_to_an_hour(text: str | None, seconds: int) -> None:
    assert read_retry_after(text, NOW) == seconds * TICKS_PER_SECOND
