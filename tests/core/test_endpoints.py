"""
A wrong configuration is an error that names all problems. Every endpoint has one shard, the same in
every process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, cast

import pytest

from slomon.core.endpoints import Catalogue, Endpoint, Sharding, to_share
from slomon.errors import ConfigurationError

SLO = "a number greater than 0 and at most 1"
WINDOW = "seconds greater than 0, in whole nanoseconds, fewer than 2**63 of these"
TEXT = "text that is not empty"
WORD = "text without a space, as it stands in the requests"
ALLOWED = {
    "name": TEXT,
    "email": TEXT,
    "verb": WORD,
    "resource": WORD,
    "slo": SLO,
    "window": WINDOW,
}


def entry(**fields: object) -> dict[str, object]:
    plain = {
        "name": "shop",
        "email": "ana@example.com",
        "verb": "GET",
        "resource": "/shop",
        "slo": 0.9,
        "window": 30,
    }
    return plain | fields


def refusal(entries: object) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Catalogue(cast(Iterable[Mapping[str, object]], entries))
    return str(caught.value)


def test_an_entry_becomes_an_endpoint_with_its_window_in_ticks() -> None:
    catalogue = Catalogue([entry()])
    assert catalogue.endpoints == [
        Endpoint("shop", "ana@example.com", "GET", "/shop", 0.9, 30_000_000_000)
    ]


def test_an_endpoint_is_found_by_verb_and_resource_and_by_nothing_less() -> None:
    catalogue = Catalogue([entry(), entry(verb="POST"), entry(resource="/cart")])

    assert catalogue.find("GET", "/shop") == 0
    assert catalogue.find("POST", "/shop") == 1
    assert catalogue.find("GET", "/cart") == 2
    assert catalogue.find("POST", "/cart") is None
    assert catalogue.find("get", "/shop") is None
    assert catalogue.find("GET /shop", "") is None


def test_there_may_be_no_endpoints_at_all() -> None:
    assert Catalogue(iter([])).endpoints == []


@pytest.mark.parametrize(
    ("slo", "read"),
    [
        (0.999, 0.999),
        ("0.999", 0.999),
        ("0.999000", 0.999),
        (Decimal("0.999"), 0.999),
        ("9.99e-1", 0.999),
        (".999", 0.999),
        ("1.", 1.0),
        (1, 1.0),
        ("1", 1.0),
        (1.0, 1.0),
        (5e-324, 5e-324),
    ],
)
def test_an_slo_may_be_a_number_or_its_text(slo: object, read: float) -> None:
    assert Catalogue([entry(slo=slo)]).endpoints[0].slo == read


@pytest.mark.parametrize(
    ("window", "ticks"),
    [
        (30, 30_000_000_000),
        ("30", 30_000_000_000),
        ("30.000000", 30_000_000_000),
        (0.1, 100_000_000),  # as written, not as the float next to it
        (0.3, 300_000_000),
        (Decimal("1.5"), 1_500_000_000),
        ("1e-9", 1),
        (1e-09, 1),
        ("0.0000000010", 1),
        ("9223372036.854775807", 2**63 - 1),
    ],
)
def test_a_window_may_be_a_number_or_its_text_and_is_exact(window: object, ticks: int) -> None:
    assert Catalogue([entry(window=window)]).endpoints[0].window == ticks


NOT_NUMBERS: list[tuple[Any, str]] = [
    ("x", "'x'"),
    ("", "''"),
    ("1_0", "'1_0'"),
    ("0,9", "'0,9'"),
    ("0.9 ", "'0.9 '"),
    ("\n0.9", "'\\n0.9'"),
    ("\u0661", "'\u0661'"),
    ("1e99999999999999999999", "'1e99999999999999999999'"),
    ("1e-99999999999999999999", "'1e-99999999999999999999'"),
    ("nan", "'nan'"),
    ("sNaN", "'sNaN'"),
    ("inf", "'inf'"),
    (float("nan"), "nan"),
    (float("inf"), "inf"),
    (float("-inf"), "-inf"),
    (None, "None"),
    (True, "True"),
    (b"1", "b'1'"),
    ([1], "[1]"),
]
WRONG: list[tuple[str, Any, str]] = [
    *((field, value, shown) for field in ("slo", "window") for value, shown in NOT_NUMBERS),
    ("slo", 0, "0"),
    ("slo", "0.0", "'0.0'"),
    ("slo", -1, "-1"),
    ("slo", 1.5, "1.5"),
    ("slo", "1.00000000000000000000000000001", "'1.00000000000000000000000000001'"),
    ("slo", "1e-999999999", "'1e-999999999'"),
    ("slo", Decimal("1e400"), "Decimal('1E+400')"),
    ("window", 0, "0"),
    ("window", "0", "'0'"),
    ("window", -30, "-30"),
    ("window", "0.0000000015", "'0.0000000015'"),
    ("window", "0.0000000001", "'0.0000000001'"),
    ("window", "9223372036.854775808", "'9223372036.854775808'"),
    ("window", "1e400", "'1e400'"),
    ("window", "1e999999999", "'1e999999999'"),
    ("window", "1e-999999999", "'1e-999999999'"),
    *((field, value, shown) for field in ("name", "email", "verb", "resource")
      for value, shown in [("", "''"), (None, "None"), (5, "5"), (b"GET", "b'GET'")]),
    ("verb", "GET /", "'GET /'"),
    ("resource", "/a b", "'/a b'"),
    ("resource", " ", "' '"),
]  # fmt: skip


# A case for each of more than forty: what a value is taken for differs from one to the next.
@pytest.mark.parametrize(("field", "value", "shown"), WRONG)
def test_an_error_names_the_entry_the_field_the_value_and_what_is_allowed(
    field: str, value: object, shown: str
) -> None:
    wrong = entry(resource="/cart", name="cart") | {field: value}
    named = f" ('{wrong['name']}')" if isinstance(wrong["name"], str) else ""

    assert refusal([entry(), wrong]) == (
        f"entry 1{named}: field '{field}' is {shown}; allowed: {ALLOWED[field]}"
    )


@pytest.mark.parametrize("field", ["slo", "window"])
def test_a_number_of_more_digits_than_python_prints_is_only_one_more_wrong_value(
    field: str,
) -> None:
    assert refusal([entry() | {field: 10**5000}]) == (
        f"entry 0 ('shop'): field '{field}' is <int>; allowed: {ALLOWED[field]}"
    )


@pytest.mark.parametrize("field", ALLOWED)
def test_an_error_names_a_field_that_is_missing(field: str) -> None:
    wrong = entry()
    del wrong[field]
    named = "" if field == "name" else " ('shop')"

    assert refusal([wrong]) == (
        f"entry 0{named}: field '{field}' is missing; allowed: {ALLOWED[field]}"
    )


@pytest.mark.parametrize("wrong", [None, 5, "GET /shop", ["GET", "/shop"]])
def test_an_entry_is_a_dict(wrong: object) -> None:
    assert refusal([entry(), wrong]) == (
        f"entry 1: is {wrong}; allowed: a dict with name, email, verb, resource, slo and window"
    )


@pytest.mark.parametrize("entries", [None, 5, "shop", b"shop", entry()])
def test_get_info_returns_a_list(entries: object) -> None:
    message = refusal(entries)
    assert message.startswith("the endpoints are ")
    assert message.endswith("; allowed: a list of dicts, one per endpoint")


def test_an_endpoint_is_entered_once() -> None:
    entries = [entry(), entry(resource="/cart"), entry(name="cart", slo=0.5)]
    assert refusal(entries) == (
        "entry 2 ('cart'): verb and resource are 'GET' and '/shop', as in the entry of 'shop'; "
        "allowed: each pair once"
    )


def test_two_wrong_entries_are_both_named() -> None:
    assert refusal([entry(slo=2), entry(resource="/cart"), entry(window=0)]).splitlines() == [
        "2 entries are wrong:",
        f"entry 0 ('shop'): field 'slo' is 2; allowed: {SLO}",
        f"entry 2 ('shop'): field 'window' is 0; allowed: {WINDOW}",
    ]


@pytest.mark.parametrize(("count", "unshown"), [(20, []), (21, ["... and 1 more"])])
def test_of_very_many_wrong_entries_the_first_ones_are_named(
    count: int, unshown: list[str]
) -> None:
    first, *named = refusal([entry(slo=number + 2) for number in range(count)]).splitlines()

    assert first == f"{count} entries are wrong:"
    assert named[:20] == [
        f"entry {number} ('shop'): field 'slo' is {number + 2}; allowed: {SLO}"
        for number in range(20)
    ]
    assert named[20:] == unshown


def test_an_error_stays_printable_and_short_whatever_the_value() -> None:
    hostile = "\u202e\x1b[2J\n" * 200_000
    message = refusal([entry(name=hostile, slo=hostile)])
    assert message.isprintable()
    assert len(message) < 2000


def catalogue(*owned: tuple[str, str]) -> Catalogue:
    """One GET endpoint for each pair of a service and a resource."""
    fields = {"email": "ana@example.com", "verb": "GET", "slo": 0.9, "window": 30}
    return Catalogue([fields | {"name": name, "resource": resource} for name, resource in owned])


MANY = catalogue(*((f"service {number % 100}", f"/{number}") for number in range(1000)))


@pytest.mark.parametrize(("shards", "shard", "slot"), [(1, 0, 998), (2, 0, 499), (7, 4, 142)])
def test_endpoints_are_dealt_to_shards_in_the_order_of_their_entries(
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


def test_a_percentage_as_a_share_keeps_all_its_digits() -> None:
    digits = "9" * 40
    assert to_share(Decimal(f"99.{digits}")) == Decimal(f"0.99{digits}")
