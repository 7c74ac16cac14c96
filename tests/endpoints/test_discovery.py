"""A request belongs to a configured endpoint, or to a discovered one."""

from __future__ import annotations

import pytest

from slomon.core.endpoints import Catalogue, Endpoint
from slomon.endpoints.discovery import (
    BY_ENDPOINT,
    BY_FILE,
    BY_HOST,
    SERVICES_FROM,
    FoundEndpoints,
    FoundRequests,
    GivenRequests,
    LruDict,
    PythonEndpointNames,
    name_request,
    split_name,
)
from slomon.endpoints.router import Router
from slomon.kernels.codes import UNMATCHED
from slomon.kernels.route import LONGEST

LIKE = Endpoint("", "-", "", "", 0.9, 300)
CATALOGUE = Catalogue(
    {"name": name, "email": "-", "verb": "GET", "resource": resource, "slo": 0.9, "window": 5}
    for name, resource in (("shop", "/a"), ("cart", "/b"))
)


def found(
    most: int = 10, name: str = "", service_from: str = BY_HOST, label: str = ""
) -> FoundRequests:
    like = Endpoint(name, "-", "", "", 0.9, 300)
    return FoundRequests(FoundEndpoints(PythonEndpointNames(most), like, service_from), label)


def settle(requests: FoundRequests, *deployed: str) -> list[tuple[str, str]]:
    """The services and the resources of all endpoints, once all are found."""
    names = requests.names
    assert isinstance(names, PythonEndpointNames)
    for key in range(len(names)):
        names.accept(key)
    requests.endpoints.settle(deployed)
    return [(one.name, one.resource) for one in requests.endpoints]


@pytest.mark.parametrize("service_from", SERVICES_FROM)
@pytest.mark.parametrize("name", ["", "all"])
@pytest.mark.parametrize("hosts", [[""], ["a.example"], ["", "a.example"], ["a.io", "b.io"]])
def test_the_owners_of_endpoints_are_the_services_of_the_endpoints_made_one_by_one(
    service_from: str, name: str, hosts: list[str]
) -> None:
    label = "web" if service_from == BY_FILE and not name else ""
    requests = found(50, name, service_from, label)
    for host in hosts:
        for target in ("/a", "/b\nc", "/", "d\ne", "*"):
            for verb in ("GET", "POST"):
                requests.key(verb, target, host)
    endpoints = requests.endpoints

    def check() -> None:
        owners = [
            ("" if one.name == f"{one.verb} {one.resource}" else one.name, one.slo)
            for one in endpoints
        ]
        for first, end in (0, 99), (0, len(owners)), (1, 4), (3, 3):
            assert list(endpoints.list_owners(first, end)) == owners[first:end]

    check()
    settle(requests)
    check()


def test_configured_endpoints_are_found_by_their_requests() -> None:
    requests = GivenRequests(CATALOGUE.endpoints, CATALOGUE.find)
    assert [requests.key("GET", target) for target in ("/b", "/a", "/c")] == [1, 0, UNMATCHED]
    assert requests.key("POST", "/a") == UNMATCHED
    assert requests.endpoints == CATALOGUE.endpoints


def test_only_short_requests_are_cached() -> None:
    asked = []

    def find(verb: str, target: str) -> None:
        asked.append((len(verb), len(target)))

    requests = GivenRequests(CATALOGUE.endpoints, find)
    for verb, target in (("A" * LONGEST, "/"), ("A", "/" * LONGEST), ("A", "/" * (LONGEST - 1))):
        for _ in range(2):
            requests.key(verb, target)
    assert asked == [(LONGEST, 1)] * 2 + [(1, LONGEST)] * 2 + [(1, LONGEST - 1)]


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slomon.endpoints.discovery._CACHED", 2)
    asked = []

    def find(verb: str, target: str) -> str:
        asked.append(target)
        return verb + target

    remembered = LruDict(find)
    assert [remembered["A", target] for target in "abbacab"] == [f"A{one}" for one in "abbacab"]
    assert asked == ["a", "b", "c", "a", "b"]


@pytest.mark.parametrize(
    ("service", "watched"), [("shop", True), ("cart", True), ("", True), ("Shop", False)]
)
def test_a_change_belongs_to_a_configured_service_or_to_all(service: str, watched: bool) -> None:
    requests = GivenRequests(CATALOGUE.endpoints, CATALOGUE.find)
    assert requests.watches(service) is watched


