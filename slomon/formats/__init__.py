"""The log formats: each parses a line of a log to an access."""
