"""Replays: logs of several hosts and their deploys, through the pipeline, to an answer."""
