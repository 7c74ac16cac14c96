"""
Who sends webhooks, as a receiver sees it.

GitHub's webhooks of the event `deployment_status`.

GitLab's webhooks of deployment events.

CDEvents (cdevents.dev) over the HTTP binding of CloudEvents, in binary and structured mode.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol, TypeAlias
from urllib.parse import parse_qs

from slomon.core.events import Change
from slomon.deploys.records import is_deployment, read_deploy
from slomon.errors import WebhookError
from slomon.integrations.deploy_hooks.signatures import (
    BodySignature,
    Headers,
    Token,
    choose_proof,
    read_secret,
)
from slomon.text import quote

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


class GitLab:
    """
    GitLab, with the webhook's secret token, or its signing token (`whsec_...`), which proves more:
    that the body is GitLab's, and new.

    The commit is the deployment's, its author who deployed it, the service the project.
    """

    def __init__(self, *, token: str | None = None, signing_secret: str | None = None) -> None:
        """Raises ConfigurationError where there is not exactly one of both."""
        plain = None if token is None else Token("x-gitlab-token", read_secret("token", token))
        self._proof = choose_proof(plain, signing_secret)

    def check(self, headers: Headers, body: bytes, now: int) -> None:
        """Raises WebhookError (401) where the sender doesn't know the secret."""
        self._proof.check(headers, body, now)

    def parse(self, body: bytes) -> Body:
        """The event."""
        return parse_object(body)

    def find_deployment(self, body: Body) -> Deployment | None:
        """The deployment, if its status is `success`."""
        if find_text(body, "object_kind") != "deployment" or find_text(body, "status") != "success":
            return None
        user = find_part(body, "user")
        email = find_text(user, "email")  # "[REDACTED]" where it is not public
        project = find_part(body, "project")
        change = Change(
            commit=_find_commit(body),
            author=email if "@" in email else find_text(user, "username", "name"),
            date=find_text(body, "status_changed_at"),
            service=find_text(project, "path_with_namespace", "name").rpartition("/")[2],
        )
        return Deployment(change, (find_text(body, "environment"),))


def _find_commit(body: Body) -> str:
    """The whole hash, which only the commit's address has; the short one where that has not."""
    short = find_text(body, "short_sha")
    whole = find_text(body, "commit_url").rpartition("/")[2]
    return whole if whole.startswith(short) else short


class CDEvents:
    """
    Whoever sends `dev.cdevents.service.deployed`, `upgraded` and `rolledback`. CDEvents has no
    signature of its own, so there is either a token, which CloudEvents' web hooks bring as
    `Authorization: Bearer`, or a signing secret (`whsec_...`) of Standard Webhooks.

    The commit is the artifact's id, the service the subject's; there is no author.
    """

    def __init__(self, *, token: str | None = None, signing_secret: str | None = None) -> None:
        """Raises ConfigurationError where there is not exactly one of both."""
        text = None if token is None else read_secret("token", token)
        bearer = None if text is None else Token("authorization", text, "bearer")
        self._proof = choose_proof(bearer, signing_secret)

    def check(self, headers: Headers, body: bytes, now: int) -> None:
        """Raises WebhookError (401) where the sender doesn't know the secret."""
        self._proof.check(headers, body, now)

    def parse(self, body: bytes) -> Body:
        """
        The CDEvent: the body itself in binary mode, the data of a CloudEvent in structured mode. A
        CDEvent says all that the headers of CloudEvents do, and these are not signed.
        """
        event = parse_object(body)
        if "specversion" not in event:
            return event
        if isinstance(encoded := event.get("data_base64"), str):
            try:
                return parse_object(b64decode(encoded, validate=True))
            except ValueError:
                raise WebhookError(400, "the event's data_base64 is no base64") from None
        return find_part(event, "data")

    def find_deployment(self, body: Body) -> Deployment | None:
        """What was deployed, if it is an event of a deployment."""
        kind = find_text(find_part(body, "context"), "type")
        if not kind.startswith("dev.cdevents."):
            raise WebhookError(400, f"the event's type is {quote(kind)}; allowed: dev.cdevents.*")
        if not is_deployment(kind):
            return None
        change = read_deploy(body)
        if isinstance(change, str):
            raise WebhookError(400, change)
        content = find_part(find_part(body, "subject"), "content")
        where = find_part(content, "environment")
        return Deployment(change, (find_text(where, "id"), find_text(where, "name")))
