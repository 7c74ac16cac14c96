"""The state of a run, saved to a file so that a later run can continue from it."""
