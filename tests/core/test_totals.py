"""The services of a run, from the totals of its endpoints."""

from __future__ import annotations

from array import array
from dataclasses import replace

from slomon.core.endpoints import Endpoint
from slomon.core.totals import Totals, add_up_services, list_endpoints, sum_requests
from tests.core.builders import ListedEndpoints, make_endpoint
from tests.incidents import make_incident


class UnmadeEndpoints(ListedEndpoints):
    """Endpoints that may not be made."""

    def __getitem__(self, key: int) -> Endpoint:  # type: ignore[override] # no slices
        raise AssertionError(f"endpoint {key} was made")


def test_services_own_one_or_several_endpoints_and_count_if_one_has_requests() -> None:
    endpoints = [
        make_endpoint("shop", "/a", slo=0.9),
        make_endpoint("cart", "/b", slo=0.9),
        make_endpoint("shop", "/c", slo=0.9),
        make_endpoint("shop", "/d", slo=0.5),
        make_endpoint("idle", "/e"),
    ]
    totals = Totals(endpoints, array("q", [5, 6, 7, 8, 0]), array("q", [0] * 5))
    services = add_up_services(totals, [make_incident(endpoints[0], 3, 1)])
    assert services.count == 2
    assert services.requests == {("shop", 0.9): 12, ("cart", 0.9): 6, ("shop", 0.5): 8}
    assert services.requests == sum_requests(list_endpoints(totals))


def test_no_endpoint_is_made_to_count_the_services_and_the_requests_of_those_that_broke() -> None:
    names = ["GET /w", "shop", "GET /x", "shop", "GET /y"]
    endpoints = [make_endpoint(name) for name in names]
    totals = Totals(UnmadeEndpoints(*endpoints), array("q", [5, 6, 7, 8, 0]))
    alone = replace(make_incident(endpoints[2], 3, 1), key=2)
    services = add_up_services(totals, [alone])
    assert services.count == 3
    assert services.requests["shop", 0.9] == 14
    assert services.requests["GET /x", 0.9] == 7
