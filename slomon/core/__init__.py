"""The pure machine: no I/O, clock, logging, randomness or async; the standard library alone."""
