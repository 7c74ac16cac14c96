"""A deployment event is a change if GitLab sent it and its status is success."""

from __future__ import annotations

import pytest

from slomon.core.events import Change
from slomon.integrations.deploy_hooks import GitLab, Receiver, WebhookError
from tests.integrations.deploy_hooks.deliveries import (
    COMMIT,
    NOW,
    SECRET,
    SIGNING_SECRET,
    dump,
    sample,
    sign_in_time,
)

TOKEN = {"X-Gitlab-Event": "Deployment Hook", "X-Gitlab-Token": SECRET}
CHANGE = Change(COMMIT, "ana@example.com", "2018-11-28 23:11:31 +0100", "users")


def read(body: object, headers: dict[str, str] = TOKEN) -> Change | None:
    return Receiver(GitLab(token=SECRET), now=lambda: NOW).read(headers, dump(body))


def test_a_status_of_success_is_a_change() -> None:
    assert read(sample("gitlab_deployment")) == CHANGE


@pytest.mark.parametrize("status", ["created", "running", "failed", "canceled", "blocked", None])
def test_another_status_is_no_change(status: str | None) -> None:
    assert read({**sample("gitlab_deployment"), "status": status}) is None


def test_another_event_is_no_change() -> None:
    assert read({"object_kind": "pipeline", "status": "success"}) is None


def test_the_author_is_a_name_if_no_email_is_public() -> None:
    body = sample("gitlab_deployment")
    body["user"]["email"] = "[REDACTED]"

    change = read(body)

    assert change
    assert change.author == "ana"


@pytest.mark.parametrize("url", [None, "", "https://gitlab.example.com/somewhere/else"])
def test_the_commit_is_the_short_hash_if_its_url_has_none(url: str | None) -> None:
    change = read({**sample("gitlab_deployment"), "commit_url": url})

    assert change
    assert change.commit == "6d0080a8"


@pytest.mark.parametrize("headers", [{}, {"X-Gitlab-Token": ""}, {"X-Gitlab-Token": "another"}])
def test_another_token_is_rejected(headers: dict[str, str]) -> None:
    with pytest.raises(WebhookError, match="header x-gitlab-token") as refused:
        read(sample("gitlab_deployment"), headers)

    assert refused.value.status == 401


def test_a_signing_secret_is_used_if_one_is_given() -> None:
    receiver = Receiver(GitLab(signing_secret=SIGNING_SECRET), now=lambda: NOW)
    body = dump(sample("gitlab_deployment"))

    with pytest.raises(WebhookError, match="there is no header webhook-id"):
        receiver.read(TOKEN, body)
    assert receiver.read(sign_in_time(body), body) == CHANGE
