"""The reader of a replay: blocks of all hosts in one order, as batches for the shards' queues."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from anyio import BrokenResourceError

from slomon.core.reorder import Order
from slomon.pipeline.run import Queues
from slomon.replaying.host import Host
from slomon.replaying.log import Block
from slomon.replaying.speed import Settler

CHANGES: Final = 0
"""The source of the changes; those of the hosts follow it."""


class BlockReader:
    """Reads the host that is furthest behind, as long as there is one."""

    def __init__(
        self,
        hosts: Sequence[Host],
        order: Order,
        settler: Settler,
        lateness: Callable[[Block], int],
        between: Callable[[Queues], Awaitable[None]],
    ) -> None:
        self._hosts = hosts
        self._order = order
        self._settler = settler
        self._lateness = lateness
        self._between = between

    async def read(self, queues: Queues) -> None:
        """Fill the queues, one a shard, and close them."""
        try:
            while (source := self._order.next_source()) is not None:
                await self._read_from(source, queues)
                await self._between(queues)
        except BrokenResourceError:
            pass  # a worker has failed: its own error ends the run
        finally:
            for host in self._hosts:
                host.close()
            for queue in queues:
                queue.close()

    async def _read_from(self, source: int, queues: Queues) -> None:
        host = self._hosts[source - 1]
        block = await host.next()
        if block is None:
            self._order.end(source)
            await self._send(queues)
            return
        clock = self._order.clocks[source]
        if clock.newest == 0:
            clock.lateness = self._lateness(block)
        await self._settle(source, block, queues)
        while block.go_on():
            self._settler.scan(block)
            await self._settle(source, block, queues)
        host.give_back(block)

    async def _settle(self, source: int, block: Block, queues: Queues) -> None:
        """Settle a part of a block, so that no more waits than may be needed."""
        self._settler.settle(block)
        self._order.enter(source, block.ticks, block.codes, block.rows)
        await self._send(queues)

    async def _send(self, queues: Queues) -> None:
        for shard, batch in self._order.take():
            await queues[shard].send(batch)
