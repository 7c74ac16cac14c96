"""`python -m slomon`: the command, also where it is not on the path."""

import sys

from slomon.command.start import run

if __name__ == "__main__":  # pragma: no branch
    sys.exit(run())
