"""The requests of each log: their endpoints and services."""

from __future__ import annotations

import re
from functools import cache, partial
from pathlib import Path
from typing import Final

from slomon.endpoints.discovery import (
    BY_FILE,
    FoundEndpoints,
    FoundRequests,
    GivenRequests,
    Requests,
)
from slomon.endpoints.router import Router
from slomon.log_replay.plan import Plan

_SUFFIX: Final = (
    r"[._-]?\d{4}-?\d{2}-?\d{2}(?:[T_-]?\d{2,6})?|[._-]\d+|\.(?:gz|bz2|xz|zst|lz4|br|Z)"
    r"|\.(?:log|txt|json|jsonl|ndjson|csv|out|old)"
)
_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9._-]+")


def name_service(path: str) -> str:
    """
    The service whose log this is, if files are services: the name of the file without the suffixes
    of rotation, compression and format. `access.log.2.gz` is of `access`.
    """
    name = Path(path).name
    while found := re.search(rf"(?:{_SUFFIX})\Z", name):
        if not found.start():
            break
        name = name[: found.start()]
    return _UNUSUAL.sub("_", name) or "_"


class KnownRequests:
    """The requests of each log: one object for all logs with the same endpoints and services."""

    def __init__(self, plan: Plan, found: FoundEndpoints) -> None:
        self._service_from = plan.service_from
        self._make = cache(partial(_make_requests, plan, found))

    def __call__(self, *, match_exactly: bool, log: str = "") -> Requests:
        label = name_service(log) if log and self._service_from == BY_FILE else ""
        return self._make(label, match_exactly=match_exactly)


def _make_requests(
    plan: Plan, found: FoundEndpoints, label: str, *, match_exactly: bool
) -> Requests:
    """The requests of logs whose targets are compared exactly, or with templates."""
    if plan.endpoints is None:
        return FoundRequests(found, label)
    endpoints = plan.endpoints.endpoints
    find = plan.endpoints.find if match_exactly else Router(endpoints).find
    return GivenRequests(endpoints, find)
