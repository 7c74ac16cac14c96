"""Which positions of paths are learnt to be slugs, and which endpoints stay as they are."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.endpoints.discovery import name_request, route_of
from slomon.endpoints.templates import (
    Template,
    compile_templates,
    learn_templates,
    split_path,
)
from slomon.kernels.route import NAMED, NUMBERED

PRODUCTS = [f"/product/phone-{number}" for number in range(12)]
WORDS = ["".join(random.Random(n).choices("abcdefghij", k=8)) for n in range(400)]


def learn(paths: list[str], failing: tuple[str, ...] = (), origin: str = "") -> list[Template]:
    requests = ((name_request("GET", origin, path), path in failing) for path in paths)
    return learn_templates(Counter(requests))


def routes(paths: list[str], templates: list[Template], origin: str = "") -> list[str]:
    column = compile_templates(templates)
    return [route_of(name_request("GET", origin, path), column).decode() for path in paths]


def test_values_with_digits_that_are_seldom_seen_are_slugs() -> None:
    templates = learn(PRODUCTS * 3)

    assert templates == [Template(b"/product", NUMBERED, [], 12)]
    assert templates[0].show() == "/product/{slug}"
    assert routes(["/product/new-13", "/product/new/x1"], templates) == [
        "GET /product/{slug}",
        "GET /product/new/x1",
    ]


def test_other_verbs_have_the_same_templates() -> None:
    column = compile_templates(learn(PRODUCTS))
    assert route_of(b"POST /product/phone-7/review", column) == b"POST /product/{slug}/review"


def test_fewer_values_are_endpoints_of_their_own() -> None:
    assert learn(PRODUCTS[:9] * 3) == []


def test_a_value_with_an_escape_counts_as_two() -> None:
    escaped = [f"/tag/%C3%A{number}" for number in range(5)]
    assert learn(escaped[:4]) == []
    assert learn(escaped) == [Template(b"/tag", NUMBERED, [], 5)]


def test_siblings_with_much_traffic_are_endpoints_of_their_own() -> None:
    siblings = [f"/api/{word}" for word in WORDS[:40]]
    numbered = [f"/api/v2-{word}" for word in WORDS[:40]]
    assert learn(siblings * 25) == []
    assert learn(numbered * 25) == []


def test_words_are_slugs_only_if_there_are_many_that_are_seen_once() -> None:
    pages = [f"/wiki/{word}" for word in WORDS[:25]]
    assert learn(pages[:19]) == []
    assert learn([*pages, *pages[:6]]) == []
    templates = learn([*pages, *pages[:5]])
    assert templates == [Template(b"/wiki", NAMED, [], 25)]
    assert routes(["/wiki/unseen", "/wiki/x", "/wiki/7"], templates) == [
        "GET /wiki/{slug}",
        "GET /wiki/x",
        "GET /wiki/{id}",
    ]


def test_words_at_the_beginning_of_a_path_are_endpoints_of_their_own() -> None:
    assert learn([f"/{word}" for word in WORDS[:100]]) == []


def test_the_beginning_of_a_path_needs_more_values() -> None:
    posts = [f"/post-{number}" for number in range(30)]
    assert learn(posts[:29]) == []
    templates = learn([*posts, "/login", "/cart"])
    assert templates == [Template(b"", NUMBERED, [], 30)]
    assert routes(["/post-31", "/login", "/"], templates) == ["GET /{slug}", "GET /login", "GET /"]


def test_what_follows_a_slug_is_learnt_as_one_position() -> None:
    paths = [f"/shop/s{n}/item/i{n}" for n in range(12)]
    assert [one.show() for one in learn(paths)] == [
        "/shop/{slug}",
        "/shop/{slug}/item/{slug}",
    ]


def test_identifiers_are_replaced_before_slugs_are_looked_for() -> None:
    paths = [f"/user/{n}/file/f{n}.txt" for n in range(12)]
    assert [one.show() for one in learn(paths)] == ["/user/{id}/file/{slug}"]


def test_a_frequent_value_stays_an_endpoint_of_its_own() -> None:
    templates = learn([*PRODUCTS, *(["/product/top-10"] * 6)])
    assert templates == [Template(b"/product", NUMBERED, [b"top-10"], 12)]
    assert routes(["/product/top-10", "/product/top-11"], templates) == [
        "GET /product/top-10",
        "GET /product/{slug}",
    ]


def test_a_value_with_most_of_the_failures_stays_an_endpoint_of_its_own() -> None:
    broken = "/product/phone-3"
    assert learn([*PRODUCTS, broken], failing=(broken,))[0].kept == [b"phone-3"]
    everything = learn([*PRODUCTS, *PRODUCTS], failing=tuple(PRODUCTS))
    assert everything[0].kept == []


def test_each_host_has_templates_of_its_own() -> None:
    shop = "shop.example.com"
    templates = learn(PRODUCTS, origin=shop)
    assert [one.show() for one in templates] == ["shop.example.com/product/{slug}"]
    path = "/product/phone-99"
    assert routes([path], templates, shop) == [f"GET {shop}\n/product/{{slug}}"]
    assert routes([path], templates, "blog.example.com") == [f"GET blog.example.com\n{path}"]
    assert routes([path], templates) == [f"GET {path}"]


def test_templates_of_a_file_are_shown_with_its_service() -> None:
    shown = [
        one.show() for origin in ("web1/", "web1/a.b") for one in learn(PRODUCTS, origin=origin)
    ]
    assert shown == ["web1/product/{slug}", "web1/a.b/product/{slug}"]


def test_the_order_of_requests_does_not_matter() -> None:
    paths = [*PRODUCTS, *(f"/tag/t{n}" for n in range(20)), *(["/product/top-10"] * 9)]
    shuffled = random.Random(3).sample(paths, len(paths))
    assert learn(paths) == learn(shuffled)


segments = st.sampled_from(
    ("", "users", "42", "a;b=1", ";", "7;x", "abcdefabcdefabc1", "-", "caf\u00e9", "a b", "{id}")
) | st.text(max_size=4)


@given(st.lists(segments, max_size=5), st.sampled_from(("", "shop.example.com", "web/shop")))
def test_a_path_is_split_as_the_kernel_writes_its_route(path: list[str], origin: str) -> None:
    request = name_request("GET", origin, "/" + "/".join(path))
    assert b"/".join(split_path(request)) == route_of(request).partition(b" ")[2]


@pytest.mark.parametrize("path", ["*", "example.com:443", "a\nb", "/a\nb/c"])
def test_a_target_that_is_no_path_is_split_too(path: str) -> None:
    request = name_request("OPTIONS", "", path)
    assert b"/".join(split_path(request)) == route_of(request).partition(b" ")[2]