def test_endpoints_are_discovered_in_order_and_recognised_again() -> None:
    requests = found()
    targets = "/a", "/b", "/a?x=1", "/a#top", "http://shop.example.com/b", "/users/7", "/users/8"
    assert [requests.key("GET", target) for target in targets] == [0, 1, 0, 0, 1, 2, 2]
    assert requests.key("POST", "/a") == 3
    assert [(one.verb, one.resource) for one in requests.endpoints] == [
        *(("GET", "/a"), ("GET", "/b"), ("GET", "/users/{id}"), ("POST", "/a")),
    ]


def test_requests_to_endpoints_beyond_the_limit_are_capped() -> None:
    names = PythonEndpointNames(1)
    requests = FoundRequests(FoundEndpoints(names, LIKE))
    assert [requests.key("GET", target) for target in ("/a", "/b", "/a")] == [0, 1, 0]
    assert names.accept(1)
    assert [requests.key("GET", target) for target in ("/b", "/c", "/a")] == [1, UNMATCHED, 0]
    assert (len(names), names.admitted, names.capped) == (2, 1, 1)


def test_a_request_that_is_too_long_is_no_endpoint() -> None:
    requests = found()
    longest = "/" + "a" * (LONGEST - len("GET /"))
    assert requests.key("GET", longest) == 0
    assert requests.key("GET", longest + "a") == UNMATCHED
    assert requests.key("GET", longest + "?and=a&query") == 0
    assert requests.names.capped == 1


@pytest.mark.parametrize("text", ["/\u00e9", "/\ud800", "/\x00\n", '/"\\'])
def test_a_path_of_any_characters_can_be_discovered(text: str) -> None:
    requests = found()
    assert [requests.key("GET", text), requests.key("GET", text)] == [0, 0]
    shown = text.encode("utf-8", "backslashreplace").decode()
    assert requests.endpoints[0].resource == shown


@pytest.mark.parametrize("most", [1, 2, 3, 100, 2000])
def test_an_endpoint_with_many_short_identifiers_is_discovered(most: int) -> None:
    requests = found()
    path = ("/" + "1/" * most)[: LONGEST - 4]
    assert requests.key("GET", path) == 0
    assert requests.endpoints[0].resource.count("{id}") == path.count("1")


def test_a_discovered_endpoint_is_a_service_of_its_own_or_belongs_to_the_default() -> None:
    for name, service in (("", "GET /a"), ("shop", "shop")):
        requests = found(name=name)
        requests.key("GET", "/a")
        assert list(requests.endpoints) == [Endpoint(service, "-", "GET", "/a", 0.9, 300)]
        settle(requests, "cart")
        assert requests.watches(name)
        assert requests.watches("")
        assert not requests.watches("cart")


def test_the_same_path_on_two_hosts_is_two_endpoints_of_two_services() -> None:
    requests = found()
    hosts = ("shop.example.com", "blog.example.com", "shop.example.com")
    assert [requests.key("GET", "/?q=1", host) for host in hosts] == [0, 1, 0]
    assert requests.watches("anything"), "it may be a host that the log names later"
    assert settle(requests) == [("shop.example.com", "/"), ("blog.example.com", "/")]
    assert requests.watches("blog.example.com")
    assert requests.watches("")
    assert not requests.watches("anything")


def test_the_only_host_is_not_shown_unless_a_deploy_names_it() -> None:
    for deployed, service in (("cart", "GET /a"), ("shop.example.com", "shop.example.com")):
        requests = found()
        requests.key("GET", "/a", "shop.example.com")
        assert settle(requests, deployed) == [(service, "/a")]
        assert requests.watches(deployed) == (service == deployed)


def test_a_request_without_a_host_is_a_service_of_its_own_beside_hosts() -> None:
    requests = found()
    assert [requests.key("GET", "/a", host) for host in ("", "shop.example.com")] == [0, 1]
    assert settle(requests) == [("GET /a", "/a"), ("shop.example.com", "/a")]


def test_hosts_that_are_not_admitted_do_not_count() -> None:
    requests = found(most=1)
    assert [requests.key("GET", "/a", host) for host in ("a.example", "b.example")] == [0, 1]
    assert settle(requests)[0] == ("GET /a", "/a")


@pytest.mark.parametrize(
    ("service_from", "name", "service"),
    [(BY_HOST, "shop", "shop"), (BY_ENDPOINT, "", "GET b.example/a"), (BY_ENDPOINT, "x", "x")],
)
def test_if_hosts_are_no_services_they_are_shown_in_the_resource(
    service_from: str, name: str, service: str
) -> None:
    requests = found(name=name, service_from=service_from)
    for host in ("b.example", "c.example"):
        requests.key("GET", "/a", host)
    assert settle(requests)[0] == (service, "b.example/a")
    assert not requests.watches("b.example")


