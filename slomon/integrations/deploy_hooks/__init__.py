"""
Changes from the webhooks of deploys: of GitHub, GitLab, Argo CD, Flux, Kubernetes, of any sender of
CDEvents, and of senders of your own.

    receiver = Receiver(GitHub(secret))

    receiver.report(monitor, request.headers, body)  # in a route of your service
"""

from slomon.errors import WebhookError
from slomon.integrations.deploy_hooks.clusters import ArgoCD, Flux, Kubernetes
from slomon.integrations.deploy_hooks.providers import CDEvents, GitHub, GitLab
from slomon.integrations.deploy_hooks.receiver import Receiver
from slomon.integrations.deploy_hooks.sender import Deployment, Sender, parse_object
from slomon.integrations.deploy_hooks.signatures import BodySignature, Token

__all__ = [
    "ArgoCD",
    "BodySignature",
    "CDEvents",
    "Deployment",
    "Flux",
    "GitHub",
    "GitLab",
    "Kubernetes",
    "Receiver",
    "Sender",
    "Token",
    "WebhookError",
    "parse_object",
]
