"""Fixtures for every folder of tests."""

from __future__ import annotations

from tests.servers import alertmanager, servers

__all__ = ["alertmanager", "servers"]
