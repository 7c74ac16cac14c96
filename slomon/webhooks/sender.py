"""Who sends webhooks, as a receiver sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple, Protocol, TypeAlias

from slomon.core.events import Change
from slomon.errors import WebhookError

Headers: TypeAlias = Mapping[str, str]
"""By their names in lower case."""

Body: TypeAlias = Mapping[str, object]


class Deployment(NamedTuple):
    """
    A deployment that succeeded, with "" for what its event doesn't say, and the names by which its
    environment is known.
    """

    change: Change
    environments: tuple[str, ...]


class Sender(Protocol):
    """How a sender proves who it is, and how its events say what was deployed."""

    def check(self, headers: Headers, body: bytes, now: int) -> None:
        """Raises WebhookError (401) where they are not from who shares the secret."""

    def parse(self, body: bytes) -> Body:
        """The event in a body. Raises WebhookError (400) where there is none."""

    def find_deployment(self, body: Body) -> Deployment | None:
        """What was deployed, None where nothing was. Raises WebhookError (400)."""


def parse_object(text: bytes | str) -> Body:
    """An object of JSON. Raises WebhookError (400) where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WebhookError(400, f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise WebhookError(400, f"the body is JSON of a {type(value).__name__}; allowed: an object")
    return value


def find_part(body: Body, name: str) -> Body:
    """The object under a name, an empty one where there is none."""
    part = body.get(name)
    return part if isinstance(part, Mapping) else {}


def find_text(body: Body, *names: str) -> str:
    """The text under the first of the names that has any, on one line; "" where none has."""
    texts = (" ".join(value.split()) for name in names if isinstance(value := body.get(name), str))
    return next(filter(None, texts), "")
