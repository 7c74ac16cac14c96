"""Endpoints and commits by the names that people know them by."""

from __future__ import annotations

import re
from typing import Final

_HASH: Final = re.compile("[0-9a-f]{40,}")
_SHORT: Final = 8  # characters: enough of a hash to find it by


def name_endpoint(service: str, verb: str, resource: str) -> str:
    """An endpoint, after its service where that has a name of its own."""
    request = f"{verb} {resource}"
    return request if service == request else f"{service}: {request}"


def name_commit(commit: str) -> str:
    """The beginning of a hash; a tag or a version is what it is."""
    return commit[:_SHORT] if _HASH.fullmatch(commit) else commit
