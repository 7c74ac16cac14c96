"""Fixtures for every folder of tests, and how Hypothesis draws in all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.servers import alertmanager, servers

__all__ = ["alertmanager", "servers"]

# How long an example takes depends on what else the machine does: no test may fail for that.
_any_machine = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("all", _any_machine, max_examples=50)
settings.register_profile("fast", _any_machine, max_examples=10)
settings.load_profile("all")

SLOW_FIXTURES = {"browser", "servers"}
"""Tests that use one of these talk to other programs, which take a second or more to start."""


@pytest.hookimpl(tryfirst=True)  # before tests are left out by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and (
            not SLOW_FIXTURES.isdisjoint(item.fixturenames) or runs_on_uvloop(item)
        ):
            item.add_marker(pytest.mark.slow)


def runs_on_uvloop(test: pytest.Function) -> bool:
    """Is this a test that runs on asyncio, too? That is enough while code is written."""
    return hasattr(test, "callspec") and "uvloop" in test.callspec.id.split("-")


@pytest.fixture(autouse=True)
def unconfigured_logging() -> Iterator[None]:
    """Each test finds structlog as a program does that has not configured it, and leaves it so."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
