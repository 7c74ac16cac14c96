"""
How a live monitor survives a restart: its whole state in a file that is saved now and then, and
what was counted since then in the journal of that file.

The journal has every input before anything is reported. So after `kill -9` all that was reported is
known, and nothing that was counted is lost. A crash of the system loses what was not yet durable,
see `sync`. Whenever the process ends, one of these is on the disk:

1. while a state is saved: the old state, and a journal of all inputs since then
2. until the journal is begun anew: the new state, and a journal that also has inputs before it
3. after that: the new state, and a journal of all inputs since then

The state and its inputs know how many events were before them, so inputs that the state has already
are recognized.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from time import perf_counter_ns
from typing import Final

from anyio import CancelScope, sleep
from anyio.lowlevel import checkpoint

from slomon.concurrency import run_in_thread
from slomon.live_monitor.clock import Clock, monotonic_now
from slomon.live_monitor.engine import Engine
from slomon.live_monitor.inputs import Input, pack_input
from slomon.logging import get_logger, list_some
from slomon.state.encoding import Saved
from slomon.state.file import PersistentFile, set_aside
from slomon.state.journal import Journal
from slomon.state.validation import check_counts

_SYNC_SECONDS: Final = 0.05  # from one time that incidents are made durable to the next
_LEAST_SHARE: Final = 30  # between two saves, a monitor works at least 30 times as long as one took


class StateFile:
    """
    The state file of a monitor, and its journal. `every` is the interval in ticks at which the
    state is saved, and `now` is the clock of the monitor. The first of several failures in a row is
    logged; the next save that succeeds has everything.
    """

    def __init__(self, path: Path, every: int, now: Callable[[], int] = lambda: 0) -> None:
        self.every = every
        self.saved_at = 0
        """The time of the clock when the state was saved that `load` returned."""
        self._now = now
        self._file = PersistentFile(path, "state of a live monitor")
        self._journal = Journal(path)
        self._name = os.urandom(16).hex()  # of the journals of this monitor
        self._recent: list[bytes] | None = None  # records since the state that is being written
        self._failing = False

    @property
    def path(self) -> Path:
        """The path of the file."""
        return self._file.path

    @contextmanager
    def held(self) -> Iterator[None]:
        """
        Lock the file and the journal. Raises what PersistentFile.held and Journal.check_place do.
        """
        with self._file.held():
            self._journal.check_place()
            try:
                yield
            finally:
                self._journal.close()

    async def load(self, restore: Callable[[Saved, Sequence[bytes]], Engine]) -> Engine | None:
        """
        Return the engine that `restore` makes of the saved state and the records of its journal, or
        None if there is no valid state. If the journal is damaged, the records before the damage
        are used. Endpoints that are no longer watched are logged. Raises what PersistentFile.load
        does.
        """
        engine = await self._file.load(partial(self._restore, restore))
        if engine is not None and engine.removed_endpoints:
            named, more = list_some(engine.removed_endpoints)
            get_logger().warning(
                "state.unwatched",
                file=str(self.path),
                endpoints=named,
                more=more,
                hint="the state's windows and incidents of these, which are watched no longer, end",
            )
        return engine

    def append(self, counted: Input) -> None:
        """Write an input of the engine to the journal. It survives the end of the process then."""
        record = pack_input(counted)
        if self._recent is not None:
            self._recent.append(record)
        try:
            self._journal.append(record)
        except OSError as error:
            self._log_failure(error)

    async def sync(self) -> None:
        """Make the inputs that were written durable: they survive a crash of the system then."""
        try:
            await run_in_thread(self._journal.sync)
        except (OSError, RuntimeError) as error:  # RuntimeError: no thread could be started
            self._log_failure(error)

    async def save(self, engine: Engine, *, last: bool = False) -> None:
        """
        Save the state of an engine, which continues meanwhile, and begin its journal anew. There is
        no journal after the `last` state.
        """
        try:
            copied = engine.copy_windows()
            for _ in copied.parts():
                await checkpoint()
            sections = engine.save(copied)
            self._recent = []
            await self._file.save(
                chain([("journal", self._name), ("clock", self._now())], sections)
            )
            if last:
                with suppress(OSError):  # a state knows what it has of its journal
                    self._journal.remove()
            else:
                with CancelScope(shield=True):
                    await self._begin_journal(self._recent)
        except (OSError, RuntimeError) as error:
            self._log_failure(error)
        else:
            self._failing = False
        finally:
            self._recent = None

    async def _begin_journal(self, recent: list[bytes]) -> None:
        """Begin the journal anew, with the inputs since the state, which may become more."""
        known = list(recent)
        new = await run_in_thread(partial(self._journal.prepare, self._name.encode(), known))
        self._journal.replace(new, recent[len(known) :])
        await run_in_thread(self._journal.sync_place)

    def _restore(self, restore: Callable[[Saved, Sequence[bytes]], Engine], saved: Saved) -> Engine:
        records, problem = self._journal.read(saved["journal"].encode())
        saved_at = saved["clock"]
        check_counts([saved_at])
        engine = restore(saved, records)
        self.saved_at = saved_at
        problem = problem or engine.invalid_record
        if problem:
            set_aside(self._journal.path, problem)
        return engine

    def _log_failure(self, error: Exception) -> None:
        if not self._failing:
            get_logger().error("state.unsaved", file=str(self.path), reason=str(error))
        self._failing = True


class Saver:
    """Decides when a state is saved, and when its journal is made durable."""

    def __init__(self, state: StateFile, clock: Clock) -> None:
        self._state = state
        self._clock, self._now = clock, monotonic_now(clock)
        self._resting: CancelScope | None = None
        self._moved = False  # incidents opened or ended since the journal was durable

    def sync_soon(self) -> None:
        """Incidents have opened or ended: make that durable soon."""
        self._moved = True
        if self._resting is not None:
            self._resting.cancel()

    async def run(self, find_engine: Callable[[], Engine]) -> None:
        """Make incidents durable soon, and save the state from time to time, until cancelled."""
        state = self._state
        due = self._now() + state.every
        while True:
            is_due = False
            with CancelScope() as self._resting:  # cancelled when incidents open or end
                if not self._moved:
                    await self._clock.sleep_until(due)
                    is_due = True
            if self._moved:
                self._moved = False
                await state.sync()
                await sleep(_SYNC_SECONDS)
            if is_due or self._now() >= due:
                began = perf_counter_ns()  # the clock may be set meanwhile
                await state.save(find_engine())
                took = perf_counter_ns() - began
                due = self._now() + max(state.every, took * _LEAST_SHARE)
