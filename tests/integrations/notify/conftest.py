"""Fixtures for these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict


@pytest.fixture
def logs() -> Iterator[list[EventDict]]:
    """What is logged meanwhile."""
    structlog.configure()
    with capture_logs() as entries:
        yield entries
    structlog.reset_defaults()
