"""GitHub's webhooks of the event `deployment_status`."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs

from slomon.core.events import Change
from slomon.errors import WebhookError
from slomon.webhooks.proof import BodySignature, read_secret
from slomon.webhooks.sender import Body, Deployment, Headers, find_part, find_text, parse_object

_MOST_FIELDS: Final = 10


class GitHub:
    """
    GitHub, with the webhook's secret. Both of its content types are read. Which event it is, is
    asked of the body alone: the signature covers no header.

    The commit is the deployment's, its author who deployed it (GitHub names no other) or started
    the workflow that did, the service the repository.
    """

    def __init__(self, secret: str) -> None:
        """Raises ConfigurationError where there is no secret."""
        key = read_secret("secret", secret).encode()
        self._proof = BodySignature("x-hub-signature-256", key)

    def check(self, headers: Headers, body: bytes, now: int) -> None:
        """Raises WebhookError (401) where GitHub didn't sign the body."""
        self._proof.check(headers, body, now)

    def parse(self, body: bytes) -> Body:
        """The event, from JSON or from a form that has it as `payload`."""
        if not body.startswith(b"payload="):
            return parse_object(body)
        try:
            form = parse_qs(body.decode(), max_num_fields=_MOST_FIELDS)
            (payload,) = form.get("payload", [])
        except ValueError:
            raise WebhookError(400, "the body is no form with one payload") from None
        return parse_object(payload)

    def find_deployment(self, body: Body) -> Deployment | None:
        """The deployment of a status, if that is `success`."""
        status, deployment = find_part(body, "deployment_status"), find_part(body, "deployment")
        if find_text(status, "state") != "success":
            return None
        change = Change(
            commit=find_text(deployment, "sha"),
            author=_find_author(body, deployment),
            date=find_text(status, "created_at"),
            service=find_text(find_part(body, "repository"), "name"),
        )
        where = find_text(status, "environment") or find_text(deployment, "environment")
        return Deployment(change, (where,))


def _find_author(body: Body, deployment: Body) -> str:
    creator = find_part(deployment, "creator")
    starter = find_part(find_part(body, "workflow_run"), "triggering_actor")
    people = [creator, starter] if find_text(creator, "type") != "Bot" else [starter, creator]
    return next(filter(None, (find_text(person, "login") for person in people)), "")
