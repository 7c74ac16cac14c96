"""Endpoints of which tests say no more than they are about."""

from __future__ import annotations

from slomon.core.endpoints import Endpoint


def make_endpoint(
    name: str = "shop", resource: str = "", *, slo: float = 0.9, window: int = 10
) -> Endpoint:
    """An endpoint of a service, whose window is in ticks."""
    return Endpoint(name, "ana@example.com", "GET", resource or f"/{name}", slo, window)
