"""A receiver accepts a deployment of its sender once, if it is recent and well formed."""

from __future__ import annotations

import io
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from typing import Any, cast

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

import slomon
from slomon.core.events import Change
from slomon.errors import ConfigurationError
from slomon.integrations.deploy_hooks import (
    ArgoCD,
    CDEvents,
    Flux,
    GitHub,
    GitLab,
    Kubernetes,
    Receiver,
    Sender,
    WebhookError,
)
from slomon.integrations.deploy_hooks.receiver import read_headers
from slomon.logging import configure
from tests.integrations.deploy_hooks.deliveries import NOW, SECOND, SECRET, dump, sample, sign

HOUR = 3600 * SECOND
STATUS = "github_deployment_status"


@contextmanager
def logged() -> Iterator[io.StringIO]:
    stderr = io.StringIO()
    configure("info", stderr, colors=False)
    try:
        yield stderr
    finally:
        structlog.reset_defaults()


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


def make_receiver(**options: Any) -> Receiver:
    return Receiver(GitHub(SECRET), **{"now": lambda: NOW, **options})


def deliver(receiver: Receiver, body: object) -> Change | None:
    text = dump(body)
    return receiver.read(sign(text), text)


def test_a_change_is_accepted_once_however_often_it_is_sent() -> None:
    receiver = make_receiver()
    again = sample(STATUS)
    again["sender"]["login"] = "the same event, by another webhook"

    assert deliver(receiver, sample(STATUS))
    assert deliver(receiver, sample(STATUS)) is None
    assert deliver(receiver, again) is None


def test_the_same_commit_can_be_deployed_again() -> None:
    receiver = make_receiver()
    later = sample(STATUS)
    later["deployment_status"]["created_at"] = "2018-11-28T22:11:32Z"

    assert deliver(receiver, sample(STATUS))
    assert deliver(receiver, later)


