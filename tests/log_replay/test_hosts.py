"""Virtual hosts, files and paths in the logs become endpoints and services."""

from __future__ import annotations

import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import slomon
from slomon.core.endpoints import Endpoint
from slomon.core.events import Change, ReplayAccounting
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.log_replay.backend import Backend
from tests.log_replay.replays import make_plan
from tests.log_replay.test_resume import Fragile, Killed, backends, report

CASES = Path(__file__).parents[1] / "cases"
SHOP = "shop.example.com"
BLOG = "blog.example.com"


def replay_case(name: str, **options: Any) -> slomon.ReplayMonitor:
    (log,) = (CASES / name).glob("*.log")
    deploys = log.with_name("deploys.csv")
    changes = deploys if deploys.exists() else None
    return slomon.replay(log, changes=changes, backend="python", **options)


def is_conserved(count: ReplayAccounting) -> bool:
    counted = count.accesses + count.changes + count.unmatched + count.rejected
    return count.events == counted == count.lines + count.records - count.blank


@pytest.mark.parametrize(
    ("case", "endpoint"),
    [("slug-endpoints", "GET /product/{slug}"), ("jsessionid", "GET /shop/cart")],
)
def test_paths_that_differ_in_names_or_parameters_are_one_endpoint(
    case: str, endpoint: str
) -> None:
    monitor = replay_case(case)
    assert monitor.incident_details() == {
        endpoint: [
            {"start": 1741608630.0, "end": 1741609470.0, "fix": "fee3333", "break": "bad2222"}
        ]
    }
    assert monitor.accounting.endpoints == 1


@pytest.mark.parametrize(
    ("case", "commit"), [("vhosts-merged", "bad1234"), ("vhosts-merged-noservice", "blog999")]
)
def test_an_outage_of_one_host_is_not_hidden_by_the_traffic_of_another(
    case: str, commit: str
) -> None:
    monitor = replay_case(case, slo="85%")
    assert monitor.incident_details() == {
        SHOP: [{"start": 1765270930.0, "end": -1, "fix": "", "break": commit}]
    }
    count = monitor.accounting
    assert (count.endpoints, count.changes, count.unmatched) == (2, 2, 0)
    assert [one.name for one in monitor.totals.endpoints] == [BLOG, SHOP]


def test_the_host_of_a_url_in_the_request_is_known() -> None:
    monitor = replay_case("hosts-merged-alb", slo="85%", window="40m")
    assert list(monitor.incident_details()) == [SHOP]


def test_the_host_of_a_json_log_is_known() -> None:
    monitor = replay_case("hosts-merged-caddy", slo="85%", window="40m")
    assert list(monitor.incident_details()) == [SHOP]


def write(path: Path, lines: list[tuple[str, str, int]]) -> Path:
    """A log of virtual hosts: host, target and status of each request, one a second."""
    path.write_text(
        "".join(
            f"{host}{':443' if n % 2 else ''} 192.0.2.1 - - "
            f"[10/Mar/2025:12:{n // 60:02}:{n % 60:02} +0000] "
            f'"GET {target} HTTP/1.1" {status} 5 "-" "-"\n'
            for n, (host, target, status) in enumerate(lines)
        ),
        encoding="utf-8",
    )
    return path


