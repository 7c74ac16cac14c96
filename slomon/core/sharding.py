"""
Which shard owns which endpoint: keys are dealt out in turn, the same way in every process and run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slomon.core.endpoint import Catalogue, Endpoint


class Sharding:
    """
    The endpoints of a catalogue spread over `shards`. A `slot` is an endpoint's place among
    the members of its shard.
    """

    def __init__(self, catalogue: Catalogue, shards: int) -> None:
        self.catalogue = catalogue
        self.members = [Members(catalogue.endpoints, shard, shards) for shard in range(shards)]
        self._owners: dict[str, tuple[int, ...]] = {}
        alone = [(shard,) for shard in range(shards)]
        for key, endpoint in enumerate(catalogue.endpoints):
            shard = key % shards
            owners = self.owners(endpoint.name)
            if shard not in owners:
                # most services have one owner: those share one tuple a shard
                self._owners[endpoint.name] = (*owners, shard) if owners else alone[shard]

    def place(self, verb: str, resource: str) -> tuple[int, int] | None:
        """The shard of an endpoint and its slot there; None where nothing watches it."""
        key = self.catalogue.find(verb, resource)
        if key is None:
            return None
        slot, shard = divmod(key, len(self.members))
        return shard, slot

    def owners(self, service: str) -> tuple[int, ...]:
        """The shards that own an endpoint of a service; none where the service is unknown."""
        return self._owners.get(service, ())


@dataclass(frozen=True, slots=True)
class Members(Sequence[Endpoint]):
    """The endpoints of one shard of so many, by their slots; they grow with those of the run."""

    endpoints: Sequence[Endpoint]
    shard: int
    shards: int

    def __len__(self) -> int:
        return (len(self.endpoints) - self.shard + self.shards - 1) // self.shards

    def key(self, slot: int) -> int:
        """The endpoint's number among those of the run."""
        return slot * self.shards + self.shard

    def __getitem__(self, slot: int) -> Endpoint:  # type: ignore[override] # no slices of these
        if not 0 <= slot < len(self):
            raise IndexError(slot)
        return self.endpoints[self.key(slot)]