def test_the_file_of_a_log_may_be_the_service() -> None:
    requests = found(service_from=BY_FILE, label="web1")
    other = FoundRequests(requests.endpoints, "web2")
    assert [one.key("GET", "/a") for one in (requests, other, requests)] == [0, 1, 0]
    assert requests.watches("web3"), "its file may come later"
    assert settle(requests) == [("web1", "/a"), ("web2", "/a")]
    assert [requests.watches(name) for name in ("web1", "web2", "web3", "")] == [1, 1, 0, 1]


def test_hosts_are_told_apart_in_the_files_that_are_services() -> None:
    requests = found(service_from=BY_FILE, label="web1")
    for host in ("b.example", "", "c.example"):
        requests.key("GET", "/a", host)
    assert settle(requests) == [("web1", "b.example/a"), ("web1", "/a"), ("web1", "c.example/a")]


@pytest.mark.parametrize("host", ["a b", "a/b", "a;b", "a\nb", "/"])
def test_a_text_that_is_no_host_is_none(host: str) -> None:
    requests = found()
    assert requests.key("GET", "/a", host) == requests.key("GET", "/a") == 0


@pytest.mark.parametrize("origin", ["", "shop.example.com", "web1/", "web1/shop.example.com"])
@pytest.mark.parametrize("path", ["/", "/a b", "/a\nb", "*", "a\nb", "", "\n", "a:443"])
def test_the_name_of_a_request_can_be_split_again(origin: str, path: str) -> None:
    assert split_name(name_request("GET", origin, path)) == ("GET", origin, path)


def test_path_parameters_are_cut_off() -> None:
    requests = found()
    targets = ("/a;jsessionid=1F?x", "/a", "/a;x/b;y=2", "/a/b", "/a/7;x", "/a/{id}")
    assert [requests.key("GET", target) for target in targets] == [0, 0, 1, 1, 2, 2]


def test_configured_endpoints_may_be_those_of_a_host() -> None:
    entries = Catalogue(
        {"name": "x", "email": "-", "verb": "GET", "resource": path, "slo": 0.9, "window": 5}
        for path in ("https://shop.example.com/a", "/a", "https://shop.example.com/b")
    )
    for find in (entries.find, Router(entries.endpoints).find):
        requests = GivenRequests(entries.endpoints, find)
        asked = [("/a", "shop.example.com"), ("/a", "other.example"), ("/a", "")]
        asked += [("/b", "shop.example.com"), ("/b", "other.example"), ("/b", "")]
        found = [requests.key("GET", *one) for one in asked]
        assert found == [0, 1, 1, 2, UNMATCHED, UNMATCHED]
    assert requests.by_host
    assert not GivenRequests(CATALOGUE.endpoints, CATALOGUE.find).by_host


def test_discovered_endpoints_can_grow_while_they_are_read() -> None:
    names = PythonEndpointNames(5)
    endpoints = FoundEndpoints(names, LIKE)
    assert len(endpoints) == 0
    names.key(b"GET /a")
    assert len(endpoints) == 1
    with pytest.raises(IndexError):
        endpoints[1]


def test_names_are_admitted_in_order_of_their_accesses() -> None:
    names = PythonEndpointNames(2)
    assert [names.key(name) for name in (b"GET /a", b"GET /b", b"GET /c", b"GET /a")] == [
        0,
        1,
        2,
        0,
    ]
    assert (len(names), names.admitted, names.capped) == (3, 0, 0)
    assert [names.accept(key) for key in (2, 0, 1, 2)] == [True, True, False, True]
    assert (len(names), names.admitted, names.capped) == (3, 2, 1)
    assert (names.key(b"GET /b"), names.key(b"GET /d")) == (1, UNMATCHED)
    assert (len(names), names.admitted, names.capped) == (3, 2, 2)


def test_names_are_saved_as_bytes_lengths_and_admissions() -> None:
    names = PythonEndpointNames(2)
    for name in (b"GET /a", b" ", b"GET /b\xff"):
        names.key(name)
    assert [names.accept(key) for key in (2, 0, 1)] == [True, True, False]
    saved = names.save()
    assert (saved.texts.tobytes(), saved.lengths.tolist()) == (b"GET /a GET /b\xff", [6, 1, 7])
    assert (saved.admitted.tolist(), saved.capped) == ([1, 0, 1], 1)
    again = PythonEndpointNames(2)
    again.load(saved)
    assert again.save() == saved
    assert (again.admitted, again.accept(2), again.accept(1)) == (2, True, False)
    assert (again.key(b" "), again.text(2), again.key(b"GET /new")) == (1, b"GET /b\xff", UNMATCHED)
