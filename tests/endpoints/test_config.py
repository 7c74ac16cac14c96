"""A file of endpoints may be written in several ways, and errors name what is wrong with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

import slomon
from slomon.core.endpoints import Catalogue, Endpoint
from slomon.endpoints import config
from slomon.endpoints.config import read_entries
from slomon.errors import ConfigurationError

JSON = """[
  {"name": "shop", "email": "ana@example.com", "verb": "GET", "resource": "/shop",
   "slo": 0.999, "window": "5m"},
  {"name": "cart", "verb": "POST", "resource": "/cart/{id}", "targetPercent": 99.9, "window": 300}
]"""
YAML = """
endpoints:
  - {name: shop, email: ana@example.com, verb: GET, resource: /shop, slo: 0.999, window: 5m}
  - name: cart  # nobody's yet
    verb: POST
    resource: /cart/{id}
    targetPercent: 99.9
    window: 300
"""
TOML = """
[[endpoints]]
name = "shop"
email = "ana@example.com"
verb = "GET"
resource = "/shop"
slo = 0.999
window = "5m"

[[endpoints]]
name = "cart"
verb = "POST"
resource = "/cart/{id}"
targetPercent = 99.9
window = 300
"""
SHARE = (
    "a number greater than 0 and at most 1, such as 0.999; a percentage is written as "
    "targetPercent: 99.9"
)
SHARE_OR_SIGNED = (
    "a number greater than 0 and at most 1, such as 0.999, or a percentage with its sign, such as "
    "'99.9%'"
)
PERCENTAGE = (
    "a percentage greater than 1 and at most 100, such as 99.9; a share is written as target: 0.999"
)


def read(tmp_path: Path, text: str, name: str = "endpoints.json") -> list[Mapping[str, object]]:
    path = tmp_path / name
    path.write_bytes(text.encode(errors="surrogatepass"))
    return read_entries(path)


def refusal(tmp_path: Path, text: str, name: str = "endpoints.json") -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text, name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("endpoints.json", JSON),
        ("endpoints.JSON", "\ufeff" + JSON),
        ("endpoints.json", f'{{"endpoints": {JSON}}}'),
        ("endpoints.yaml", YAML),
        ("endpoints.yml", JSON),  # which is YAML too
        ("endpoints.toml", TOML),
    ],
)
def test_endpoints_are_the_same_in_all_formats(tmp_path: Path, name: str, text: str) -> None:
    assert Catalogue(read(tmp_path, text, name)).endpoints == [
        Endpoint("shop", "ana@example.com", "GET", "/shop", 0.999, 300_000_000_000),
        Endpoint("cart", "-", "POST", "/cart/{id}", 0.999, 300_000_000_000),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.json", '[{"slo": 0.99999999999999999999, "window": 0.100000000}]'),
        ("x.yaml", "[{slo: 0.99999999999999999999, window: 0.100000000}]"),
        ("x.toml", "endpoints = [{slo = 0.99999999999999999999, window = 0.100000000}]"),
    ],
)
def test_a_number_keeps_all_its_digits(tmp_path: Path, name: str, text: str) -> None:
    (entry,) = read(tmp_path, text, name)
    assert entry == {"email": "-", "slo": "0.99999999999999999999", "window": "0.100000000"}


@pytest.mark.parametrize(
    ("written", "slo"),
    [
        ('"slo": 1', "1"),
        ('"slo": "0.90"', "0.90"),
        ('"slo": "99.95%"', "0.9995"),
        ('"slo": "0.5%"', "0.005"),
        ('"target": 0.999', "0.999"),
        ('"targetPercent": 99.9', "0.999"),
        ('"targetPercent": "99.95"', "0.9995"),
        ('"targetPercent": 100', "1.00"),
        ('"targetPercent": 99.99999999999999999999999999999999', "0." + 34 * "9"),
    ],
)
def test_an_objective_is_a_share_or_a_percentage(tmp_path: Path, written: str, slo: str) -> None:
    (entry,) = read(tmp_path, f"[{{{written}}}]")
    assert entry["slo"] == slo


@pytest.mark.parametrize(
    ("field", "value", "shown", "allowed"),
    [
        ("slo", "99.9", "'99.9'", SHARE_OR_SIGNED),
        ("slo", "0", "0", SHARE_OR_SIGNED),
        ("slo", '"0.9_9"', "'0.9_9'", SHARE_OR_SIGNED),
        *(
            ("slo", f'"{value}"', f"'{value}'", SHARE_OR_SIGNED)
            for value in ("0%", "101%", "%", "9 %")
        ),
        ("target", '"99%"', "'99%'", SHARE),
        ("target", "99", "99", SHARE),
        ("target", "NaN", "nan", SHARE),
        ("target", "true", "True", SHARE),
        ("target", '"high"', "'high'", SHARE),
        ("targetPercent", "0.999", "'0.999'", PERCENTAGE),
        ("targetPercent", "1", "1", PERCENTAGE),
        ("targetPercent", "100.1", "'100.1'", PERCENTAGE),
        ("targetPercent", "null", "None", PERCENTAGE),
    ],
)
def test_an_objective_that_could_be_of_the_other_kind_is_rejected(
    tmp_path: Path, field: str, value: str, shown: str, allowed: str
) -> None:
    assert refusal(tmp_path, f'[5, {{"name": "shop", "{field}": {value}}}]') == (
        f"entry 1 ('shop'): field '{field}' is {shown}; allowed: {allowed}"
    )


def test_two_objectives_are_rejected(tmp_path: Path) -> None:
    text = '[{"slo": 0.9, "target": 0.9, "targetPercent": 90}]'

    assert refusal(tmp_path, text) == (
        "entry 0: it has 'slo' and 'target' and 'targetPercent'; allowed: one of 'slo', 'target' "
        "and 'targetPercent'"
    )


def test_a_window_that_is_no_duration_is_rejected(tmp_path: Path) -> None:
    message = refusal(tmp_path, '[{"name": "shop", "window": "1M"}]')

    assert message.startswith("entry 0 ('shop'): field 'window': the duration is '1M'; allowed: ")


@pytest.mark.parametrize(
    ("window", "ticks"),
    [('"1.5h"', 5400 * 10**9), ('"1ns"', 1), ("1e3", 10**12), ('"30"', 3 * 10**10)],
)
def test_a_window_is_a_duration_or_seconds(tmp_path: Path, window: str, ticks: int) -> None:
    text = f'[{{"name": "a", "verb": "GET", "resource": "/", "slo": 1, "window": {window}}}]'
    assert Catalogue(read(tmp_path, text)).endpoints[0].window == ticks


@pytest.mark.parametrize(
    ("verb", "allowed"),
    [
        ("get", "'GET', as it stands in the requests"),
        ("Post", "'POST', as it stands in the requests"),
        ("ANY", "the method of the requests, such as 'GET'; an entry for each method"),
        ("*", "the method of the requests, such as 'GET'; an entry for each method"),
    ],
)
def test_a_verb_that_no_request_has_is_rejected(tmp_path: Path, verb: str, allowed: str) -> None:
    entry = {"name": "a", "verb": verb, "resource": "/", "slo": 1, "window": 5}
    fault = f"entry 0 ('a'): field 'verb' is '{verb}'; allowed: {allowed}"
    assert refusal(tmp_path, json.dumps([entry])) == fault
    log = tmp_path / "access.log"
    log.touch()
    for use in (slomon.live, lambda entries: slomon.replay([log], endpoints=entries)):
        with pytest.raises(ConfigurationError) as error:
            use([entry])
        assert str(error.value) == f"option 'endpoints': {fault}"


def test_other_fields_are_left_to_the_catalogue(tmp_path: Path) -> None:
    entries: list[object] = [
        *read(tmp_path, '[5, {}, {"window": 0}, {"name": ["a"], "extra": {"b": 1}}]')
    ]

    assert entries[0] == 5
    with pytest.raises(ConfigurationError, match="4 entries are wrong:"):
        Catalogue(cast(list[Mapping[str, object]], entries))


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("x.json", '[{}, {"name": "a", "slo": 0.9, "slo": 1}]', "'0.9' and 1"),
        ("x.yaml", "[{}, {name: a, slo: 0.9, slo: 1}]", "'0.9' and '1'"),
    ],
)
def test_a_field_that_an_entry_has_twice_is_named(
    tmp_path: Path, name: str, text: str, shown: str
) -> None:
    assert refusal(tmp_path, text, name) == (
        f"entry 1: field 'slo' stands there twice, as {shown}; allowed: once"
    )


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("x.json", "5", "5"),
        ("x.json", '"endpoints"', "endpoints"),
        ("x.json", '{"name": "a"}', "{'name': 'a'}"),
        ("x.json", '{"endpoints": [], "endpoints": []}', "{'endpoints': []}"),
        ("x.json", '{"endpoints": {}}', "[]"),
        ("x.yaml", "", "None"),
        ("x.toml", "", "{}"),
        ("x.toml", "[endpoints]", "{}"),
    ],
)
def test_a_file_without_a_list_of_entries_is_rejected(
    tmp_path: Path, name: str, text: str, shown: str
) -> None:
    assert refusal(tmp_path, text, name) == (
        f"the endpoints are {shown}; allowed: a list of entries, or one field 'endpoints' with "
        "such a list"
    )


@pytest.mark.parametrize("form", ["json", "yaml", "toml"])
@pytest.mark.parametrize("text", ["[", "\ud800", "\0"], ids=["cut", "bytes", "null"])
def test_a_file_that_is_not_in_its_format_is_named(tmp_path: Path, form: str, text: str) -> None:
    message = refusal(tmp_path, text, f"endpoints.{form}")

    assert message.startswith(f"not {form.upper()} in UTF-8: ")
    assert message.isprintable()
    assert len(message) < 400


@pytest.mark.parametrize("form", ["json", "yaml", "toml"])
def test_a_file_that_is_nested_too_deep_is_rejected(tmp_path: Path, form: str) -> None:
    message = refusal(tmp_path, "a = " * (form == "toml") + "[" * 100_000, f"endpoints.{form}")

    assert form.upper() in message


@pytest.mark.parametrize("name", ["endpoints.ini", "endpoints", "endpoints.json.gz"])
def test_a_file_with_another_suffix_is_rejected(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, JSON, name) == (
        f"the file's name ends with '{Path(name).suffix}'; allowed: .json, .yaml, .yml, .toml"
    )


def test_yaml_keeps_words_that_it_would_otherwise_convert(tmp_path: Path) -> None:
    (entry,) = read(tmp_path, "- {name: no, email: ~, verb: ON, resource: 1e3}", "x.yaml")

    assert entry == {"name": "no", "email": "~", "verb": "ON", "resource": "1e3"}


def test_yaml_makes_no_object_of_a_tag(tmp_path: Path) -> None:
    (entry,) = read(tmp_path, "- {name: !!python/name:os.system ''}", "x.yaml")

    assert entry["name"] == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- &a {name: a}\n- *a\n", "the YAML has an alias ('*'); allowed: values in full"),
        ("- {[a]: b}\n", "the YAML has a sequence as a field's name; allowed: text"),
    ],
)
def test_yaml_with_more_than_text_is_rejected(tmp_path: Path, text: str, reason: str) -> None:
    assert refusal(tmp_path, text, "x.yaml") == reason


def test_yaml_has_a_bounded_number_of_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "_MAX_YAML_PARTS", 10)
    assert refusal(tmp_path, "- a\n" * 10, "x.yaml") == (
        "the YAML has over 10 parts; allowed: at most 10, or the same as JSON"
    )


@pytest.mark.parametrize("form", ["json", "yaml", "toml"])
def test_a_file_has_a_bounded_number_of_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(config, "MAX_TEXT", 10)
    reason = "it has over 10 characters; allowed: at most 10"
    assert refusal(tmp_path, " " * 11, f"x.{form}") == reason


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="the device is Unix's")
def test_a_device_that_never_ends_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.symlink_to("/dev/zero")
    with pytest.raises(ConfigurationError, match="it has over 16777216 characters"):
        read_entries(path)


@pytest.mark.parametrize("part", ["a", '"a b"', "'a.b'"])
def test_toml_has_names_of_a_bounded_number_of_parts(tmp_path: Path, part: str) -> None:
    reason = "the TOML has a name of over 20 parts; allowed: at most 20"
    assert refusal(tmp_path, ".".join([part] * 20) + "=1", "x.toml") != reason
    assert refusal(tmp_path, ".".join([part] * 21) + "=1", "x.toml") == reason
    assert refusal(tmp_path, " . ".join([part] * 50_000) + "=1", "x.toml") == reason


def test_toml_may_have_any_number_of_dots_in_text(tmp_path: Path) -> None:
    resource = '/"' + ".a" * 100
    text = TOML.replace('"/shop"', json.dumps(resource)).replace("0.999", "'0.999'")
    assert read(tmp_path, text, "x.toml")[0]["resource"] == resource


@pytest.mark.parametrize("text", ["[1, 2, 3]", '{"endpoints": [1, 2, 3]}'])
def test_a_file_has_a_bounded_number_of_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(config, "MAX_ENTRIES", 2)
    assert refusal(tmp_path, text) == "it has 3 entries; allowed: at most 2"


def test_yaml_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)

    assert refusal(tmp_path, YAML, "x.yaml") == (
        "YAML is read by PyYAML, which is not installed; allowed: pip install 'slomon[replay]'"
    )


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_entries(tmp_path / "endpoints.json")


def test_all_wrong_entries_are_in_one_error(tmp_path: Path) -> None:
    assert refusal(
        tmp_path,
        """[{"name": "a", "slo": "0.9 "}, {"name": "b"}, 5,
        {"name": "c", "slo": 1.5}, {"name": "d", "name": "e"}]""",
    ).splitlines() == [
        "3 entries are wrong:",
        f"entry 0 ('a'): field 'slo' is '0.9 '; allowed: {SHARE_OR_SIGNED}",
        "entry 3 ('c'): field 'slo' is '1.5'; allowed: " + SHARE_OR_SIGNED,
        "entry 4: field 'name' stands there twice, as 'd' and 'e'; allowed: once",
    ]
