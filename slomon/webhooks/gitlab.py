"""GitLab's webhooks of deployment events."""

from __future__ import annotations

from slomon.core.events import Change
from slomon.webhooks.proof import Token, choose_proof, read_secret
from slomon.webhooks.sender import Body, Deployment, Headers, find_part, find_text, parse_object


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
