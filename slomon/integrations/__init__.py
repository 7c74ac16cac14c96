"""Integrations with other programs. Each is optional and imported on its own."""
