"""
Changes from the webhooks of deploys: of GitHub, of GitLab, and of any sender of CDEvents.

    receiver = Receiver(GitHub(secret), environment="production")

    change = receiver.read(request.headers, body)  # in a route of your service
    if change:
        monitor.change(**asdict(change))
"""

from slomon.errors import WebhookError
from slomon.integrations.deploy_hooks.providers import CDEvents, GitHub, GitLab
from slomon.integrations.deploy_hooks.receiver import Receiver

__all__ = ["CDEvents", "GitHub", "GitLab", "Receiver", "WebhookError"]
