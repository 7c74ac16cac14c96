"""The state of a run, saved so that another one can go on with it."""
