"""
The first requests of the logs, read before a replay: what is learnt of them holds for the whole
replay. So it does not depend on how the reading is cut into blocks, on the workers, on the order of
the logs, or on whether a log is a file or a pipe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from slomon.endpoints.discovery import EndpointNames, FoundEndpoints
from slomon.endpoints.templates import Template, compile_templates, learn_templates, split_path
from slomon.kernels.swar import PADDING
from slomon.log_replay.backend import Backend
from slomon.log_replay.lines import Block, Log, ReferenceParser
from slomon.log_replay.plan import Plan
from slomon.log_replay.requests import KnownRequests
from slomon.sources.source import Source, open_source

_LINES: Final = 5_000
_BYTES: Final = 2 << 20
_LOGS: Final = 20
_FIRST: Final = 500  # lines that are looked at first
_FEW_PATHS: Final = 20
_STEP: Final = 1 << 16  # bytes


class PathGroups:
    """
    The path templates of a run. They are known before the first request gets its endpoint;
    `templates` is None until then. `on_known` is called with them.
    """

    def __init__(
        self,
        plan: Plan,
        backend: Backend,
        names: EndpointNames,
        on_known: Callable[[Sequence[Template]], None],
    ) -> None:
        self.templates: Sequence[Template] | None = None
        self._plan = plan
        self._backend = backend
        self._names = names
        self._on_known = on_known

    def use(self, templates: Sequence[Template]) -> None:
        """Group the paths of the run by these templates."""
        self.templates = templates
        self._names.templates = compile_templates(templates)
        self._on_known(templates)

    def learn(self, log: Log, source: Source) -> None:
        """
        Learn the templates from the only log, at whose beginning `source` stands, unless they are
        known.
        """
        if self.templates is None:
            sample = _Sample(self._plan, self._backend)
            sample.add(log, source, 1)
            self.use(sample.learn())

    def learn_from_files(self, logs: Mapping[str, Log]) -> None:
        """
        Learn the templates from the logs at these paths, an equal share from each of the first 20.
        A log that can't be read has no requests here: it is reported when it is read.
        """
        sample = _Sample(self._plan, self._backend)
        paths = sorted(logs)[:_LOGS]
        for path in paths:
            try:
                with open_source(path, self._plan.max_line) as source:
                    sample.add(logs[path], source, len(paths))
            except OSError:
                continue
        self.use(sample.learn())


class _Sample:
    """
    The requests in the first 5,000 lines of the logs, within 2 MiB. They are read as the replay
    reads them, but into a table of their own, without templates.
    """

    def __init__(self, plan: Plan, backend: Backend) -> None:
        order, self._names = backend.order(2, 1, _LINES)
        found = FoundEndpoints(self._names, plan.defaults, plan.service_from)
        self._requests = KnownRequests(plan, found)
        self._resolver = backend.reader(ReferenceParser(order, _ignore), plan.is_failure)
        self._counts: Counter[int] = Counter()  # of the requests, by the codes of their rows

    def add(self, log: Log, source: Source, logs: int) -> None:
        """Add the first lines of one of `logs` logs. `source` is not read, only looked at."""
        lines, size = _LINES // logs, _BYTES // logs
        if lines > _FIRST:
            # Most logs of programs have few paths: nothing is learnt from more of their requests.
            counts = self._count(log, _peek_lines(source, _FIRST, _BYTES // 10))
            if len({split_path(self._names.text(code >> 1)) for code in counts}) < _FEW_PATHS:
                self._counts += counts
                return
        self._counts += self._count(log, _peek_lines(source, lines, size))

    def learn(self) -> list[Template]:
        """The templates of the sample."""
        counts = self._counts.items()
        return learn_templates(
            {(self._names.text(code >> 1), bool(code & 1)): count for code, count in counts}
        )

    def _count(self, log: Log, text: bytes) -> Counter[int]:
        block = Block(bytearray(text) + bytes(PADDING), length=len(text))
        requests = self._requests(match_exactly=log.match_exactly, log=log.name)
        block.log = replace(log, requests=requests)  # whose format these lines may switch
        counts: Counter[int] = Counter()
        while block.at < block.length:
            self._resolver.scan(block)
            self._resolver.resolve(block)
            counts.update(block.codes[: block.rows])
            block.advance()
        return Counter({code: count for code, count in counts.items() if code >= 0})


def _peek_lines(source: Source, lines: int, size: int) -> bytes:
    """The first lines of a source, as many of them as `size` bytes hold whole."""
    least = min(_STEP, size)
    text = source.peek(least)
    while least < size and least <= len(text) and text.count(b"\n") < lines:
        least = min(2 * least, size)
        text = source.peek(least)
    if len(text) < size and text[-1:] not in (b"", b"\n"):
        text += b"\n"  # the last line needs no line end
    whole = text[: text.rfind(b"\n", 0, size) + 1]
    return b"".join(line + b"\n" for line in whole.split(b"\n", lines)[:lines] if line)


def _ignore(_: object) -> None:
    """Malformed lines are reported when they are read for the replay."""
