"""`slomon demo`: writes the logs of an example day, and replays them as a user would."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from slomon.cli.replay import run_replay
from slomon.cli.replay_arguments import add_replay
from slomon.cli.shared_arguments import add_log_level, parse_path
from slomon.errors import ConfigurationError
from slomon.files import AtomicFile, write_lines
from slomon.text import quote

if TYPE_CHECKING:
    from slomon.example_logs import ExampleDay


_FOLDER: Final = "slomon-demo"
_REPORT: Final = "report.html"
_OPTIONS: Final = "--slo 95% --window 10m --min-requests 20"
_OWN: Final = "slomon replay /var/log/nginx/access.log* --changes deploys.json --report report.html"
_LONGEST_LINE: Final = 100_000  # characters; a path has a few thousand at most
_SHORT: Final = 8  # characters of a commit, as in the report


def add_demo(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of `slomon demo` to its parser."""
    parser.description = (
        "Write a day of access logs of two servers, rotated and compressed, and a history of "
        "deploys to a folder (6 MB). Replay them, print the report, and write it as a page. What "
        "happened on that day is printed first, so that you can compare."
    )
    parser.epilog = "Exit codes are those of slomon replay."
    parser.set_defaults(run=run_demo, refuse=parser.error)
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        nargs="?",
        type=parse_path,
        default=Path(_FOLDER),
        help="a folder that is new, empty, or written by slomon demo with the same seed (default: "
        "%(default)s)",
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=int,
        default=1337,
        help="the same seed gives the same day (default: %(default)s)",
    )
    add_log_level(parser)


def run_demo(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Run `slomon demo`. Raises ConfigurationError if the folder has files of others, OSError if a
    file can't be written. Returns the exit code of the replay.
    """
    # Imported only for this verb: the imports take some milliseconds.
    from slomon.example_logs import make_day  # noqa: PLC0415
    from slomon.report.screen import open_screen  # noqa: PLC0415

    folder: Path = arguments.folder
    day = make_day(arguments.seed)
    _write_day(folder, day.files)
    command = _list_arguments(folder)
    screen = open_screen(stdout, os.environ)

    def show(lines: Iterator[str]) -> None:
        cleaned = (screen.clean(line, _LONGEST_LINE) for line in lines)
        write_lines(cleaned, stdout, "standard output")

    show(_introduce(folder, day, command))
    code = _replay([*command, "--log-level", arguments.log_level], stdout, stderr)
    show(_conclude(folder))
    return code


def _write_day(folder: Path, files: Mapping[str, bytes]) -> None:
    _check_folder(folder, files)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with AtomicFile(path) as file:
                file.write(content)
                file.commit()


def _check_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Raises ConfigurationError if the folder is a file, or anything in it isn't the demo's."""
    allowed = "allowed: a folder that is new, empty, or written by slomon demo with the same seed"
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{quote(str(folder))} is a file; {allowed}")
    contents = {folder / name: content for name, content in files.items()}
    folders = {path.parent for path in contents}
    for path in folder.rglob("*"):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue  # a replay reads no hidden files, and neither are any written
        own = path in folders or (path in contents and path.read_bytes() == contents[path])
        # The page is the demo's if everything that it was made from is.
        if not own and (path != folder / _REPORT or not all(map(Path.exists, contents))):
            raise ConfigurationError(f"{quote(str(path))} was not written by this demo; {allowed}")


def _list_arguments(folder: Path) -> list[str]:
    def show(name: str) -> str:
        path = str(folder / name)
        return f".{os.sep}{path}" if path.startswith("-") else path

    inputs = [show("web-1"), show("web-2"), "--changes", show("deploys.json")]
    return [*inputs, *_OPTIONS.split(), "--report", show(_REPORT)]


def _introduce(folder: Path, day: ExampleDay, command: list[str]) -> Iterator[str]:
    size = sum(map(len, day.files.values())) / 1_000_000
    yield f"{folder} has {size:.1f} MB of logs: a day of two web servers behind a load balancer,"
    yield "rotated and compressed. It also has the deploys of that day, as GitHub lists them."
    yield "What happened (UTC):"
    for fault in day.faults:
        start, end = (f"{datetime.fromtimestamp(at, UTC):%H:%M}" for at in (fault.start, fault.end))
        what = f"  {start} to {end}  {fault.endpoint} fails: "
        if fault.broken_by:
            bad, fix = fault.broken_by[:_SHORT], fault.fixed_by[:_SHORT]
            yield f"{what}{bad} broke it, {fix} fixed it"
        else:
            yield f"{what}no deploy is to blame"
    yield ""
    yield f"  slomon replay {shlex.join(command)}"
    yield ""


def _replay(command: list[str], stdout: TextIO, stderr: TextIO) -> int:
    parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
    add_replay(parser)
    return run_replay(parser.parse_args(command), stdout, stderr)


def _conclude(folder: Path) -> Iterator[str]:
    yield ""
    yield f"The report as a page is {folder / _REPORT}"
    yield "On your own logs and deploys:"
    yield ""
    yield f"  {_OWN}"
