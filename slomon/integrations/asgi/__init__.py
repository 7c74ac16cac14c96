"""slomon inside an ASGI service: `Middleware` tells a live monitor of each request."""

from slomon.integrations.asgi.middleware import Middleware, Route

__all__ = ["Middleware", "Route"]
