"""Every test of a live monitor runs on both event loops, and may leave nothing behind."""

from __future__ import annotations

from tests.integrations.notify.conftest import logs
from tests.pipeline.conftest import (
    no_test_hangs,
    nothing_is_left_behind,
    pytest_asyncio_loop_factories,
    terminal,
)

__all__ = [
    "logs",
    "no_test_hangs",
    "nothing_is_left_behind",
    "pytest_asyncio_loop_factories",
    "terminal",
]
