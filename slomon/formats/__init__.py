"""The log formats: from a line of a log to an access."""
