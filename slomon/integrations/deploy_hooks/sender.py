"""
A sender of webhooks, and what it reports: a deployment. `providers` and `clusters` have the senders
that are known; a program may have its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from slomon.core.events import Change
from slomon.errors import WebhookError
from slomon.integrations.deploy_hooks.signatures import Headers

Body: TypeAlias = Mapping[str, object]
"""The JSON object of an event."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """
    A successful deployment.

    * `change`: its commit, author, date and service; the author may be ""
    * `environments`: the names of its environment; empty if it has none
    * `production`: does the sender say that the environment is production? None if it says neither
    * `restated`: does the sender repeat the same deployment, with other dates? Then it is a deploy
      only if the last one of the service was of another commit
    """

    change: Change
    environments: tuple[str, ...] = ()
    production: bool | None = None
    restated: bool = False


class Sender(Protocol):
    """How the requests of a sender are verified and read."""

    def check(self, headers: Headers, body: bytes, now: int) -> None:
        """
        Verify a request. `headers` are by lower-case name, and `now` is in nanoseconds since the
        epoch. Raises WebhookError (401) if the sender doesn't prove that it knows the secret.
        """

    def parse(self, body: bytes) -> Body:
        """The event in a body. Raises WebhookError (400) if the body has none."""

    def find_deployment(self, body: Body) -> Deployment | None:
        """
        The deployment of an event; None if the event is of another kind, or if the deployment has
        not succeeded. Raises WebhookError (400) if the event is malformed.
        """


def parse_object(text: bytes | str) -> Body:
    """The JSON object in a text. Raises WebhookError (400) if the text has another content."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WebhookError(400, f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise WebhookError(400, f"the body is JSON of a {type(value).__name__}; allowed: an object")
    return value


def find_object(body: Body, name: str) -> Body:
    """The object in a field; an empty one if there is none."""
    part = body.get(name)
    return part if isinstance(part, Mapping) else {}


def find_text(body: Body, *names: str) -> str:
    """The text of the first of the fields that has text, on one line; "" if none has."""
    texts = (" ".join(value.split()) for name in names if isinstance(value := body.get(name), str))
    return next(filter(None, texts), "")
