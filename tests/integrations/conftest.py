"""Fixtures for these tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integrations.notify.conftest import logs
from tests.integrations.spark_cluster import require_spark, start_cluster

__all__ = ["logs"]


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A session of a cluster of Spark: all tests have the same, which takes seconds to start."""
    require_spark()
    with start_cluster() as session:
        yield session
