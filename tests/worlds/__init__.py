"""Worlds with known causes: what broke and repaired each endpoint, and the events of it."""
