"""The reader: one task that cuts what has arrived into batches, for the queues of their shards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from anyio import BrokenResourceError
from anyio.streams.memory import MemoryObjectSendStream

from slomon.concurrency import in_own_thread
from slomon.core.accounting import Rejection, keep_first
from slomon.core.batch import Batcher
from slomon.errors import MalformedEventError
from slomon.pipeline.intake import Intake
from slomon.pipeline.speed import Handover, Relief
from slomon.pipeline.stream import Listener
from slomon.pipeline.worker import Fed

_TIMES_FASTER: Final = 8


class Reader:
    """Reads a stream to its end, or, if `strict`, to its first malformed event."""

    def __init__(
        self,
        intake: Intake,
        batcher: Batcher,
        listeners: Sequence[Listener],
        *,
        strict: bool,
        relief: Relief | None = None,
    ) -> None:
        self._intake = intake
        self._batcher = batcher
        self._relief = relief
        self._listeners = listeners
        self._strict = strict
        self.rejections: list[Rejection] = []
        """The first 100 malformed events, with the first 1000 characters of their text."""

    async def read(self, queues: Sequence[MemoryObjectSendStream[Fed]]) -> None:
        """
        Fill the queues, one a shard, and close them. A full queue holds the reader up, and with it
        the stream. Raises MalformedEventError if strict.
        """
        try:
            while items := await self._intake.take():
                cut = self._batcher.cut(items)
                for rejection in cut.rejections:
                    self._reject(rejection)
                for shard, batch in cut.batches:
                    await queues[shard].send(batch)
                await self._hand_over(queues, busy=len(items) == self._intake.batch_bound)
        except BrokenResourceError:
            pass  # a worker has failed: its own error ends the run
        finally:
            self._intake.close()
            for queue in queues:
                queue.close()

    async def _hand_over(
        self, queues: Sequence[MemoryObjectSendStream[Fed]], *, busy: bool
    ) -> None:
        if self._relief is None or not self._relief.due(self.events, busy=busy):
            return
        parts = await in_own_thread(self._relief.bring)
        if parts is not None:
            self._relief = None
            self._batcher = parts.batcher(self._batcher)
            self._intake.widen(_TIMES_FASTER)
            for queue in queues:
                await queue.send(Handover(parts))

    @property
    def events(self) -> int:
        """How many were read."""
        return self._batcher.accounting.events

    @property
    def newest(self) -> int:
        """The newest tick of any access, watched or not."""
        return self._batcher.newest

    def _reject(self, rejection: Rejection) -> None:
        if self._strict:
            raise MalformedEventError(rejection.position, rejection.text, rejection.reason)
        keep_first(self.rejections, rejection)
        for listener in self._listeners:
            listener.event_rejected(rejection)