@pytest.fixture
def hasty() -> Iterator[None]:
    """Let threads switch as often as possible."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hasty")
def test_one_of_many_threads_gets_the_change() -> None:
    receiver = make_receiver()
    other = sample(STATUS)
    for number in range(300):  # so that there is something to look through
        other["deployment"]["sha"] = str(number)
        deliver(receiver, other)
    body = dump(sample(STATUS))
    taken: list[Change | None] = []
    co_occurring = threading.Barrier(8)

    def take() -> None:
        co_occurring.wait()
        taken.append(receiver.read(sign(body), body))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == 8
    assert len([one for one in taken if one]) == 1


@pytest.mark.parametrize(
    ("age", "is_taken"),
    [(-HOUR - 1, False), (-HOUR, True), (0, True), (HOUR, True), (HOUR + 1, False)],
)
def test_a_deployment_too_old_or_too_far_ahead_is_skipped_and_logged(
    age: int, *, is_taken: bool
) -> None:
    receiver = make_receiver(now=lambda: NOW - SECOND + age, max_age="1h")

    with logged() as stderr:
        change = deliver(receiver, sample(STATUS))

    assert (change is not None) == is_taken
    assert ("webhook.stale" in stderr.getvalue()) != is_taken


def test_a_forgotten_change_is_too_old_to_be_accepted_again() -> None:
    time = Time()
    receiver = make_receiver(now=time)
    assert deliver(receiver, sample(STATUS))
    time.now = NOW + HOUR
    other = sample(STATUS)
    other["deployment_status"]["created_at"] = "2018-11-28T23:11:31Z"
    assert deliver(receiver, other)  # which lets it forget the first

    with logged():
        assert deliver(receiver, sample(STATUS)) is None


def test_the_number_of_remembered_changes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slomon.integrations.deploy_hooks.receiver._MAX_REMEMBERED", 2)
    receiver = make_receiver()
    first, second, third = (sample(STATUS) for _ in range(3))
    second["deployment"]["sha"], third["deployment"]["sha"] = "second", "third"

    assert deliver(receiver, first)
    assert deliver(receiver, second)
    assert deliver(receiver, first) is None
    assert deliver(receiver, third)
    assert deliver(receiver, second) is None
    assert deliver(receiver, first)


@pytest.mark.parametrize(
    ("environment", "wanted", "counts"),
    [
        *((name, None, True) for name in ("production", "Prod-EU", "live", "")),
        *((name, None, False) for name in ("staging", "pre-prod")),
        ("staging", "*", True),
        ("prod-eu", "production", False),
        ("EU-1", ["staging", "eu-*"], True),
        ("", "staging", True),
    ],
)
def test_deployments_to_other_environments_are_skipped(
    environment: str, wanted: Any, *, counts: bool
) -> None:
    body = sample(STATUS)
    del body["deployment"]["production_environment"]
    body["deployment_status"]["environment"] = body["deployment"]["environment"] = environment

    with logged():
        assert (deliver(make_receiver(environment=wanted), body) is not None) == counts


@pytest.mark.parametrize(
    ("name", "is_production"), [("qa", True), ("qa", False), ("production", False)]
)
def test_a_flag_of_the_sender_decides_before_the_name(name: str, *, is_production: bool) -> None:
    github = sample(STATUS)
    github["deployment_status"]["environment"] = name
    github["deployment"]["production_environment"] = is_production
    gitlab = {
        **sample("gitlab_deployment"),
        "environment": name,
        "environment_tier": "production" if is_production else "testing",
    }
    receiver = Receiver(GitLab(token=SECRET), now=lambda: NOW)

    with logged():
        found = [
            deliver(make_receiver(), github),
            receiver.read({"x-gitlab-token": SECRET}, dump(gitlab)),
        ]
    assert [change is not None for change in found] == [is_production] * 2


def test_what_is_skipped_is_logged_once_with_what_would_count() -> None:
    receiver = make_receiver()
    body = sample(STATUS)
    body["deployment"]["production_environment"] = False

    with logged() as stderr:
        assert [deliver(receiver, body), deliver(receiver, body)] == [None, None]
    (line,) = stderr.getvalue().splitlines()
    assert "webhook.skipped" in line
    assert "environment is production, not production to its sender" in line
    assert "environment='production' counts" in line


async def test_a_deploy_is_reported_to_a_monitor() -> None:
    endpoint = {"name": "users", "verb": "GET", "resource": "/", "slo": 0.9, "window": 30}
    receiver, body = make_receiver(), dump(sample(STATUS))
    async with slomon.live([endpoint]) as monitor:
        assert receiver.report(monitor, sign(body), body)
        assert not receiver.report(monitor, sign(body), body)
        await monitor.flush()
        (deploy,) = monitor.snapshot().totals.deploys
    assert deploy.change.date == "2018-11-28T22:11:31Z"


@pytest.mark.parametrize(
    ("service", "found"),
    [
        ("accounts", "accounts"),
        (lambda event: event["deployment"]["task"], "deploy"),
        (None, "users"),
    ],
)
def test_a_service_is_the_repository_or_as_configured(service: object, found: str) -> None:
    change = deliver(make_receiver(service=service), sample(STATUS))

    assert change
    assert change.service == found


def test_a_deployment_of_no_service_is_skipped() -> None:
    assert deliver(make_receiver(service=lambda event: None), sample(STATUS)) is None  # noqa: ARG005


@pytest.mark.parametrize("found", ["", 5])
def test_a_service_of_another_type_is_a_configuration_error(found: object) -> None:
    with pytest.raises(ConfigurationError, match=r"option 'service' is .*; allowed: a function"):
        deliver(make_receiver(service=lambda event: found), sample(STATUS))  # noqa: ARG005


@pytest.mark.parametrize(
    "options",
    [{"service": ""}, {"service": 5}, {"environment": ""}, {"max_age": 0}, {"max_body": 0}],
)
def test_a_wrong_option_is_named(options: dict[str, object]) -> None:
    (name,) = options
    with pytest.raises(ConfigurationError, match=f"option '{name}'"):
        make_receiver(**options)


def test_a_body_of_another_type_than_bytes_is_rejected() -> None:
    with pytest.raises(TypeError, match="body is str; allowed: bytes, as they came"):
        make_receiver().read({}, cast(bytes, "{}"))


def test_a_body_that_is_too_long_is_rejected_first() -> None:
    with pytest.raises(WebhookError, match="the body has bytes: 6; allowed: 5") as refused:
        make_receiver(max_body=5).read({}, b"123456")

    assert refused.value.status == 413


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is not JSON: Expecting value"),
        (b"\xff", "the body is not JSON: 'utf-8' codec can't decode"),
        (b"[" * 100_000, "the body is not JSON: maximum recursion depth"),
        (b"1" * 10_000, "the body is not JSON: Exceeds the limit"),
        (b"[]", "the body is JSON of a list; allowed: an object"),
    ],
)
def test_a_body_that_is_no_json_object_is_rejected(body: bytes, reason: str) -> None:
    with pytest.raises(WebhookError, match=reason) as refused:
        make_receiver().read(sign(body), body)

    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (["deployment", "sha"], None, "the deployment has no commit"),
        (["deployment", "sha"], 5, "the deployment has no commit"),
        (["deployment", "sha"], " \n", "the deployment has no commit"),
        (["deployment", "sha"], "a" * 1001, "commit has characters: 1001; allowed: 1000"),
        (["repository", "name"], None, "the deployment has no service"),
        (["deployment_status", "created_at"], None, "the deployment has no date"),
        (["deployment_status", "created_at"], "soon", "the date is 'soon'; allowed: "),
        (["deployment_status", "created_at"], "2018-11-28 22:11:31", "has no zone; allowed: "),
    ],
)
def test_an_incomplete_deployment_is_rejected(place: list[str], value: object, reason: str) -> None:
    body = sample(STATUS)
    body[place[0]][place[1]] = value

    with pytest.raises(WebhookError, match=reason) as refused:
        deliver(make_receiver(), body)

    assert refused.value.status == 400


def test_an_author_may_be_missing_and_text_is_on_one_line() -> None:
    body = sample(STATUS)
    body["deployment"]["creator"] = body["workflow_run"] = None
    body["repository"]["name"] = "a\nService: b\r"

    change = deliver(make_receiver(), body)

    assert change
    assert change.author == ""
    assert change.service == "a Service: b"


def as_message(headers: dict[str, str]) -> object:
    message = Message()
    for name, value in headers.items():
        message[name] = value
    return message


def as_pairs(headers: dict[str, str]) -> object:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


@pytest.mark.parametrize("form", [dict, as_message, as_pairs])
def test_headers_may_have_the_form_of_any_framework(
    form: Callable[[dict[str, str]], Any],
) -> None:
    body = dump(sample(STATUS))

    assert make_receiver().read(form(sign(body)), body)


def test_headers_of_one_name_are_joined() -> None:
    assert read_headers([("A", "1"), (b"a", b"\xe9")]) == {"a": "1, \u00e9"}


def test_a_webhook_error_survives_a_process_boundary() -> None:
    error = pickle.loads(pickle.dumps(WebhookError(401, "no")))

    assert (error.status, error.reason, str(error)) == (401, "no", "no")


NAMES = st.sampled_from(
    [
        *("deployment_status", "deployment", "repository", "object_kind", "status", "project"),
        *("state", "sha", "creator", "login", "name", "environment", "created_at", "user"),
        *("context", "subject", "content", "type", "id", "timestamp", "artifactId", "specversion"),
        *("data", "data_base64", "short_sha", "commit_url", "status_changed_at", "email"),
        *("metadata", "operationState", "phase", "syncResult", "revision", "finishedAt"),
        *("involvedObject", "kind", "reason", "labels", "app.kubernetes.io/version"),
        *("lastTimestamp", "revisions"),
    ]
)
TEXTS = st.sampled_from(
    [
        *("success", "production", "deployment", "dev.cdevents.service.deployed.0.1.0", "e30="),
        *("Succeeded", "Kustomization", "ReconciliationSucceeded", "Deployment"),
        "ScalingReplicaSet",
        "2018-11-28T22:11:31Z",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | TEXTS,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(NAMES, parts, max_size=8),
    max_leaves=30,
)
BODIES = st.binary() | VALUES.map(dump) | st.binary().map(b"payload=".__add__)


@given(body=BODIES)
def test_any_bytes_give_a_change_or_none_or_an_error(body: bytes) -> None:
    headers = {**sign(body), "X-Gitlab-Token": SECRET, "Authorization": f"Bearer {SECRET}"}
    headers["X-Signature"] = headers["X-Hub-Signature-256"]
    senders: list[Sender] = [GitHub(SECRET), GitLab(token=SECRET), CDEvents(token=SECRET)]
    senders += [ArgoCD(SECRET), Flux(SECRET), Kubernetes(SECRET)]
    for sender in senders:
        receiver = Receiver(sender, environment="*", now=lambda: NOW)
        change, refusal = None, None
        try:
            change = receiver.read(headers, body)
        except WebhookError as error:
            refusal = error

        assert change is None or all((change.commit, change.date, change.service))
        assert refusal is None or (refusal.status == 400 and SECRET not in str(refusal))


@pytest.mark.parametrize("sender", [None, "secret", GitHub])
def test_a_sender_of_another_type_is_rejected(sender: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"'sender' is .*; allowed: a sender, such as Git"):
        Receiver(sender)
