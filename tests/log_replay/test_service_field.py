"""With `--service-from field`, the field of a line that names a service is the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import slomon
from tests.histories import write

CLF = '192.0.2.1 - - [{local} +0000] "GET / HTTP/1.1" 500 5 "-" "curl"'
JSON = {"time": "{iso}", "method": "GET", "path": "/", "status": 500, "host": "a.example.com"}
TRAEFIK = {"StartUTC": "{iso}", "RequestMethod": "GET", "RequestPath": "/", "DownstreamStatus": 500}
CADDY = {"ts": 1741608000.5, "request": {"method": "GET", "host": "a.example.com", "uri": "/"}}


def as_json(**fields: object) -> str:
    """A line of JSON whose braces `str.format` leaves as they are."""
    text = json.dumps(fields).replace("{", "{{").replace("}", "}}")
    return text.replace("{{iso}}", "{iso}").replace("{{name}}", "{name}")


LINE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "program": (as_json(**JSON, service="{name}"), "", {}),
    "otel": (as_json(**JSON, resource={"service.name": "{name}"}), "", {}),
    "ecs": (as_json(**JSON, service={"name": "{name}"}), "", {}),
    "kubernetes": (as_json(**JSON, kubernetes={"labels": {"app": "{name}"}}), "", {}),
    "fluentd": (as_json(**JSON, kubernetes={"container_name": "{name}"}), "", {}),
    "json-keys": (as_json(**JSON, part="{name}"), "", {"json_keys": {"host": "part"}}),
    "traefik-json": (
        as_json(**TRAEFIK, RouterName="r@docker", ServiceName="{name}@docker"),
        "@docker",
        {},
    ),
    "logfmt": ("time={iso} method=GET path=/ status=500 service={name} duration=12ms", "", {}),
    "ltsv": ("time:{iso}\tmethod:GET\tpath:/\tstatus:500\tvhost:a.example.com\tapp:{name}", "", {}),
    "csv": ("{iso},{name},GET,/,500", "", {}),
    "w3c": ("{iso} {name} GET / 500", "", {}),
    "ingress-nginx": (f"{CLF} 80 0.001 [default-{{name}}-80] [] 10.0.0.1:80 5 0.1 500 1f", "", {}),
    "haproxy": (
        "192.0.2.1:476 [{local}.473] www~ {name}/node2 0/0/1/17/18 500 291 - - ---- 1/1/0/0/0 0/0 "
        '"GET / HTTP/1.1"',
        "",
        {},
    ),
    "traefik": (f'{CLF} 7 "{{name}}@docker" "http://10.0.0.1:80" 22ms', "@docker", {}),
    "compose": (f"{{name}}  | {CLF}", "", {}),
    "log-format": (
        '{name} [{local} +0000] "GET / HTTP/1.1" 500',
        "",
        {"log_format": '$service [$time_local] "$request" $status'},
    ),
    "regex": (
        "{name} {iso} GET / 500",
        "",
        {"regex": r"(?P<host>\S+) (?P<time>\S+) (?P<method>\S+) (?P<path>\S+) (?P<status>\d+)"},
    ),
}
"""For each format: a line, what follows the name of the service in it, and the options."""
HEAD = {
    "csv": "time,app,method,path,status\n",
    "w3c": "#Fields: time s-sitename cs-method cs-uri-stem sc-status\n",
}


def make_log(line: str, head: str = "") -> str:
    """Twelve failures of the services Shop and blog in turn."""
    return head + "".join(
        line.format(
            local=f"10/Mar/2025:12:00:{second:02}",
            iso=f"2025-03-10T12:00:{second:02}Z",
            name=("Shop", "blog")[second % 2],
        )
        + "\n"
        for second in range(12)
    )


@pytest.mark.parametrize("name", LINE)
def test_the_service_is_the_field_that_names_it(tmp_path: Path, name: str) -> None:
    line, suffix, options = LINE[name]
    log = write(tmp_path, "a.log", make_log(line, HEAD.get(name, "")))
    prefix = "default-" if name == "ingress-nginx" else ""
    suffix = "-80" if name == "ingress-nginx" else suffix
    deploy = {"commit": "c", "date": "2025-03-10T11:59:00Z", "service": f"{prefix}Shop{suffix}"}
    changes = write(tmp_path, "deploys.json", json.dumps([deploy]))
    options |= {"changes": changes, "service_from": "field"}
    monitors = [
        slomon.replay(log, backend=backend, **options) for backend in ("python", "compiled")
    ]
    for monitor in monitors:
        found = {
            one: [i["break"] for i in many] for one, many in monitor.incident_details().items()
        }
        assert found == {f"{prefix}shop{suffix}": ["c"], f"{prefix}blog{suffix}": [""]}
        assert monitor.warnings == []
    assert monitors[0].incident_details() == monitors[1].incident_details()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: make_log(CLF), id="combined"),
        pytest.param(lambda: make_log(f"{{name}}.example.com:80 {CLF}"), id="vhost"),
        pytest.param(lambda: json.dumps({**CADDY, "status": 500, "duration": 1.5}), id="caddy"),
        pytest.param(
            lambda: make_log(
                'at=info time={iso} method=GET path="/" host=a.example.com dyno=web.1 connect=0ms '
                "service=18ms status=500"
            ),
            id="heroku",
        ),
    ],
)
def test_without_such_a_field_each_endpoint_is_a_service(
    tmp_path: Path, make: Callable[[], str]
) -> None:
    log = write(tmp_path, "a.log", make())
    monitor = slomon.replay(log, service_from="field", backend="python")
    assert list(monitor.incident_details()) == ["GET /"]
    (warning,) = monitor.warnings
    assert (warning.code, warning.certain) == ("no_services", False)
