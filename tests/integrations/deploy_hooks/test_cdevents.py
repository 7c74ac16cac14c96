"""A CDEvent of a deployed service is a change, in both modes of CloudEvents."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from slomon.core.events import Change
from slomon.integrations.deploy_hooks import CDEvents, Receiver, WebhookError
from tests.integrations.deploy_hooks.deliveries import (
    NOW,
    SECRET,
    SIGNING_SECRET,
    dump,
    sample,
    sign_in_time,
)

BINARY = "cdevents_service_upgraded"
STRUCTURED = "cloudevent_service_upgraded"
BEARER = {"Authorization": f"Bearer {SECRET}", "ce-type": "of no matter"}
ARTIFACT = sample(BINARY)["subject"]["content"]["artifactId"]
CHANGE = Change(ARTIFACT, "", "2018-11-28T22:11:31.071432Z", "users")


def read(body: object, headers: dict[str, str] = BEARER) -> Change | None:
    return Receiver(CDEvents(token=SECRET), now=lambda: NOW).read(headers, dump(body))


def encoded(data: str) -> dict[str, Any]:
    event = sample(STRUCTURED)
    del event["data"]
    return {**event, "data_base64": data}


@pytest.mark.parametrize(
    "body", [sample(BINARY), sample(STRUCTURED), encoded(b64encode(dump(sample(BINARY))).decode())]
)
def test_binary_and_structured_mode_give_the_same_change(body: object) -> None:
    assert read(body) == CHANGE


@pytest.mark.parametrize("data", ["no base64!", b64encode(b"[1]").decode()])
def test_data_without_an_event_is_rejected(data: str) -> None:
    with pytest.raises(WebhookError, match=r"base64|allowed: an object") as refused:
        read(encoded(data))

    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("kind", "is_change"),
    [
        *((f"dev.cdevents.service.{one}.0.2.0", True) for one in ("deployed", "rolledback")),
        *((f"dev.cdevents.service.{one}.0.2.0", False) for one in ("removed", "published")),
        *((one, False) for one in ("dev.cdeventsx.shipper-load.begun.0.1.0", "com.example.made")),
    ],
)
def test_other_events_are_no_change(kind: str, *, is_change: bool) -> None:
    body = sample(BINARY)
    body["context"]["type"] = kind

    assert read(body) == (CHANGE if is_change else None)


def test_a_cloudevent_that_is_no_cdevent_is_no_change() -> None:
    assert read({**sample(STRUCTURED), "type": "com.example.made", "data": {"of": "it"}}) is None


@pytest.mark.parametrize("body", [{}, {"context": 1}, {"specversion": "1.0", "data": []}])
def test_a_body_without_an_event_is_rejected(body: object) -> None:
    with pytest.raises(WebhookError, match=r"it has no context\.type") as refused:
        read(body)

    assert refused.value.status == 400


def test_an_incomplete_event_is_rejected() -> None:
    body = sample(BINARY)
    del body["subject"]["content"]["artifactId"]

    with pytest.raises(WebhookError, match=r"no commit; allowed: .*artifactId") as refused:
        read(body)

    assert refused.value.status == 400


def test_an_environment_has_an_id_and_a_name() -> None:
    body = sample(BINARY)
    body["subject"]["content"]["environment"] = {"id": "c-1", "name": "production"}

    assert read(body) == CHANGE


@pytest.mark.parametrize(
    "header", ["", "Bearer", f"Basic {SECRET}", SECRET, f"Bearer {SECRET}x", "Bearer another"]
)
def test_another_token_is_rejected(header: str) -> None:
    with pytest.raises(WebhookError, match="header authorization") as refused:
        read(sample(BINARY), {"Authorization": header})

    assert refused.value.status == 401


def test_a_scheme_matches_in_any_case() -> None:
    assert read(sample(BINARY), {"authorization": f"bearer {SECRET}"}) == CHANGE


def test_a_signing_secret_is_used_if_one_is_given() -> None:
    receiver = Receiver(CDEvents(signing_secret=SIGNING_SECRET), now=lambda: NOW)
    body = dump(sample(STRUCTURED))

    with pytest.raises(WebhookError, match="there is no header webhook-id"):
        receiver.read(BEARER, body)
    assert receiver.read(sign_in_time(body), body) == CHANGE
