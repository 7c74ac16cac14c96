"""
What a host told of, and the events that it makes. They are made as they are counted, many at once:
so a request takes the less time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeAlias

from slomon.core.batch import Item
from slomon.core.event import parse_change
from slomon.core.tick import show_tick, to_seconds

LONGEST: Final = 8192
"""Characters that may be told: none that counts has so many, and hostile text must not pile up."""
LONGEST_EVENT: Final = LONGEST + 128
"""Characters of an event, with its time and status, or the labels of its lines."""

Request: TypeAlias = "tuple[int | str, str, str, int]"
"""The tick of the clock or, as text, the seconds that were given; verb, resource and status."""


class Deploy(NamedTuple):
    """A change, and the tick of the clock, if it told one: its date, where it has no other."""

    at: int | str
    service: str
    commit: str
    author: str
    date: str


NOTHING: Final[Request] = ("", "", "", 0)
"""For what can't be read at all: it is malformed, and so it is counted."""


def make_event(told: Request | Deploy) -> Item:
    """The event, malformed where it is none, whatever somebody's object raises as it is shown."""
    if isinstance(told, Deploy):
        return parse_change(_show_deploy(told))
    at, verb, resource, status = told
    try:
        stamp = show_tick(at) if isinstance(at, int) else at
        return f"{stamp} {verb} {resource} {status}"[:LONGEST_EVENT]
    except Exception:  # noqa: BLE001
        return ""


def show_change(service: str, commit: str, author: str, date: str) -> str:
    """A change as its four lines, the form in which streams have it."""
    return f"commit: {commit}\nAuthor: {author}\nDate: {date}\nService: {service}"


def _show_deploy(deploy: Deploy) -> str:
    at, service, commit, author, date = deploy
    try:
        who = f"{author}"
        when = date or f"{datetime.fromtimestamp(to_seconds(int(at)), UTC):%Y-%m-%d %H:%M:%S.%fZ}"
        return show_change(service, commit, who if "<" in who else f"<{who}>", when)
    except Exception:  # noqa: BLE001
        return ""