def write_deploys(path: Path, *services: str) -> Path:
    rows = (f"c{n},2025-03-10T12:00:0{n}Z,{service}\n" for n, service in enumerate(services))
    path.write_text("commit,deployed_at,service\n" + "".join(rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("backend", ["python", "compiled"])
def test_a_deploy_to_a_host_counts_for_that_host_alone(tmp_path: Path, backend: Any) -> None:
    lines = [(SHOP, "/", 200), (BLOG, "/", 200)] * 4 + [(SHOP, "/", 500), (BLOG, "/", 500)]
    log = write(tmp_path / "access.log", lines)
    deploys = write_deploys(tmp_path / "deploys.csv", SHOP.upper(), f"{BLOG}:443", "other", "")
    monitor = slomon.replay(log, changes=deploys, backend=backend, slo="90%")

    commits = {
        incident.endpoint.name: [one.change.commit for one in incident.breaking.changes]
        for incident in monitor.incidents
    }
    assert commits == {SHOP: ["c0", "c3"], BLOG: ["c1", "c3"]}
    count = monitor.accounting
    assert (count.accesses, count.changes, count.unmatched) == (10, 3, 1)
    assert is_conserved(count)
    services = [deploy.service for deploy in monitor.summary().deploys]
    assert services == [SHOP, BLOG, ""]


def test_the_only_host_of_a_log_is_not_shown(tmp_path: Path) -> None:
    log = write(tmp_path / "access.log", [(SHOP, "/a", 200), (SHOP, "/b", 500)])
    for service, name, changes in (("cart", "GET /b", 0), (SHOP, SHOP, 1)):
        deploys = write_deploys(tmp_path / "deploys.csv", service)
        monitor = slomon.replay(log, changes=deploys, backend="python")
        assert monitor.api_histogram() == {name: 1}
        assert [one.resource for one in monitor.totals.endpoints] == ["/a", "/b"]
        count = monitor.accounting
        assert (count.changes, count.unmatched) == (changes, 1 - changes)
        assert is_conserved(count)


@pytest.mark.parametrize(
    ("options", "services"),
    [
        ({"service": "all"}, ["all"]),
        ({"service_from": "host"}, [BLOG, SHOP]),
        ({"service_from": "endpoint"}, [f"GET {BLOG}/a", f"GET {SHOP}/a"]),
        ({"service_from": "file"}, ["web1", "web2"]),
    ],
)
@pytest.mark.parametrize("backend", ["python", "compiled"])
def test_the_service_comes_from_where_it_is_said(
    tmp_path: Path, backend: Any, options: dict[str, Any], services: list[str]
) -> None:
    lines = [(BLOG, "/a", 200), (SHOP, "/a?x", 200)]
    logs = [write(tmp_path / f"web{n}.log.1", lines) for n in (1, 2)]
    monitor = slomon.replay(logs, backend=backend, **options)
    assert sorted({one.name for one in monitor.totals.endpoints}) == services


@pytest.mark.parametrize("backend", ["python", "compiled"])
def test_two_files_with_the_same_requests_are_two_services(tmp_path: Path, backend: Any) -> None:
    logs = []
    for name, status in (("web1", 200), ("web2", 500)):
        lines = [f"{n} GET /a/{n % 3} {status}\nwhat?\n" for n in range(1, 200)]
        logs.append(tmp_path / f"{name}.log")
        logs[-1].write_text("".join(lines), encoding="utf-8")
    options: dict[str, Any] = {"service_from": "file", "backend": backend}
    monitor = slomon.replay(logs, **options)
    assert monitor.api_histogram() == {"web2": 1}
    assert monitor.totals.requests.tolist() == [199, 199]
    capped = slomon.replay(logs, max_endpoints=1, **options).accounting
    assert (capped.accesses, capped.capped, capped.unmatched) == (199, 199, 199)


def test_an_endpoint_of_a_host_is_configured_as_a_url(tmp_path: Path) -> None:
    log = write(
        tmp_path / "access.log", [(SHOP, "/a?x", 500), (BLOG, "/a", 200), (BLOG, "/b", 200)]
    )
    entry = {
        "name": "shop",
        "verb": "GET",
        "resource": f"https://{SHOP}/a",
        "slo": 0.9,
        "window": 5,
    }
    for match, accesses in (("template", 1), ("exact", 0)):
        count = slomon.replay(log, endpoints=[entry], match=match, backend="python").accounting
        assert (count.accesses, count.unmatched) == (accesses, 3 - accesses)


@pytest.mark.slow
@pytest.mark.parametrize("backend", backends(), ids=["interpreted", "compiled"])
@pytest.mark.parametrize("service_from", ["host", "file"])
def test_a_resumed_replay_knows_the_hosts_and_the_slugs(
    tmp_path: Path, backend: Backend, service_from: str
) -> None:
    rng = random.Random(5)
    hosts = [SHOP, BLOG, "-"]
    lines = [
        (rng.choice(hosts), f"/p/item-{rng.randrange(900)};x={n}", rng.choice((200, 200, 500)))
        for n in range(700)
    ]
    services = (SHOP, "", "nobody", "access", BLOG)
    plan = make_plan(
        [write(tmp_path / "access.log", lines)],
        changes=[
            ((1_741_608_000 + 60 * n) * TICKS_PER_SECOND, Change(f"c{n}", "-", "-", service))
            for n, service in enumerate(services)
        ],
        defaults=Endpoint("", "-", "", "", 0.6, 20 * TICKS_PER_SECOND),
        service_from=service_from,
        groups_paths=True,
        sli_series=True,
        block_bytes=8000,
        max_line=1000,
    )
    whole = report(plan, backend)
    path = tmp_path / "state"
    deaths = 0
    while True:
        checkpoint = Fragile(path, 3)
        try:
            resumed = report(plan, backend, checkpoint, checkpoint.load())
            break
        except Killed:
            deaths += 1

    assert deaths >= 2
    assert resumed == whole
    assert all(report(plan, other) == whole for other in backends())
    assert '"resource": "/p/{slug}"' in whole or f'"{SHOP}/p/{{slug}}"' in whole


def test_the_answer_does_not_depend_on_workers_or_blocks(tmp_path: Path) -> None:
    rng = random.Random(6)
    lines = [
        (rng.choice((SHOP, BLOG)), f"/p/item-{rng.randrange(90)}", rng.choice((200, 500)))
        for _ in range(400)
    ]
    log = write(tmp_path / "access.log", lines)
    deploys = write_deploys(tmp_path / "deploys.csv", SHOP, "", BLOG, "other")
    answers = []
    for workers in (1, 3):
        monitor = slomon.replay(log, changes=deploys, workers=workers, slo="60%", window="5s")
        accounting = asdict(monitor.accounting)
        answers.append((monitor.incident_details(), accounting, monitor.summary().deploys))
    assert answers[0] == answers[1]


def test_an_endpoint_that_counts_nothing_changes_no_probability(tmp_path: Path) -> None:
    failing = [
        f"{1000 + number} GET /a {500 if 100 <= number < 140 else 200}" for number in range(300)
    ]
    changes = tmp_path / "changes.csv"
    changes.write_text("commit,author,date,service\n191b6ce,,1970-01-01T00:18:16Z,\n")
    found = []
    for others in ([], [f"{1001 + number}.5 GET /b 200" for number in range(9)]):
        log = tmp_path / "access.log"
        log.write_text(
            "\n".join(sorted([*failing, *others], key=lambda line: float(line.split()[0])))
        )
        options: dict[str, Any] = {
            "changes": str(changes),
            "slo": 0.9,
            "window": "30s",
            "max_endpoints": 1,
        }
        [record] = slomon.replay(str(log), group_paths="off", **options).records()
        found.append([one.probability for one in record.broken_by.candidates])
    assert found[0] == found[1]
    assert found[0][0] > 0.5
