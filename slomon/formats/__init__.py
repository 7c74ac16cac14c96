"""From a line of a log to an access: the formats, and how dates and durations are written."""
