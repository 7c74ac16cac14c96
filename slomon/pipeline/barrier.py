"""A mark that flows through the pipeline behind all that came before it."""

from __future__ import annotations

from anyio import Event


class Barrier:
    """
    Sent to every shard's queue and passed on by every worker: once it has passed the collector as
    often as there are shards, whatever came before it is done.
    """

    def __init__(self, shards: int) -> None:
        self._missing = shards
        self._passed = Event()

    def arrive(self) -> None:
        """One more shard has done all before it."""
        self._missing -= 1
        if self._missing == 0:
            self._passed.set()

    async def wait(self) -> None:
        """Wait until all have."""
        await self._passed.wait()
