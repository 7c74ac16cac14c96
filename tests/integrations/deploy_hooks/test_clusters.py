"""What Argo CD, Flux and Kubernetes report to be running is a deploy if it is new."""

from __future__ import annotations

from typing import Any

import pytest

import slomon
from slomon.core.events import Change
from slomon.errors import ConfigurationError
from slomon.integrations.deploy_hooks import (
    ArgoCD,
    Flux,
    Kubernetes,
    Receiver,
    Sender,
    WebhookError,
)
from tests.integrations.deploy_hooks.deliveries import COMMIT, NOW, SECRET, dump, sample, sign

ARGOCD, FLUX, KUBERNETES = "argocd_application", "flux_event", "kubernetes_event"
SENDERS: dict[str, Sender] = {
    ARGOCD: ArgoCD(SECRET),
    FLUX: Flux(SECRET),
    KUBERNETES: Kubernetes(SECRET),
}
DATE = "2018-11-28T22:11:31Z"
CHANGES = {
    ARGOCD: Change(COMMIT, "ana", DATE, "users"),
    FLUX: Change(COMMIT, "", DATE, "users"),
    KUBERNETES: Change(COMMIT[:8], "", DATE, "users"),
}


def prove(name: str, body: bytes) -> dict[str, str]:
    """The headers of a request."""
    if name == FLUX:
        return {"X-Signature": sign(body)["X-Hub-Signature-256"]}
    return {"Authorization": f"Bearer {SECRET}"}


def read(name: str, body: object, **options: Any) -> Change | None:
    text = dump(body)
    receiver = Receiver(SENDERS[name], now=lambda: NOW, **options)
    return receiver.read(prove(name, text), text)


def put(name: str, place: str, value: object) -> Any:
    """The sample with another value at a place."""
    body = part = sample(name)
    *parts, last = place.split(" ")
    for key in parts:
        part = part[key]
    part[last] = value
    return body


@pytest.mark.parametrize("name", SENDERS)
def test_a_version_that_runs_is_a_change(name: str) -> None:
    assert read(name, sample(name)) == CHANGES[name]


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        *((ARGOCD, "status operationState phase", one) for one in ("Running", "Failed", "Error")),
        (ARGOCD, "status operationState", None),
        *((FLUX, "reason", one) for one in ("ReconciliationFailed", "Progressing", "")),
        *((FLUX, "involvedObject kind", one) for one in ("GitRepository", "ImagePolicy")),
        *((KUBERNETES, "reason", one) for one in ("Killing", "Pulled")),
        *((KUBERNETES, "involvedObject kind", one) for one in ("Pod", "ReplicaSet", "Job")),
        (KUBERNETES, "involvedObject labels", {"app.kubernetes.io/name": "users"}),
        (KUBERNETES, "involvedObject labels", None),
    ],
)
def test_what_is_no_success_or_of_another_kind_is_no_change(
    name: str, place: str, value: object
) -> None:
    assert read(name, put(name, place, value)) is None


@pytest.mark.parametrize(
    ("name", "place"),
    [
        (ARGOCD, "metadata labels env"),
        (FLUX, "metadata env"),
        (KUBERNETES, "involvedObject labels env"),
    ],
)
def test_an_environment_is_named_by_a_label(name: str, place: str) -> None:
    assert read(name, put(name, place, "staging")) is None
    assert read(name, put(name, place, "staging"), environment="staging")
    assert read(name, put(name, place, ""))


@pytest.mark.parametrize(
    ("revision", "commit"),
    [
        (f"main@sha1:{COMMIT}", COMMIT),
        (f"feature/a@sha1:{COMMIT}", COMMIT),
        (f"sha1:{COMMIT}", COMMIT),
        (f"main/{COMMIT}", COMMIT),
        ("1.4.2", "1.4.2"),
        ("latest@sha256:6d0080a8", "latest@sha256:6d0080a8"),
    ],
)
def test_the_commit_of_a_flux_revision_is_its_hash(revision: str, commit: str) -> None:
    for metadata in (
        {"helm.toolkit.fluxcd.io/revision": revision},
        {"revision": revision},
        {"revision": "another", "originRevision": revision},
    ):
        change = read(FLUX, {**sample(FLUX), "metadata": metadata})
        assert change
        assert change.commit == commit


def test_the_revisions_of_several_sources_are_one_commit_without_an_author() -> None:
    body = put(ARGOCD, "status operationState syncResult", {"revisions": ["a1", "b2"]})
    body["status"]["operationState"]["operation"]["initiatedBy"] = {"automated": True}

    assert read(ARGOCD, body) == Change("a1, b2", "", DATE, "users")


def test_the_labels_of_a_workload_can_be_named() -> None:
    body = dump(put(KUBERNETES, "involvedObject labels", {"git": "c1", "app": "shop"}))
    sender = Kubernetes(SECRET, commit_label="git", service_label="team")

    change = Receiver(sender, now=lambda: NOW).read(prove(KUBERNETES, body), body)

    assert change == Change("c1", "", DATE, "users-web")


@pytest.mark.parametrize("name", SENDERS)
def test_a_request_without_its_proof_is_rejected(name: str) -> None:
    body = dump(sample(name))
    for headers in ({}, {"X-Signature": "sha256=00", "Authorization": "Bearer another"}):
        with pytest.raises(WebhookError) as refused:
            Receiver(SENDERS[name], now=lambda: NOW).read(headers, body)
        assert refused.value.status == 401


def test_a_body_that_is_no_application_is_rejected() -> None:
    with pytest.raises(WebhookError, match=r"no application; allowed: that of \{\{toJson \.app"):
        read(ARGOCD, {"metadata": {}})


@pytest.mark.parametrize("make", [ArgoCD, Flux, Kubernetes])
def test_an_empty_token_is_a_configuration_error(make: Any) -> None:
    with pytest.raises(ConfigurationError, match="'token' is no secret"):
        make("")


@pytest.mark.parametrize("name", SENDERS)
async def test_the_same_version_again_is_no_deploy(name: str) -> None:
    receiver = Receiver(SENDERS[name], now=lambda: NOW)
    endpoint = {"name": "users", "verb": "GET", "resource": "/", "slo": 0.9, "window": 30}
    async with slomon.live([endpoint]) as monitor:
        for second in (31, 30, 29):
            text = dump(sample(name)).replace(b"22:11:31Z", b"22:11:%dZ" % second)
            assert receiver.report(monitor, prove(name, text), text)
    assert len(monitor.snapshot().totals.deploys) == 1
