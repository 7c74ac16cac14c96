"""
Senders in a Kubernetes cluster:

* Argo CD: its notifications, as a webhook whose body is the application
* Flux: the notification controller, as a provider of type `generic-hmac`
* Kubernetes: the events of its workloads, as an event exporter sends them

They report what runs, so the same version may be reported again: that is no deploy.
"""

from __future__ import annotations

import re
from typing import Final

from slomon.core.events import Change
from slomon.deploys.tools import SUCCESS, simplify
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
    read_secret,
)
from slomon.options import read_text

_ENVIRONMENTS: Final = ("environment", "env")
_FLUX_KINDS: Final = {"Kustomization", "HelmRelease"}
_FLUX_COMMIT: Final = re.compile(r"(?:\S*@sha1:|\S*/|sha1:)([0-9a-f]{40})")
_WORKLOADS: Final = {"Deployment", "StatefulSet", "DaemonSet"}
_ROLLOUTS: Final = {"ScalingReplicaSet", "SuccessfulCreate"}


class ArgoCD:
    """
    Argo CD's notifications. The body of the webhook's template is `{{toJson .app}}`, and its
    service has the header `Authorization: Bearer` with the token.

    The commit is the revision that was synchronized, the service is the application, the author is
    the person who started the operation, and the environment is the label `environment` or `env`.
    """

    def __init__(self, token: str) -> None:
        """Raises ConfigurationError if the token is empty."""
        self._verifier = _bearer(token)

    def check(self, headers: Headers, body: bytes, now: int) -> None:
        """Raises WebhookError (401) if the token is another one."""
        self._verifier.check(headers, body, now)

    def parse(self, body: bytes) -> Body:
        """The application."""
        return parse_object(body)

    def find_deployment(self, body: Body) -> Deployment | None:
        """The deployment, if the last operation of the application has succeeded."""
        if "metadata" not in body or "status" not in body:
            raise WebhookError(400, "the body is no application; allowed: that of {{toJson .app}}")
        operation = find_object(find_object(body, "status"), "operationState")
        if find_text(operation, "phase") != "Succeeded":
            return None
        metadata, result = find_object(body, "metadata"), find_object(operation, "syncResult")
        starter = find_object(find_object(operation, "operation"), "initiatedBy")
        change = Change(
            commit=find_text(result, "revision") or _join(result.get("revisions")),
            author=find_text(starter, "username"),
            date=find_text(operation, "finishedAt"),
            service=find_text(metadata, "name"),
        )
        return Deployment(change, _find_environments(metadata, "labels"), restated=True)


class Flux:
    """
    Flux's notification controller, with a provider of type `generic-hmac` and its token.

    The commit is the origin revision or the revision of a Kustomization or a HelmRelease, the
    service is its name, and there is no author. The environment is the entry `environment` or `env`
    of the alert's `eventMetadata`.
    """

    def __init__(self, token: str) -> None:
        """Raises ConfigurationError if the token is empty."""
        self._verifier = BodySignature("x-signature", read_secret("token", token).encode())

    def check(self, headers: Headers, body: bytes, now: int) -> None:
        """Raises WebhookError (401) if Flux didn't sign the body."""
        self._verifier.check(headers, body, now)

    def parse(self, body: bytes) -> Body:
        """The event."""
        return parse_object(body)

    def find_deployment(self, body: Body) -> Deployment | None:
        """The deployment, if the event is the success of a Kustomization or a HelmRelease."""
        involved = find_object(body, "involvedObject")
        has_succeeded = simplify(find_text(body, "reason")) in SUCCESS
        if find_text(involved, "kind") not in _FLUX_KINDS or not has_succeeded:
            return None
        # The controllers put the name of their group before each key.
        metadata = {
            str(name).rpartition("/")[2]: value
            for name, value in find_object(body, "metadata").items()
        }
        revision = find_text(metadata, "originRevision", "revision")
        found = _FLUX_COMMIT.fullmatch(revision)
        change = Change(
            commit=found[1] if found else revision,
            author="",
            date=find_text(body, "timestamp"),
            service=find_text(involved, "name"),
        )
        environments = _find_environments({"metadata": metadata}, "metadata")
        return Deployment(change, environments, restated=True)


class Kubernetes:
    """
    The events of Deployments, StatefulSets and DaemonSets that create pods, as
    kubernetes-event-exporter sends them to a webhook, with the header `Authorization: Bearer`.

    The commit is the workload's label `commit_label`, the service is its label `service_label`, or
    its name. There is no author. The environment is the label `environment` or `env`. Events of
    workloads without a commit are ignored.
    """

    def __init__(
        self,
        token: str,
        *,
        commit_label: str = "app.kubernetes.io/version",
        service_label: str = "app.kubernetes.io/name",
    ) -> None:
        """Raises ConfigurationError if an option is empty."""
        self._verifier = _bearer(token)
        self._commit = read_text("commit_label", commit_label)
        self._service = read_text("service_label", service_label)

    def check(self, headers: Headers, body: bytes, now: int) -> None:
        """Raises WebhookError (401) if the token is another one."""
        self._verifier.check(headers, body, now)

    def parse(self, body: bytes) -> Body:
        """The event."""
        return parse_object(body)

    def find_deployment(self, body: Body) -> Deployment | None:
        """The deployment, if the event is of a workload that creates pods of a version."""
        workload = find_object(body, "involvedObject")
        labels = find_object(workload, "labels")
        commit = find_text(labels, self._commit)
        is_rollout = find_text(body, "reason") in _ROLLOUTS
        if find_text(workload, "kind") not in _WORKLOADS or not is_rollout or not commit:
            return None
        change = Change(
            commit=commit,
            author="",
            date=find_text(body, "lastTimestamp", "eventTime", "firstTimestamp"),
            service=find_text(labels, self._service) or find_text(workload, "name"),
        )
        return Deployment(change, _find_environments(workload, "labels"), restated=True)


def _bearer(token: object) -> Token:
    return Token("authorization", read_secret("token", token), "bearer")


def _find_environments(part: Body, name: str) -> tuple[str, ...]:
    environment = find_text(find_object(part, name), *_ENVIRONMENTS)
    return (environment,) if environment else ()


def _join(revisions: object) -> str:
    """The revisions of an application with several sources."""
    texts = revisions if isinstance(revisions, list) else []
    return ", ".join(text for text in texts if isinstance(text, str) and text)
