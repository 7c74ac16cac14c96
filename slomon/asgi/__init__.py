"""slomon inside an ASGI service: `Middleware` tells a live monitor of each request."""

from slomon.asgi.counter import Route
from slomon.asgi.middleware import Middleware

__all__ = ["Middleware", "Route"]
