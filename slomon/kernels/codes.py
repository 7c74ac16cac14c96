"""
A row is one event on its way from a reader to the windows: a tick, and a code that says what it is.
Rows travel as two columns of numbers, so that compiled readers can write them.
"""

from __future__ import annotations

from typing import Final

NO_TICK: Final = -1
"""For the tick of an event that has no time: it stands at the newest time before it."""

# The code of an access to an endpoint is key << 1 | failed. Any other event has one of these; it
# keeps its place in the stream all the same, since positions are counted over all events.
UNMATCHED: Final = -1
REJECTED: Final = -5
BLANK: Final = -6  # no event at all: the one code that takes no place
FIRST_CHANGE: Final = -16  # and downwards: FIRST_CHANGE - number of the n-th change


def access_code(key: int, *, failed: bool) -> int:
    """The code of an access to an endpoint, or to none where the key is UNMATCHED."""
    return key << 1 | failed if key >= 0 else UNMATCHED


def change_code(number: int) -> int:
    """The code of a change, by its number among those of the run."""
    return FIRST_CHANGE - number
