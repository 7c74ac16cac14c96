"""`slomon replay` and `slomon report`: run a replay and write its answers."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO, TypeAlias

from slomon.cli.process import BROKEN, FAILED, FINE, WRONG
from slomon.cli.progress import open_bar
from slomon.cli.shared_arguments import check_page_wanted, choose_page, configure_logging
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.ticks import TICKS_PER_SECOND, to_seconds
from slomon.errors import OptionError
from slomon.files import OutputFile, write_lines
from slomon.log_replay.monitor import ReplayMonitor
from slomon.log_replay.replay import replay
from slomon.options import distinct_paths, list_options, naming_option, read_duration
from slomon.text import quote

if TYPE_CHECKING:
    from slomon.report.exports import Write


Writer: TypeAlias = Callable[[ReplayMonitor, OutputFile], object]

_IN_REPORT: Final = ("result.warning", "replay.finished")
"""Events whose content the report on a terminal shows as well."""


def _ignore(_: object) -> None:
    """The default of `show`."""


def run_replay(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Run `slomon replay`. Raises what `replay` raises, and OSError if an answer can't be written.
    Returns the exit code.
    """
    writers: dict[str, Writer] = {}
    check_page_wanted(arguments)
    if not arguments.output:
        files = {"report": arguments.report, "incidents": arguments.incidents}
        check_not_stdout(stdout, files)
    if arguments.report:
        writers["report"] = choose_page(arguments)
        arguments.sli_series = True
    writers["output"] = lambda monitor, file: file.save(_answer(monitor, arguments))

    has_report = stdout.isatty() and not arguments.json and not arguments.output

    def show(monitor: ReplayMonitor) -> None:
        if not arguments.output:
            lines = _answer(monitor, arguments)
            if has_report:
                lines = _show(monitor, _read_stale_after(arguments), stdout)
            write_lines(lines, stdout, "standard output")

    # The report and the logs are read in one place only if both go to a terminal.
    omit = _IN_REPORT if has_report and stderr.isatty() else ()
    return _run_and_write(arguments, stderr, writers, show, omit)


def run_report(arguments: argparse.Namespace, _: TextIO, stderr: TextIO) -> int:
    """
    Run `slomon report`. Raises what `replay` raises, and OSError if the page can't be written.
    Returns the exit code.
    """
    arguments.sli_series = True
    return _run_and_write(arguments, stderr, {"output": choose_page(arguments)})


def _run_and_write(
    arguments: argparse.Namespace,
    stderr: TextIO,
    writers: Mapping[str, Writer],
    show: Callable[[ReplayMonitor], object] = _ignore,
    omit: Container[str] = (),
) -> int:
    """
    Replay, write the files and show the answers. `writers` are those of the verb by the name of
    the option that gives the file; the writers of every verb are added. Events named in `omit` are
    not logged. Returns the exit code.
    """
    _check_outputs(arguments)
    writers = {**_choose_writers(arguments), **writers}
    with ExitStack() as files:
        outputs = {
            name: files.enter_context(OutputFile(path))
            for name in writers
            if (path := getattr(arguments, name))
        }
        monitor = _replay(arguments, stderr, omit)
        unwritten: OSError | None = None
        for name, output in outputs.items():
            try:
                writers[name](monitor, output)
            except OSError as error:  # write the others: the replay took long
                unwritten = unwritten or error
        show(monitor)
        if unwritten is not None:
            raise unwritten
    if checkpoint := vars(arguments).get("checkpoint"):
        # Imported only if there is one: it imports an event loop.
        from slomon.log_replay.checkpoint import remove_checkpoint  # noqa: PLC0415

        remove_checkpoint(checkpoint)
    return _exit_code(monitor, arguments)


def _choose_writers(arguments: argparse.Namespace) -> dict[str, Writer]:
    write = arguments.incidents and _choose_form(arguments.incidents)
    stale_after = _read_stale_after(arguments)

    def write_incidents(monitor: ReplayMonitor, file: OutputFile) -> None:
        file.fill(partial(write, monitor.records(stale_after=stale_after)))

    return {"incidents": write_incidents}


def _read_stale_after(arguments: argparse.Namespace) -> float:
    """The value of --stale-after in seconds."""
    return read_duration("stale_after", arguments.stale_after) / TICKS_PER_SECOND


