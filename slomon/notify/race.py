"""Several things at once, until the first of them is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from anyio import create_task_group


async def first_of(*calls: Callable[[], Awaitable[object]]) -> None:
    """Return as one of these returns; the others are cancelled. None of them may raise."""
    async with create_task_group() as tasks:

        async def run(call: Callable[[], Awaitable[object]]) -> None:
            await call()
            tasks.cancel_scope.cancel()

        for call in calls:
            tasks.start_soon(run, call)
