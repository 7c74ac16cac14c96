"""`slomon`: its verbs, and what becomes of errors."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn, TextIO

from slomon.cli.arguments import flag
from slomon.cli.process import FAILED, MISUSED
from slomon.cli.replay_arguments import add_replay, add_report
from slomon.errors import ConfigurationError, OptionError, SlomonError
from slomon.text import excerpt


def main(argv: Sequence[str], stdout: TextIO, stderr: TextIO) -> int:
    """
    Run a verb and return the exit code: 0 fine, 1 a runtime error, 2 wrong usage or configuration
    (SystemExit, from argparse, for the usage), and what the verb itself says.
    """
    try:
        arguments, unknown = _parser().parse_known_args(argv)
        if unknown:
            arguments.refuse(f"unrecognized arguments: {' '.join(unknown)}")
        code: int = arguments.run(arguments, stdout, stderr)
        return code
    except BrokenPipeError:
        raise
    except (SlomonError, OSError) as error:
        message = error.show(flag) if isinstance(error, OptionError) else str(error)
        for line in f"error: {message}".split("\n"):
            print(excerpt(line, 2000), file=stderr)
        return MISUSED if isinstance(error, ConfigurationError) else FAILED


class _Parser(argparse.ArgumentParser):
    """Tells what is wrong in one line, in front of which the usage would be a page."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSED, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _Parser(
        prog="slomon",
        description="Which commit broke which endpoint, when, which one fixed it, and how long "
        "repair takes.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    add_replay(verbs)
    add_report(verbs)
    return parser


class _Version(argparse.Action):
    """Asked for when wanted: to look it up takes longer than all else that starts."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415 (see above)

        print("slomon", version("slomon"))
        parser.exit()
