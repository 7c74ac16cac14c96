"""`slomon report`: what `slomon replay` does, with a page as its answer."""

from __future__ import annotations

import argparse
from typing import TextIO

from slomon.command.page import choose_page
from slomon.command.replay import conduct


def run(arguments: argparse.Namespace, _: TextIO, stderr: TextIO) -> int:
    """Replay and write the page. Raises what `replay` does, and OSError where that can't be."""
    arguments.trace = True
    return conduct(arguments, stderr, {"output": choose_page(arguments)})
