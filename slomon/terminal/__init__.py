"""A run as a person reads it on a terminal."""
