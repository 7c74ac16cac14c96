"""A deployment_status is a change if GitHub signed it and its state is success."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from slomon.core.events import Change
from slomon.integrations.deploy_hooks import GitHub, Receiver, WebhookError
from slomon.integrations.deploy_hooks.signatures import BodySignature
from tests.integrations.deploy_hooks.deliveries import COMMIT, NOW, SECRET, dump, sample, sign

CHANGE = Change(COMMIT, "ana-example", "2018-11-28T22:11:31Z", "users")


def read(body: bytes, headers: dict[str, str] | None = None) -> Change | None:
    receiver = Receiver(GitHub(SECRET), now=lambda: NOW)
    return receiver.read(sign(body) if headers is None else headers, body)


def test_a_status_of_success_is_a_change() -> None:
    assert read(dump(sample("github_deployment_status"))) == CHANGE


def test_a_form_is_read_like_json() -> None:
    body = sample("github_deployment_status")
    body["repository"]["description"] = "Größe 📏 & co."

    assert read(urlencode({"payload": dump(body).decode()}).encode()) == CHANGE


@pytest.mark.parametrize("form", ["payload=", "payload=1&payload=2", "payload=" + "&a=1" * 10])
def test_a_form_without_one_payload_is_rejected(form: str) -> None:
    with pytest.raises(WebhookError, match="the body is no form with one payload") as refused:
        read(form.encode())

    assert refused.value.status == 400


@pytest.mark.parametrize("name", ["github_deployment", "github_ping"])
def test_another_event_is_no_change_whatever_its_header_says(name: str) -> None:
    assert read(dump(sample(name))) is None


@pytest.mark.parametrize("state", ["pending", "in_progress", "failure", "error", "inactive", None])
def test_another_state_is_no_change(state: str | None) -> None:
    body = sample("github_deployment_status")
    body["deployment_status"]["state"] = state

    assert read(dump(body)) is None


@pytest.mark.parametrize(
    ("creator", "starter", "author"),
    [
        ({"login": "bot", "type": "Bot"}, {"login": "ana"}, "ana"),
        ({"login": "bot", "type": "Bot"}, None, "bot"),
        ({"login": "bob", "type": "User"}, {"login": "ana"}, "bob"),
        (None, {"login": "ana"}, "ana"),
        (None, None, ""),
    ],
)
def test_the_author_is_a_person_if_the_event_has_one(
    creator: object, starter: object, author: str
) -> None:
    body = sample("github_deployment_status")
    body["deployment"]["creator"] = creator
    body["workflow_run"]["triggering_actor"] = starter

    change = read(dump(body))

    assert change
    assert change.author == author


def test_an_old_server_has_the_environment_in_the_deployment_only() -> None:
    body = sample("github_deployment_status")
    del body["deployment_status"]["environment"]

    assert read(dump(body)) == CHANGE


def test_the_signature_is_that_of_githubs_example() -> None:
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    proof = BodySignature("x-hub-signature-256", b"It's a Secret to Everybody")

    proof.check({"x-hub-signature-256": f"sha256={digest}"}, b"Hello, World!", 0)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature": "sha1=00"},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature-256": "sha256=\u00e9\ud800"},
        sign(b"another body"),
        sign(dump(sample("github_deployment_status")), secret="another secret"),
    ],
)
def test_a_request_that_github_did_not_sign_is_rejected(headers: dict[str, str]) -> None:
    with pytest.raises(WebhookError, match="header x-hub-signature-256") as refused:
        read(dump(sample("github_deployment_status")), headers)

    assert refused.value.status == 401
