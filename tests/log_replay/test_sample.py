"""What is learnt of the first requests of logs, and when it is not."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest
import structlog

import slomon
from slomon.endpoints.templates import Template
from slomon.kernels.route import NAMED, NUMBERED
from slomon.log_replay.backend import Backend, PythonBackend
from slomon.log_replay.checkpoint import load_templates, save_templates
from slomon.log_replay.requests import name_service
from slomon.log_replay.run import Replay
from tests.log_replay.replays import BACKENDS, Opened, make_plan

BEGIN = 1_700_000_000


def write(path: Path, targets: list[str], begin: int = BEGIN) -> Path:
    text = "".join(f"{begin + n} GET {target} 200\n" for n, target in enumerate(targets)).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def products(count: int, times: int = 1) -> list[str]:
    return [f"/product/phone-{number}" for number in range(count)] * times


def found(*paths: Path, **options: Any) -> list[str]:
    """The resources of the endpoints, in order of their discovery."""
    monitor = slomon.replay(list(paths), backend="python", **options)
    return [endpoint.resource for endpoint in monitor.totals.endpoints]


def names(path: Path, backend: Backend) -> list[str]:
    """The resources of the endpoints that a backend finds in a file or a pipe, in order."""
    monitor = anyio.run(Replay(make_plan([path], groups_paths=True), backend).run)
    return [endpoint.resource for endpoint in monitor.totals.endpoints]


def word(number: int) -> str:
    """One of many words without a digit."""
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


@pytest.mark.parametrize("name", ["access.log", "access.log.gz"])
def test_slugs_are_grouped_and_reported(tmp_path: Path, name: str) -> None:
    log = write(tmp_path / name, ["/cart", *products(12)])
    with structlog.testing.capture_logs() as logs:
        monitor = slomon.replay(log, backend="python")

    assert [one.resource for one in monitor.totals.endpoints] == ["/cart", "/product/{slug}"]
    assert monitor.accounting.grouped_paths == 12
    detected, grouped, _ = logs
    assert (detected["event"], grouped["event"]) == ("log.format_detected", "paths.grouped")
    assert grouped["grouped"] == "12 paths as /product/{slug}"


def test_paths_are_not_grouped_if_they_are_not_to_be(tmp_path: Path) -> None:
    log = write(tmp_path / "access.log", products(12))
    with structlog.testing.capture_logs() as logs:
        assert len(found(log, group_paths="off")) == 12
    assert "paths.grouped" not in [event["event"] for event in logs]


def test_paths_of_given_endpoints_are_not_grouped(tmp_path: Path) -> None:
    log = write(tmp_path / "access.log", products(12))
    entry = {"name": "shop", "verb": "GET", "resource": "/product/phone-3", "slo": 0.9, "window": 5}
    monitor = slomon.replay(log, endpoints=[entry], backend="python")
    count = monitor.accounting
    assert (count.accesses, count.unmatched, count.grouped_paths) == (1, 11, 0)


def test_a_log_that_begins_with_few_paths_is_not_looked_at_further(tmp_path: Path) -> None:
    log = write(tmp_path / "few.log", ["/a", "/b"] * 250 + products(30))
    assert len(found(log)) == 32
    many = [f"/{'abcdefghijklmnopqrstuvwxyz'[number % 26]}" for number in range(500)]
    log = write(tmp_path / "many.log", many + products(30))
    assert len(found(log)) == 27


def test_each_log_has_a_share_of_the_sample(tmp_path: Path) -> None:
    words = [f"/{'abcdefghijklmnopqrstuvwxyz'[number % 26]}" for number in range(5000)]
    first = write(tmp_path / "1.log", words + products(12), BEGIN)
    second = write(tmp_path / "2.log", products(12), BEGIN + 10_000)
    assert "/product/{slug}" not in found(first)
    assert "/product/{slug}" in found(first, second)


def test_what_is_learnt_does_not_depend_on_the_order_of_the_logs(tmp_path: Path) -> None:
    first = write(tmp_path / "1.log", products(12), BEGIN)
    second = write(tmp_path / "2.log", [f"/tag/t{number}x" for number in range(12)], BEGIN)
    assert set(found(first, second)) == set(found(second, first))
    assert set(found(first, second)) == {"/product/{slug}", "/tag/{slug}"}


def test_a_log_that_cannot_be_read_has_no_part_in_the_sample(tmp_path: Path) -> None:
    good = write(tmp_path / "good.log", products(12))
    bad = tmp_path / "bad.log"
    bad.write_bytes(b"what is this?\n" * 20)
    assert found(good, bad) == ["/product/{slug}"]


@pytest.mark.slow
@pytest.mark.parametrize("opened", BACKENDS[:2])
@pytest.mark.parametrize(
    "targets",
    [
        products(60, 4),
        [*(f"/page-{number % 40}" for number in range(510)), *products(12)],
        [f"/wiki/{word(number)}" for number in range(200)],
        [f"/wiki/{word(number)}?{'q' * 5000}" for number in range(450)],
        [*["/a", "/b"] * 250, *products(30)],
    ],
    ids=["few", "many paths", "words", "long lines", "few paths at first"],
)
def test_a_pipe_and_a_file_give_the_same_endpoints(
    tmp_path: Path, targets: list[str], opened: Opened
) -> None:
    log, pipe = write(tmp_path / "access.log", targets), tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(log.read_bytes(),))
    writer.start()
    with opened() as backend:
        found_in_pipe = names(pipe, backend)
        writer.join()
        assert names(log, backend) == found_in_pipe
    assert found_in_pipe == names(log, PythonBackend())


def test_a_line_that_is_too_long_for_an_endpoint_has_no_part_in_the_sample(tmp_path: Path) -> None:
    log = write(tmp_path / "access.log", [f"/long/{'a' * 2000}{number}" for number in range(12)])
    assert found(log) == []


def test_a_log_may_switch_its_format_within_the_sample(tmp_path: Path) -> None:
    rows = [f"2025-03-10T12:00:00Z,GET,{path},200" for path in products(12)]
    log = tmp_path / "access.csv"
    log.write_text("\n".join(["time,method,path,status", *rows, ""]), encoding="utf-8")
    assert found(log) == ["/product/{slug}"]


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("access.log", "access"),
        ("/var/log/nginx/access.log.2.gz", "access"),
        ("web1.log", "web1"),
        ("shop.example.com-access.log", "shop.example.com-access"),
        ("access_log-20250310.gz", "access_log"),
        ("access.2025-03-10.log", "access"),
        ("access.log.2025-03-10-12", "access"),
        ("app.json.1", "app"),
        ("u_ex250310.log", "u_ex250310"),
        ("42", "42"),
        (".log", ".log"),
        ("a b;c.log", "a_b_c"),
        ("standard input", "standard_input"),
    ],
)
def test_the_service_of_a_file_is_its_name_without_suffixes(path: str, service: str) -> None:
    assert name_service(path) == service


def test_templates_are_saved_once_they_are_known() -> None:
    templates = [Template(b"shop.example.com\n/\xff", NUMBERED, [b"\xfe1", b"a2"], 10)]
    for known in (None, [], templates):
        assert load_templates(dict(save_templates(known))) == known


@pytest.mark.parametrize("damage", [(1, 7), (1, None), (0, "no"), (0, 5), (3, -1), (2, ["x"])])
def test_a_saved_template_that_is_none_is_refused(damage: tuple[int, object]) -> None:
    (section,) = dict(save_templates([Template(b"/p", NAMED, [b"a"], 10)])).values()
    place, value = damage
    assert isinstance(section, list)
    section[0][place] = value
    with pytest.raises((ValueError, TypeError)):
        load_templates({"templates": section})
