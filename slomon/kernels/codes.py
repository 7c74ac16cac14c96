"""
The codes of rows. A row is one event on its way from a reader to the windows: a tick, and a code
that says what the event is. Rows travel as two columns of numbers, so that kernels can write them.
"""

from __future__ import annotations

from typing import Final

NO_TICK: Final = -1
"""The tick of an event without a time: it takes the newest time before it."""

# The code of an access to an endpoint is key << 1 | failed. Any other event has one of these codes.
# It keeps its place in the stream, too, since positions are counted over all events.
UNMATCHED: Final = -1
REJECTED: Final = -5
EXCLUDED: Final = -7
BLANK: Final = -6  # a blank line, which is no event: the only code without a position
FIRST_CHANGE: Final = -16  # change number n has the code FIRST_CHANGE - n


def access_code(key: int, *, failed: bool) -> int:
    """The code of an access to an endpoint; UNMATCHED if the key is UNMATCHED."""
    return key << 1 | failed if key >= 0 else UNMATCHED


def change_code(number: int) -> int:
    """The code of a change, by its number among the changes of the run."""
    return FIRST_CHANGE - number
