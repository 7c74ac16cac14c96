"""`python main.py`: slomon on a simulated stream, or on a recorded one."""

import sys

from slomon.cli.simulate import run

if __name__ == "__main__":
    sys.exit(run())
