"""
Incidents of a live monitor, told to those who are to know: each receiver is an `async with` beside
the monitor. Needs the extra `slomon[notify]`.
"""

try:
    import httpx as _httpx  # noqa: F401 (an extra)
except ImportError:
    raise ImportError(
        "notifications are sent by httpx, which is not installed; needed: "
        "pip install 'slomon[notify]'"
    ) from None

from slomon.notify.alertmanager import Alertmanager

__all__ = ["Alertmanager"]
