"""Every endpoint has one shard, the same in every process, and services know theirs."""

from __future__ import annotations

import pytest

from slomon.core.endpoints import Catalogue, Sharding


def catalogue(*owned: tuple[str, str]) -> Catalogue:
    """One GET endpoint for each pair of a service and a resource."""
    fields = {"email": "ana@example.com", "verb": "GET", "slo": 0.9, "window": 30}
    return Catalogue([fields | {"name": name, "resource": resource} for name, resource in owned])


MANY = catalogue(*((f"service {number % 100}", f"/{number}") for number in range(1000)))


@pytest.mark.parametrize(("shards", "shard", "slot"), [(1, 0, 998), (2, 0, 499), (7, 4, 142)])
def test_endpoints_are_dealt_out_in_the_order_of_their_entries(
    shards: int, shard: int, slot: int
) -> None:
    # Known values: the same in every process, and every shard gets as many, but for one.
    assert Sharding(MANY, shards).place("GET", "/998") == (shard, slot)
    sizes = {len(members) for members in Sharding(MANY, shards).members}
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("shards", [1, 2, 7, 64])
def test_every_endpoint_has_a_place_of_its_own_and_is_found_there(shards: int) -> None:
    sharding = Sharding(MANY, shards)
    for endpoint in MANY.endpoints:
        place = sharding.place(endpoint.verb, endpoint.resource)
        assert place is not None
        shard, slot = place
        assert sharding.members[shard][slot] is endpoint
    assert sum(map(len, sharding.members)) == len(MANY.endpoints)
    assert all(sharding.members), "a worker without work"


def test_an_endpoint_that_nothing_watches_has_no_place() -> None:
    assert Sharding(MANY, 2).place("POST", "/1") is None


@pytest.mark.parametrize("shards", [1, 2, 7, 64])
def test_a_service_is_owned_by_exactly_the_shards_of_its_endpoints(shards: int) -> None:
    sharding = Sharding(MANY, shards)
    for service in {endpoint.name for endpoint in MANY.endpoints}:
        owners = sharding.owners(service)
        assert len(owners) == len(set(owners))
        assert set(owners) == {
            shard
            for shard, members in enumerate(sharding.members)
            if service in {member.name for member in members}
        }


def test_a_service_of_no_endpoint_has_no_owner() -> None:
    assert Sharding(MANY, 2).owners("nobody") == ()


def test_names_may_hold_lone_surrogates() -> None:
    sharding = Sharding(catalogue(("\udcff", "/\ud800")), 7)
    place = sharding.place("GET", "/\ud800")
    assert place is not None
    assert sharding.owners("\udcff") == (place[0],)
    with pytest.raises(IndexError):
        sharding.members[place[0]][1]
