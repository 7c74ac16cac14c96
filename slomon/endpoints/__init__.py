"""The endpoints to watch: their configuration, their discovery in logs, and the routing to them."""
