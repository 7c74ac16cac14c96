"""Endpoints of which tests say no more than they are about."""

from __future__ import annotations

from collections.abc import Iterable

from slomon.core.endpoints import Endpoint, OwnedEndpoints


def make_endpoint(
    name: str = "shop", resource: str = "", *, slo: float = 0.9, window: int = 10
) -> Endpoint:
    """An endpoint of a service, whose window is in ticks."""
    return Endpoint(name, "ana@example.com", "GET", resource or f"/{name}", slo, window)


class ListedEndpoints(OwnedEndpoints):
    """Endpoints in a list, as if they were made when they are read."""

    def __init__(self, *endpoints: Endpoint) -> None:
        self._endpoints = endpoints

    def __len__(self) -> int:
        return len(self._endpoints)

    def __getitem__(self, key: int) -> Endpoint:  # type: ignore[override] # no slices
        return self._endpoints[key]

    def list_owners(self, first: int, end: int) -> Iterable[tuple[str, float]]:
        """Services are named after their only endpoint if their names have a space."""
        return [
            ("" if " " in one.name else one.name, one.slo) for one in self._endpoints[first:end]
        ]