def _choose_form(path: Path) -> Write:
    # Imported only if such a file is wanted: the import takes a few milliseconds.
    from slomon.report.exports import choose_form  # noqa: PLC0415

    with naming_option("incidents"):
        return choose_form(path)


def _check_outputs(arguments: argparse.Namespace) -> None:
    """Raises ConfigurationError if an output is also read, or two outputs are the same file."""
    options = vars(arguments)
    logs = chain(arguments.paths, options.get("changes", ()))
    outputs = ("rejects", "checkpoint", "output", "incidents", "report")
    endpoints = [options["endpoints"]] if "endpoints" in options else []
    distinct_paths({name: options.get(name) for name in outputs}, [*logs, *endpoints])


def _replay(arguments: argparse.Namespace, stderr: TextIO, omit: Container[str]) -> ReplayMonitor:
    declared = list_options(replay)
    options = {name: value for name, value in vars(arguments).items() if name in declared}
    bar = open_bar(stderr) if arguments.progress else None
    if bar is None:
        configure_logging(arguments.log_level, stderr, omit)
        return replay(**options, keep_checkpoint=True)
    with bar:
        configure_logging(arguments.log_level, bar.above, omit)
        return replay(**options, keep_checkpoint=True, on_progress=bar.show)


def _answer(monitor: ReplayMonitor, arguments: argparse.Namespace) -> Iterable[str]:
    if arguments.json:
        return [show_json(monitor, _read_stale_after(arguments))]
    return show_literals(monitor)


def _show(monitor: ReplayMonitor, stale_after: float, stdout: TextIO) -> Iterable[str]:
    # Imported only if a terminal shows the report, as above.
    from slomon.report.screen import open_screen  # noqa: PLC0415
    from slomon.report.terminal import show_report  # noqa: PLC0415

    screen = open_screen(stdout, os.environ)
    return show_report(monitor.summary(stale_after=stale_after), screen)


def _exit_code(monitor: ReplayMonitor, arguments: argparse.Namespace) -> int:
    if not monitor.complete:
        return FAILED
    if any(warning.certain for warning in monitor.warnings):
        return WRONG
    return BROKEN if arguments.fail_on and monitor.incidents else FINE


def show_literals(monitor: ServiceMonitor) -> Iterator[str]:
    """
    Lines for programs: the MTTR, the number of incidents of each API, and their details, each as a
    Python literal. Lines are ASCII, whatever the names in a log.
    """
    yield ascii(monitor.mttr())
    yield ascii(monitor.api_histogram())
    yield ascii(monitor.incident_details())


def show_json(monitor: ReplayMonitor, stale_after: float) -> str:
    """
    The outages, the three answers, the accounting and the warnings, as one JSON object, in ASCII.
    """
    answers = {
        "outages": _list_outages(monitor, stale_after),
        "mttr": monitor.mttr(),
        "api_histogram": monitor.api_histogram(),
        "incident_details": monitor.incident_details(),
        "accounting": {**asdict(monitor.accounting), "problems": monitor.problems},
        "warnings": [asdict(warning) for warning in monitor.warnings],
    }
    return json.dumps(answers)


def _list_outages(monitor: ReplayMonitor, stale_after: float) -> list[dict[str, object]]:
    if not monitor.incidents:
        return []
    # Imported only if there are incidents, as above.
    from slomon.report.outages import outage_documents  # noqa: PLC0415

    outages, ended = monitor.outages(stale_after=stale_after), monitor.totals.span.ended
    return list(outage_documents(outages, to_seconds(ended)))


def check_not_stdout(stdout: TextIO, outputs: Mapping[str, Path | None]) -> None:
    """Raises ConfigurationError if stdout is redirected to one of these outputs."""
    with suppress(OSError):  # stdout may be no file of the system, which has no descriptor
        printed = os.fstat(stdout.fileno())
        for name, path in outputs.items():
            if path is None or not path.exists() or path.samefile(os.devnull):
                continue
            if os.path.samestat(path.stat(), printed):
                raise OptionError(
                    [name],
                    f" is {quote(str(path))}, where the answers are printed; allowed: a file of "
                    "its own",
                )
