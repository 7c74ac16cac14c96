"""`slomon`: parses the command line, runs a verb, and turns errors into messages and exit codes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn, TextIO

from slomon.cli.process import FAILED, MISUSED
from slomon.cli.replay_arguments import add_replay, add_report, show_option
from slomon.errors import ConfigurationError, OptionError, SlomonError
from slomon.text import excerpt

_FIRST_STEPS: Final = """\
slomon reads access logs and deploys, and reports which commit broke which endpoint, and when.

  slomon demo                                           try it on the logs of an example day
  slomon replay access.log* --changes deploys.json      your own logs and deploys
  slomon report access.log* -o report.html              the same as a page, here without deploys
  slomon replay --help                                  all options\
"""


def main(argv: Sequence[str], stdout: TextIO, stderr: TextIO) -> int:
    """
    Run a verb and return the exit code: 0 success, 1 a runtime error, 2 wrong usage or
    configuration, or another code of the verb. Argparse raises SystemExit if the usage is wrong.
    Without arguments, print what to try and return 2: a script that lost its arguments has failed.
    """
    if not argv:
        print(_FIRST_STEPS, file=stderr)
        return MISUSED
    try:
        arguments, unknown = _parser(argv).parse_known_args(argv)
        if unknown:
            arguments.refuse(f"unrecognized arguments: {' '.join(unknown)}")
        code: int = arguments.run(arguments, stdout, stderr)
        return code
    except BrokenPipeError:
        raise
    except (SlomonError, OSError) as error:
        message = error.show(show_option) if isinstance(error, OptionError) else str(error)
        for line in f"error: {message}".split("\n"):
            print(excerpt(line, 2000), file=stderr)
        return MISUSED if isinstance(error, ConfigurationError) else FAILED


class _Parser(argparse.ArgumentParser):
    """Reports wrong usage in one line, without the usage, which is a page long."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSED, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def _add_demo(parser: argparse.ArgumentParser) -> None:
    # Imported only for this verb: the import takes some milliseconds.
    from slomon.cli.demo import add_demo  # noqa: PLC0415

    add_demo(parser)


_VERBS: Final[Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], None]]]] = {
    "demo": ("write the logs of an example day to a folder, and replay them", _add_demo),
    "replay": (
        "report what was broken when, from access logs and a history of deploys",
        add_replay,
    ),
    "report": (
        "write the same as a page: metrics, timeline, SLIs over time, incidents",
        add_report,
    ),
}
"""The help of each verb, and what adds its arguments to its parser."""


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of a command line. Only the verb in it has arguments: adding all takes longer."""
    parser: argparse.ArgumentParser = _Parser(
        prog="slomon",
        description="Report which commit broke which endpoint, when, which commit fixed it, and "
        "how long repair took.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for name, (summary, add_arguments) in _VERBS.items():
        verb = verbs.add_parser(
            name, help=summary, argument_default=argparse.SUPPRESS, allow_abbrev=False
        )
        if name in argv:
            add_arguments(verb)
    return parser


class _Version(argparse.Action):
    """Looks the version up only when it is shown: that takes longer than the rest of a start."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415 (see above)

        print("slomon", version("slomon"))
        parser.exit()
