"""The formats of log lines: each parses a line to an access."""
