"""From files to rows: logs of any common format, the deploys beside them, and what is watched."""
