"""Batches of what a host told: no text is made of it, and none is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from slomon.core.batching import Batcher, Cut, Item
from slomon.core.endpoints import Sharding
from slomon.core.events import Access, StatusRule
from slomon.embedding.told import Deploy, Told, read_deploy, show_request


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

    def cut(self, items: Sequence[Told]) -> Cut:
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


def _read(told: Told) -> Item:
    if isinstance(told, Deploy):
        return read_deploy(told)
    return show_request(*told) if isinstance(told, tuple) else told
