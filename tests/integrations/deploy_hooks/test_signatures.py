"""A sender proves that it knows the secret by a signature or a token; secrets are never shown."""

from __future__ import annotations

import traceback
from base64 import b64decode

import pytest

from slomon.errors import ConfigurationError
from slomon.integrations.deploy_hooks import CDEvents, GitHub, GitLab, Receiver, WebhookError
from slomon.integrations.deploy_hooks.signatures import BodySignature, TimedSignature, Token
from tests.integrations.deploy_hooks.deliveries import (
    NOW,
    SECOND,
    SECRET,
    SIGNING_SECRET,
    sign_in_time,
)

KEY = b"not to be shown either"


def test_a_timed_signature_is_that_of_standard_webhooks() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    proof = TimedSignature(b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))

    proof.check(headers, b'{"test": 2432232314}', 1614265330 * SECOND)


def test_one_of_several_signatures_is_enough() -> None:
    headers = sign_in_time(b"body")
    fitting = headers["webhook-signature"]

    TimedSignature(KEY).check(
        {**headers, "webhook-signature": f"v1,a {fitting} v2,b"}, b"body", NOW
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"webhook-signature": ""}, "the header webhook-signature does not fit"),
        ({"webhook-signature": "v1,"}, "the header webhook-signature does not fit"),
        ({"webhook-signature": "\ud800"}, "the header webhook-signature does not fit"),
        ({"webhook-id": "msg_2"}, "the header webhook-signature does not fit"),
        ({"webhook-timestamp": "1543443090"}, "the header webhook-signature does not fit"),
        ({"webhook-timestamp": "soon"}, "the header webhook-timestamp is far from now"),
        ({"webhook-timestamp": ""}, "the header webhook-timestamp is far from now"),
    ],
)
def test_a_request_that_was_changed_after_signing_is_rejected(
    change: dict[str, str], reason: str
) -> None:
    with pytest.raises(WebhookError, match=f"^{reason}$") as refused:
        TimedSignature(KEY).check({**sign_in_time(b"body"), **change}, b"body", NOW)

    assert refused.value.status == 401


@pytest.mark.parametrize(
    ("seconds", "fits"), [(-301, False), (-300, True), (300, True), (301, False)]
)
def test_a_signed_time_is_at_most_five_minutes_from_now(seconds: int, *, fits: bool) -> None:
    headers = sign_in_time(b"body", str(NOW // SECOND + seconds))
    if fits:
        TimedSignature(KEY).check(headers, b"body", NOW)
    else:
        with pytest.raises(WebhookError, match="far from now"):
            TimedSignature(KEY).check(headers, b"body", NOW)


def test_no_secret_is_in_a_repr() -> None:
    proofs = [
        BodySignature("a", SECRET.encode()),
        Token("a", SECRET),
        TimedSignature(SECRET.encode()),
    ]
    receivers = [Receiver(GitHub(SECRET)), GitLab(token=SECRET), CDEvents(token=SECRET)]

    assert SECRET not in repr([proofs, receivers, [vars(sender) for sender in receivers]])


@pytest.mark.parametrize("secret", ["", " ", None, 5, b"bytes"])
def test_a_secret_is_text_that_is_not_empty(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="option 'secret' is no secret; allowed: text"):
        GitHub(secret)


@pytest.mark.parametrize("sender", [GitLab, CDEvents])
def test_a_sender_has_a_token_or_a_signing_secret(sender: type[GitLab | CDEvents]) -> None:
    for options in ({}, {"token": SECRET, "signing_secret": SIGNING_SECRET}):
        with pytest.raises(
            ConfigurationError, match="'token' and 'signing_secret': allowed: exact"
        ):
            sender(**options)
    with pytest.raises(ConfigurationError, match="option 'token' is no secret"):
        sender(token="")


@pytest.mark.parametrize("secret", ["plain", "whsec_", "whsec_not base64", "bm90"])
def test_a_malformed_signing_secret_is_rejected_and_not_shown(secret: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        GitLab(signing_secret=secret)

    shown = "".join(traceback.format_exception_only(refused.value))
    assert "option 'signing_secret' has another form; allowed: 'whsec_' and base64" in shown
    assert "plain" not in shown
    assert "bm90" not in shown
