"""
Notifications of the incidents of a live monitor. Each receiver is an `async with` inside that of
the monitor. Without the extra `slomon[notify]`, importing this raises ConfigurationError.
"""

try:
    import httpx as _httpx  # noqa: F401 (an extra)
except ImportError:
    from slomon.errors import ConfigurationError

    raise ConfigurationError(
        "notifications are sent by httpx, which is not installed; needed: "
        "pip install 'slomon[notify]'"
    ) from None

from slomon.integrations.notify.alertmanager import Alertmanager
from slomon.integrations.notify.webhook import Webhook

__all__ = ["Alertmanager", "Webhook"]
