"""A request belongs to the endpoint whose resource matches it best, if any does."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.endpoints import Endpoint
from slomon.endpoints.router import Router
from slomon.errors import ConfigurationError

TEMPLATES = (
    "segments of text without a query, '{name}' for any one segment, and '{name:path}' for all "
    "that remain at the end; braces nowhere else"
)


def endpoint(resource: str, verb: str = "GET") -> Endpoint:
    return Endpoint("shop", "ana@example.com", verb, resource, 0.9, 30)


def router(*resources: str) -> Router:
    return Router([endpoint(resource) for resource in resources])


@pytest.mark.parametrize(
    ("resource", "target"),
    [
        ("/users", "/users"),
        ("/", "/"),
        ("/users", "/users?page=2"),
        ("/users", "/users#top"),
        ("/users", "/users?next=/a#b?c"),
        ("/users", "/users#a?b"),
        ("/users", "http://shop.example/users"),
        ("/users", "HTTPS://shop.example:8443/users?page=2"),
        ("/", "http://shop.example"),
        ("/", "http://shop.example?page=2"),
        ("*", "*"),
        ("shop.example:443", "shop.example:443"),
        ("/users/{id}", "/users/7"),
        ("/users/{user-id}", "/users/%2F"),
        ("/users/{id}", "/users/{id}"),
        ("/users/{id}/", "/users/7/"),
        ("/{a}/{b}", "/x/y"),
        ("/static/{file:path}", "/static/a"),
        ("/static/{file:path}", "/static/a/b/c.css"),
        ("/static/{file:path}", "/static/"),
        ("/static/{file:path}", "/static/a//b/"),
        ("/{all:path}", "/"),
        ("{all:path}", "*"),
        ("https://shop.example.com/a/{b}", "https://shop.example.com/a/7?x"),
        ("https://Shop.example.com:8443/a", "http://shop.example.COM/a"),
        ("http://shop.example.com", "https://shop.example.com/"),
        ("http://shop.example.com/", "https://ana@shop.example.com"),
    ],
)
def test_a_request_finds_its_endpoint(resource: str, target: str) -> None:
    assert router("/other", resource).find("GET", target) == 1


@pytest.mark.parametrize(
    ("resource", "target"),
    [
        ("/users", "/users/"),
        ("/users/", "/users"),
        ("/users", "/Users"),
        ("/users", "/users/7"),
        ("/users", ""),
        ("/users/7", "/users"),
        ("/users/{id}", "/users/"),
        ("/users/{id}", "/users/7/"),
        ("/users/{id}", "/users/7/posts"),
        ("/users/{id}", "/users/%37/posts"),
        ("/static/{file:path}", "/static"),
        ("/users", "shop.example/users"),
    ],
)
def test_a_request_that_no_resource_matches_has_no_endpoint(resource: str, target: str) -> None:
    assert router(resource).find("GET", target) is None


def test_a_verb_has_its_own_endpoints() -> None:
    routes = Router([endpoint("/users"), endpoint("/users", "POST")])

    assert routes.find("GET", "/users") == 0
    assert routes.find("POST", "/users") == 1
    assert routes.find("get", "/users") is None


@pytest.mark.parametrize("order", list(permutations(["/u/me", "/u/{id}", "/u/{rest:path}"])))
def test_the_most_specific_resource_wins_in_any_order(order: tuple[str, ...]) -> None:
    routes = router(*order)

    assert routes.find("GET", "/u/me") == order.index("/u/me")
    assert routes.find("GET", "/u/7") == order.index("/u/{id}")
    assert routes.find("GET", "/u/me/x") == order.index("/u/{rest:path}")


def test_the_first_segment_that_differs_decides() -> None:
    assert router("/{a}/b/c", "/a/{b:path}").find("GET", "/a/b/c") == 1


def test_a_branch_without_a_match_is_left_for_the_next_best() -> None:
    resources = ("/a/b/c", "/a/{x}/d", "/{x}/b/e", "/{x}/{y}/f", "/{all:path}")
    routes = router(*resources)

    for key, target in enumerate(["/a/b/c", "/a/b/d", "/a/b/e", "/a/b/f", "/a/b/g"]):
        assert routes.find("GET", target) == key


@pytest.mark.parametrize(
    "resource",
    [
        "/u/{",
        "/u/}",
        "/u/{}",
        "/u/{:path}",
        "/u/x{id}",
        "/u/{id}.json",
        "/u/{a}{b}",
        "/u/{{id}}",
        "/u/{id:int}",
        "/u/{a/b}",
        "/u/{rest:path}/x",
        "/u/{rest:path}/",
        "/u?page={page}",
        "/u#top",
    ],
)
def test_a_brace_or_a_query_in_a_wrong_place_is_rejected(resource: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        router("/ok", resource)
    assert str(caught.value) == (
        f"endpoint 'shop': field 'resource' is '{resource}'; allowed: {TEMPLATES}"
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/u", "/u"),
        ("/u/{id}", "/u/{name}"),
        ("/u/{a}/x/{b}", "/u/{b}/x/{a}"),
        ("/u/{a:path}", "/u/{b:path}"),
    ],
)
def test_two_resources_for_the_same_requests_are_rejected(first: str, second: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        router(first, second)
    assert str(caught.value) == (
        f"endpoint 'shop': field 'resource' is '{second}', which the same requests match as "
        f"'{first}' of 'shop'; allowed: each set of requests once"
    )


def test_a_target_of_many_segments_is_cheap() -> None:
    routes = router("/a/a/a", "/{x}/a/{y}", "/{x}/{y}/a/{z}", "/b/{all:path}")
    deep = "/a" * 100_000

    assert routes.find("GET", deep) is None
    assert routes.find("GET", "/b" + deep) == 3


def test_a_resource_of_many_segments_is_cheap() -> None:
    assert router("/{x}" * 10_000).find("GET", "/a" * 10_000) == 0


def rank(resource: str, target: str) -> tuple[int, ...] | None:
    """The rank of a match, segment by segment, the best is the least; None if there is no match."""
    patterns, segments = resource.split("/"), target.split("/")
    ranks: list[int] = []
    for place, pattern in enumerate(patterns):
        if place == len(segments):
            return None
        if pattern.endswith(":path}"):
            return (*ranks, 2)
        if pattern.startswith("{") and segments[place]:
            ranks.append(1)
        elif pattern == segments[place]:
            ranks.append(0)
        else:
            return None
    return tuple(ranks) if len(patterns) == len(segments) else None


SEGMENTS = st.sampled_from(["", "a", "b", "{x}"])
RESOURCES = st.builds(
    lambda segments, last: "/".join([*segments, *last]),
    st.lists(SEGMENTS, min_size=1, max_size=4),
    st.sampled_from([[], ["{x:path}"]]),
)
TARGETS = st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=6).map("/".join)


@given(st.lists(RESOURCES, unique=True, max_size=12), TARGETS)
def test_the_router_finds_what_trying_every_resource_finds(
    resources: list[str], target: str
) -> None:
    fits = [(fit, key) for key, resource in enumerate(resources) if (fit := rank(resource, target))]

    assert router(*resources).find("GET", target) == (min(fits)[1] if fits else None)


def test_a_resource_of_a_host_matches_only_its_requests_and_comes_first() -> None:
    routes = router("/a/{any}", "https://shop.example.com/{all:path}", "https://b.example/a/7")
    targets = {
        "/a/7": 0,
        "https://other.example/a/7": 0,
        "https://shop.example.com/a/7": 1,
        "https://b.example/a/7": 2,
        "https://b.example/a/8": 0,
        "https://b.example/x": None,
    }
    assert {target: routes.find("GET", target) for target in targets} == targets


def test_a_resource_of_a_host_is_given_once() -> None:
    with pytest.raises(ConfigurationError, match="the same requests match as"):
        router("https://shop.example.com/a", "http://SHOP.example.com:80/a")
