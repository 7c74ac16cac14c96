"""Fixtures for these tests."""

from __future__ import annotations

from tests.integrations.notify.conftest import logs

__all__ = ["logs"]
