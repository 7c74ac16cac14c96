"""Which shard owns which endpoint, by a hash that is the same in every process and run."""

from __future__ import annotations

import zlib
from array import array

from slomon.core.endpoint import Catalogue, Endpoint


class Sharding:
    """
    The endpoints of a catalogue spread over `shards`. A `slot` is an endpoint's place among
    the members of its shard.
    """

    def __init__(self, catalogue: Catalogue, shards: int) -> None:
        self.catalogue = catalogue
        self.members: list[list[Endpoint]] = [[] for _ in range(shards)]
        self._shard_of = array("I")  # by endpoint key, and so the slots
        self._slot_of = array("I")
        self._owners: dict[str, tuple[int, ...]] = {}
        self._alone = [(shard,) for shard in range(shards)]
        for endpoint in catalogue.endpoints:
            self._place(endpoint, _stable_hash(endpoint) % shards)

    def place(self, verb: str, resource: str) -> tuple[int, int] | None:
        """The shard of an endpoint and its slot there; None where nothing watches it."""
        key = self.catalogue.find(verb, resource)
        return None if key is None else (self._shard_of[key], self._slot_of[key])

    def owners(self, service: str) -> tuple[int, ...]:
        """The shards that own an endpoint of a service; none where the service is unknown."""
        return self._owners.get(service, ())

    def _place(self, endpoint: Endpoint, shard: int) -> None:
        self._shard_of.append(shard)
        self._slot_of.append(len(self.members[shard]))
        self.members[shard].append(endpoint)
        owners = self.owners(endpoint.name)
        if shard not in owners:
            # most services have one owner: those share one tuple a shard
            self._owners[endpoint.name] = (*owners, shard) if owners else self._alone[shard]


def _stable_hash(endpoint: Endpoint) -> int:
    return zlib.crc32(f"{endpoint.verb} {endpoint.resource}".encode(errors="surrogatepass"))
