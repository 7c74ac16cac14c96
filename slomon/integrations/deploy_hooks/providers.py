"""
Senders of webhooks that report deploys:

* GitHub: the event `deployment_status`
* GitLab: deployment events
* any sender of CDEvents (cdevents.dev) over the HTTP binding of CloudEvents, in binary and
  structured mode
"""

from __future__ import annotations

from base64 import b64decode
from typing import Final
from urllib.parse import parse_qs

from slomon.core.events import Change
from slomon.deploys.records import read_cdevent
from slomon.deploys.tools import is_deployment
from slomon.errors import WebhookError
from slomon.integrations.deploy_hooks.sender import (
    Body,
    Deployment,
    find_object,
    find_text,
    parse_object,
)
from slomon.integrations.deploy_hooks.signatures import (
    BodySignature,
    Headers,
    Token,
    choose_verifier,
    read_secret,
)

_MAX_FORM_FIELDS: Final = 10


class GitHub:
    """
    GitHub, with the webhook's secret. Both content types of GitHub's webhooks are supported. Only
    the body says which event it is, because the signature covers no header.

    The commit is the deployment's and the service is the repository. The author is the person who
    deployed (GitHub has no other) or who started the workflow that deployed.
    """

    def __init__(self, secret: str) -> None:
        """Raises ConfigurationError if the secret is empty."""
        key = read_secret("secret", secret).encode()
        self._verifier = BodySignature("x-hub-signature-256", key)

    def check(self, headers: Headers, body: bytes, now: int) -> None:
        """Raises WebhookError (401) if GitHub didn't sign the body."""
        self._verifier.check(headers, body, now)

    def parse(self, body: bytes) -> Body:
        """The event, from JSON or from the field `payload` of a form."""
        if not body.startswith(b"payload="):
            return parse_object(body)
        try:
            form = parse_qs(body.decode(), max_num_fields=_MAX_FORM_FIELDS)
            (payload,) = form.get("payload", [])
        except ValueError:
            raise WebhookError(400, "the body is no form with one payload") from None
        return parse_object(payload)

    def find_deployment(self, body: Body) -> Deployment | None:
        """The deployment, if the deployment status is `success`."""
        status, deployment = find_object(body, "deployment_status"), find_object(body, "deployment")
        if find_text(status, "state") != "success":
            return None
        change = Change(
            commit=find_text(deployment, "sha"),
            author=_find_author(body, deployment),
            date=find_text(status, "created_at"),
            service=find_text(find_object(body, "repository"), "name"),
        )
        environment = find_text(status, "environment") or find_text(deployment, "environment")
        production = deployment.get("production_environment")
        return Deployment(
            change, (environment,), production if isinstance(production, bool) else None
        )


def _find_author(body: Body, deployment: Body) -> str:
    creator = find_object(deployment, "creator")
    starter = find_object(find_object(body, "workflow_run"), "triggering_actor")
    people = [creator, starter] if find_text(creator, "type") != "Bot" else [starter, creator]
    return next(filter(None, (find_text(person, "login") for person in people)), "")


class GitLab:
    """
    GitLab, with the webhook's secret token or its signing token (`whsec_...`). The signing token
    proves more: that the body is GitLab's and is recent.

    The commit is the deployment's, the author is the person who deployed, the service is the
    project.
    """

    def __init__(self, *, token: str | None = None, signing_secret: str | None = None) -> None:
        """Raises ConfigurationError unless exactly one of the two is given."""
        plain = None if token is None else Token("x-gitlab-token", read_secret("token", token))
        self._verifier = choose_verifier(plain, signing_secret)

    def check(self, headers: Headers, body: bytes, now: int) -> None:
        """Raises WebhookError (401) if the sender doesn't prove that it knows the secret."""
        self._verifier.check(headers, body, now)

    def parse(self, body: bytes) -> Body:
        """The event."""
        return parse_object(body)

    def find_deployment(self, body: Body) -> Deployment | None:
        """The deployment, if its status is `success`."""
        if find_text(body, "object_kind") != "deployment" or find_text(body, "status") != "success":
            return None
        user = find_object(body, "user")
        email = find_text(user, "email")  # "[REDACTED]" if it is not public
        project = find_object(body, "project")
        change = Change(
            commit=_find_commit(body),
            author=email if "@" in email else find_text(user, "username", "name"),
            date=find_text(body, "status_changed_at"),
            service=find_text(project, "path_with_namespace", "name").rpartition("/")[2],
        )
        tier = find_text(body, "environment_tier")
        production = tier == "production" if tier else None
        return Deployment(change, (find_text(body, "environment"),), production)


def _find_commit(body: Body) -> str:
    """The full hash, which only the commit's URL has; the short hash if the URL lacks it."""
    short = find_text(body, "short_sha")
    full = find_text(body, "commit_url").rpartition("/")[2]
    return full if full.startswith(short) else short


class CDEvents:
    """
    Any sender of `dev.cdevents.service.deployed`, `upgraded` and `rolledback`. CDEvents define no
    signature. The sender is verified by a token, which webhooks of CloudEvents send as
    `Authorization: Bearer`, or by a signing secret (`whsec_...`) of Standard Webhooks.

    The commit is the artifact's id, the service is the subject's id; there is no author.
    """

    def __init__(self, *, token: str | None = None, signing_secret: str | None = None) -> None:
        """Raises ConfigurationError unless exactly one of the two is given."""
        text = None if token is None else read_secret("token", token)
        bearer = None if text is None else Token("authorization", text, "bearer")
        self._verifier = choose_verifier(bearer, signing_secret)

    def check(self, headers: Headers, body: bytes, now: int) -> None:
        """Raises WebhookError (401) if the sender doesn't prove that it knows the secret."""
        self._verifier.check(headers, body, now)

    def parse(self, body: bytes) -> Body:
        """
        The CDEvent: the body itself in binary mode, the data of a CloudEvent in structured mode.
        A CloudEvent of another kind stays as it is. The headers of CloudEvents are ignored, because
        they are not signed and a CDEvent repeats them.
        """
        event = parse_object(body)
        if "specversion" not in event:
            return event
        if isinstance(encoded := event.get("data_base64"), str):
            try:
                return parse_object(b64decode(encoded, validate=True))
            except ValueError:
                raise WebhookError(400, "the event's data_base64 is no base64") from None
        data = find_object(event, "data")
        return data if "context" in data else event

    def find_deployment(self, body: Body) -> Deployment | None:
        """
        The deployment, if the event is one of a deployment. Raises WebhookError (400) if the body
        is no event or the event is malformed.
        """
        kind = find_text(find_object(body, "context"), "type") or find_text(body, "type")
        if not kind:
            raise WebhookError(400, "the body is no CDEvent: it has no context.type")
        if not is_deployment(kind):
            return None
        change = read_cdevent(body)
        if isinstance(change, str):
            raise WebhookError(400, change)
        content = find_object(find_object(body, "subject"), "content")
        environment = find_object(content, "environment")
        names = find_text(environment, "id"), find_text(environment, "name")
        return Deployment(change, names)
