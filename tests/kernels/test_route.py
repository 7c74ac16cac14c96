"""What of a path is an identifier, by the rule as it is said."""

from __future__ import annotations

import random
import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.endpoints.discovery import route_of
from slomon.endpoints.templates import Template, compile_templates
from slomon.kernels.route import LONGEST, LONGEST_GROUPED, NAMED, NUMBERED
from tests.compiled.kernels import BACKENDS, Opened
from tests.compiled.reading import found, read_at

UUID = "123e4567-e89b-12d3-a456-426614174000"
SEGMENTS = (
    *("", "users", "7", "0", "123456789012345678901234567890", "v1", "1a", "a1", "-", "1-2"),
    *("abcdefabcdefabcd", "abcdefabcdefabc1", "abcdefabcdefab1", "ABCDEFABCDEFABC1"),
    *("g23456789012345678", "1234567890abcdeg", "12345678901234567", "{id}", "7 ", " 7", "7?"),
    *(UUID, UUID.upper(), UUID[:-1], UUID + "0", UUID.replace("-", ""), UUID.replace("e", "g")),
    *(UUID.replace("-", "", 1) + "-", "-" + UUID[1:], "abcdefab-abcd-abcd-abcd-abcdefabcdef"),
    *("123e4567-e89b-12d3-a456x426614174000", "1-----------------------------------"),
    *(
        "12345678-1234-1234-1234-12345678901",
        "12345678-123",
        "123e4567-e89b-12d3-a456426614174000a",
    ),
    *(";x=1", "7;x", "a;b;c", "a;", UUID + ";jsessionid=1F"),
    *("1" * 63, "1" * 64, "1" * 200, "a1" * 35, "a" * 70, "1" * 70 + "g", "1" * 70 + "-"),
    *("`123", "@7", "/", ":", "[1", "7\\", "\u00e9", "\u0667"),
)
IDENTIFIER = re.compile(
    r"[0-9]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=.*[0-9])[0-9a-f]{16,}",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)


def by_the_rule(request: str) -> str:
    names = [segment.partition(";")[0] for segment in request.split("/")]
    return "/".join("{id}" if IDENTIFIER.fullmatch(name) else name for name in names)


def test_an_identifier_is_digits_a_uuid_or_long_and_hexadecimal() -> None:
    for segment in SEGMENTS:
        for path in (f"GET /{segment}", f"GET /a/{segment}/b", f"GET /{segment}/"):
            assert route_of(path.encode()).decode() == by_the_rule(path), path


def test_a_request_without_a_path_is_a_single_segment() -> None:
    assert route_of(b"42") == b"{id}"


hexadecimal = st.text("0123456789abcdefABCDEF-g", max_size=40)


@given(st.lists(hexadecimal | st.sampled_from(SEGMENTS) | st.text(max_size=5), max_size=6))
def test_whatever_the_path_its_identifiers_are_those_of_the_rule(segments: list[str]) -> None:
    request = "GET /" + "/".join(segments)
    encoded = request.encode("utf-8", "replace")
    assert route_of(encoded) == by_the_rule(encoded.decode()).encode()


@given(st.integers(0, 1000), st.sampled_from(["1/", "/1", "1", "/", "12/"]))
def test_what_is_grouped_has_room_however_short_its_identifiers_are(
    times: int, segment: str
) -> None:
    request = ("GET /" + segment * times)[:LONGEST]
    assert route_of(request.encode()).decode() == by_the_rule(request)
    assert len(by_the_rule(request)) <= min(3 * len(request) + 4, LONGEST_GROUPED)


@pytest.mark.parametrize("backend", BACKENDS)
def test_found_endpoints_are_those_of_the_rule_in_each_backend(backend: Opened) -> None:
    rng = random.Random(7)
    plain = [
        segment for segment in SEGMENTS if re.fullmatch(r"[!-~]*", segment) and "?" not in segment
    ]
    requests = ["GET /" + "/".join(rng.choices(plain, k=3)) for _ in range(500)]
    reading = read_at(
        backend, found, ("plain", False, [[f"5 {request} 200".encode() for request in requests]]),
        most=10_000,
    )  # fmt: skip
    names = [reading.names.text(key).decode() for key in range(len(reading.names))]
    assert names == list(dict.fromkeys(map(by_the_rule, requests)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_slugs_are_replaced_alike_in_each_backend(backend: Opened) -> None:
    templates = compile_templates(
        [
            Template(b"/p", NUMBERED, [b"x7"], 10),
            Template(b"/p/{slug}", NAMED, [b"news", b"new"], 10),
            Template(b"/w/{id}", NAMED, [], 10),
        ]
    )
    firsts = ("p", "w", "w/7", "a")
    parts = ("x7", "x8", "7", "news", "new", "neu", "a", "a-b_c-d-e", "{id}", "%C3")
    requests = [f"GET /{'/'.join(path)}" for path in product(firsts, parts, parts)]
    requests += [f"GET /{'/'.join(path)}" for path in product(firsts, parts)]
    requests += [f"{request};x=1" for request in requests]
    reading = read_at(
        backend, found, ("plain", False, [[f"5 {request} 200".encode() for request in requests]]),
        most=10_000,
        templates=templates,
    )  # fmt: skip
    names = {reading.names.text(key).decode() for key in range(len(reading.names))}
    assert names == {route_of(text.encode(), templates).decode() for text in requests}
    assert {"GET /p/{slug}", "GET /p/x7", "GET /p/{slug}/news", "GET /w/{id}/{slug}"} <= names
    assert not any(name.startswith("GET /p/x8") for name in names)
    for name in names:
        assert route_of(name.encode(), templates).decode() == name
