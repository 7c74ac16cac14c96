"""
A service that you can break and repair while slomon watches it from inside. In two terminals:

    python scripts/demo_service.py serve             serves on http://127.0.0.1:8000
    python scripts/demo_service.py deploy COMMIT     reports a deploy, as GitLab would

    GET  /users/ID         the endpoint: nine of ten requests within a minute must succeed
    POST /fault/on, off    makes the endpoint fail, or not
    POST /deploys          receives GitLab's webhook of deployments
    GET  /incidents        the incidents, and which commits broke and fixed the endpoint
    GET  /slomon           the current state
    GET  /metrics          the same for Prometheus

This script needs fastapi, uvicorn, and the extra slomon[prometheus].
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import REGISTRY, generate_latest

import slomon.integrations.asgi
from slomon.integrations.deploy_hooks import GitLab, Receiver, WebhookError
from slomon.integrations.prometheus import Collector

TOKEN = "only for a demonstration"
ENDPOINTS = [
    {
        "name": "users",
        "email": "ana@example.com",
        "verb": "GET",
        "resource": "/users/{id}",
        "slo": 0.9,
        "window": 60,
    }
]


def serve(arguments: argparse.Namespace) -> None:
    monitor = slomon.live(ENDPOINTS)
    deploys = Receiver(GitLab(token=TOKEN))
    REGISTRY.register(Collector(monitor))
    faults: set[str] = set()

    app = FastAPI()
    app.add_middleware(slomon.integrations.asgi.Middleware, monitor=monitor, status_path="/slomon")

    @app.get("/users/{number}")
    async def show_user(number: int) -> dict[str, int]:
        if faults:
            raise HTTPException(500)
        return {"user": number}

    @app.post("/fault/on")
    async def switch_on() -> str:
        faults.add("users")
        return "on"

    @app.post("/fault/off")
    async def switch_off() -> str:
        faults.clear()
        return "off"

    @app.post("/deploys")
    async def receive_deploy(request: Request) -> str:
        try:
            taken = deploys.report(monitor, request.headers, await request.body())
        except WebhookError as error:
            raise HTTPException(error.status, str(error)) from None
        return "taken" if taken else "passed over"

    @app.get("/incidents")
    async def show_incidents() -> Response:
        await monitor.flush()
        return JSONResponse(monitor.incident_details())

    @app.get("/metrics")
    def show_metrics() -> Response:
        return Response(generate_latest(), media_type="text/plain")

    uvicorn.run(app, port=arguments.port)


def deploy(arguments: argparse.Namespace) -> None:
    event = {
        "object_kind": "deployment",
        "status": "success",
        "status_changed_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S %z}",
        "environment": "production",
        "project": {"name": "users"},
        "short_sha": arguments.commit,
        "user": {"email": arguments.author},
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{arguments.port}/deploys",
        json.dumps(event).encode(),
        {"X-Gitlab-Token": TOKEN, "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            print(json.load(answer))
    except urllib.error.URLError as error:
        sys.exit(f"{request.full_url}: {error.reason}; is the service running?")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve_parser = commands.add_parser("serve", help="run the service")
    serve_parser.set_defaults(run=serve)
    deploy_parser = commands.add_parser("deploy", help="report a deploy")
    deploy_parser.set_defaults(run=deploy)
    deploy_parser.add_argument("commit", metavar="COMMIT")
    deploy_parser.add_argument("--author", default="ana@example.com")
    for command in (serve_parser, deploy_parser):
        command.add_argument("--port", type=int, default=8000)
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse()
    arguments.run(arguments)
