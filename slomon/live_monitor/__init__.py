"""slomon inside a running service: the live monitor, its buffer, history, state and subscribers."""
