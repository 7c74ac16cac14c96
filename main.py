"""`python main.py`: run slomon on a simulated or a recorded event stream."""

import sys

from slomon.cli.simulate import run

if __name__ == "__main__":
    sys.exit(run())
