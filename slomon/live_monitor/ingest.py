"""
Batches of what a host told: no text is made of it, and none is read.

What a host told of: it waits as it was told, so that a request takes little time, and becomes text
only where that is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeAlias, cast

from slomon.core.batching import Batcher, BatchResult, Item
from slomon.core.endpoints import Sharding
from slomon.core.events import Access, Change, Malformed, StatusRule, parse_change
from slomon.core.ticks import parse_seconds, show_tick, to_seconds


class LiveBatcher(Batcher):
    """
    What `Batcher` does, for one shard, of requests and deploys too. A request to an endpoint, with
    a status that the rule knows, is a row as it is; any other is read as its text.
    """

    def __init__(self, sharding: Sharding, is_failure: StatusRule) -> None:
        super().__init__(sharding, is_failure)
        members = sharding.members[0]
        self._slots = {(one.verb, one.resource): slot for slot, one in enumerate(members)}
        judged = ((status, is_failure(status)) for status in range(1000))
        self._judged = {status: int(failed) for status, failed in judged if failed is not None}

    def cut(self, items: Sequence[RawEvent]) -> BatchResult:
        """The batches of what was told next, which follow those of the call before."""
        return super().cut(cast("Sequence[Item]", items))  # _sort_out makes the others such

    def _sort_out(self, items: Sequence[Any], first: int) -> None:
        slots, judged, put = self._slots, self._judged, self._rows[0].extend
        for position, told in enumerate(items, first):
            try:
                tick, verb, resource, status = told
                row = tick, slots[verb, resource], judged[status], position
            except (TypeError, ValueError, KeyError):
                pass  # no request, or one that is to be read with care
            else:
                put(row)
                continue
            self._meet(position, _read(told))

    def _admit(self, position: int, access: Access, line: str) -> None:
        slot = self._slots.get((access.verb, access.resource))
        if slot is None:
            super()._admit(position, access, line)
        else:
            self._rows[0].extend((access.tick, slot, int(access.failed), position))

    def _read_column(self, stamps: list[Any]) -> list[int] | None:
        return stamps  # they are ticks


def _read(told: RawEvent) -> Item:
    if isinstance(told, Deploy):
        return read_deploy(told)
    return show_request(*told) if isinstance(told, tuple) else told


LONGEST: Final = 8192
"""Characters that may be told: none that counts has so many, and hostile text must not pile up."""
LONGEST_EVENT: Final = LONGEST + 128
"""Characters of an event, with its time and status, or the labels of its lines."""

Request: TypeAlias = "tuple[int, str, str, int]"
"""Its tick, verb, resource and status."""


class Deploy(NamedTuple):
    """A change, and the tick of the clock, if it told one: its date, where it has no other."""

    at: int | str
    service: str
    commit: str
    author: str
    date: str


RawEvent: TypeAlias = "Request | Deploy | str | Change | Malformed"
"""A request, or the text of one that is odd; a deploy, or what has been read of one."""


def read_stamp(at: object) -> int | str:
    """The tick of seconds since the epoch, or their text where they are none."""
    try:
        text = f"{at}"
    except Exception:  # noqa: BLE001 (whatever somebody's object raises)
        return ""  # which is malformed, and so it is counted
    tick = parse_seconds(text)
    return text if tick is None else tick


def make_request(at: int | str, verb: object, resource: object, status: object) -> Request | str:
    """The request of any objects, or its text where they are none of a request's."""
    if (
        isinstance(at, int)
        and isinstance(verb, str)
        and isinstance(resource, str)
        and isinstance(status, int)
    ):  # of subclasses too, such as HTTPStatus
        return at, str.__str__(verb), str.__str__(resource), int.__int__(status)
    return show_request(at, verb, resource, status)


def show_request(at: int | str, verb: object, resource: object, status: object) -> str:
    """A request as streams have it."""
    try:
        return f"{show_tick(at) if isinstance(at, int) else at} {verb} {resource} {status}"
    except Exception:  # noqa: BLE001
        return ""


def read_deploy(deploy: Deploy) -> Change | Malformed:
    """The change, malformed where it is none, whatever somebody's object raises as it is shown."""
    at, service, commit, author, date = deploy
    try:
        who = f"{author}"
        when = date or f"{datetime.fromtimestamp(to_seconds(int(at)), UTC):%Y-%m-%d %H:%M:%S.%fZ}"
        text = show_change(service, commit, who if "<" in who else f"<{who}>", when)
    except Exception:  # noqa: BLE001
        text = ""
    return parse_change(text)


def show_change(service: str, commit: str, author: str, date: str) -> str:
    """A change as its four lines, the form in which streams have it."""
    return f"commit: {commit}\nAuthor: {author}\nDate: {date}\nService: {service}"
