"""slomon inside an ASGI service: `Middleware` reports each request to a live monitor."""

from slomon.integrations.asgi.middleware import Middleware, Route

__all__ = ["Middleware", "Route"]
