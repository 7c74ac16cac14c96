"""Packages of `slomon[dev]` that a test needs, and that may be missing where nobody tests."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import pytest


def load(name: str) -> Any:
    """The module. If it is not installed, the test is skipped; with CI set, it fails."""
    if os.environ.get("CI"):
        return import_module(name)
    return pytest.importorskip(name)
