"""The trials of `scripts/torture.py`: each uses slomon from outside, as a user would."""
