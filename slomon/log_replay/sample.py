"""
The first requests of the logs, read before a replay: what is learnt of them holds for the whole
replay, so it does not depend on how the reading is cut into blocks, on the workers, or on the order
in which the logs are named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Final

from slomon.core.events import Access
from slomon.endpoints.discovery import EndpointNames, FoundRequests
from slomon.endpoints.templates import Template, compile_templates, learn_templates, split_path
from slomon.errors import ConfigurationError
from slomon.formats.format import read_lines
from slomon.kernels.route import LONGEST
from slomon.log_replay.detect import read_head
from slomon.log_replay.files import is_file
from slomon.log_replay.lines import Log
from slomon.log_replay.survey import Recognise
from slomon.sources.source import Source, open_source

_REQUESTS: Final = 5_000
_BYTES: Final = 2 << 20
_LOGS: Final = 20
_FIRST: Final = 500  # requests that are looked at first
_FEW_PATHS: Final = 20


def sample_templates(
    paths: Iterable[str],
    recognise: Recognise,
    max_line: int,
    known: Mapping[str, Log] = MappingProxyType({}),
) -> list[Template]:
    """
    The path templates of the logs that are files: of their first 5,000 requests, an equal share of
    each log, within 2 MiB. A log that can't be read has no requests here. The logs in `known`, by
    path, are recognised already.
    """
    files = sorted(filter(is_file, paths))[:_LOGS]
    requests: list[tuple[bytes, bool]] = []
    for path in files:
        try:
            with open_source(path, max_line) as source:
                log = known.get(path) or recognise(source.name, read_head(source, recognise.needed))
                requests += _sample_log(source, log, 1 / len(files))
        except (OSError, ConfigurationError):
            continue  # reported when the log is read
    return learn_templates(requests)


def _sample_log(source: Source, log: Log, share: float) -> list[tuple[bytes, bool]]:
    most, size = int(_REQUESTS * share), int(_BYTES * share)
    if most > _FIRST:
        # Most logs of programs have few paths: nothing is learnt from more of their requests.
        lines = _peek_lines(source, _BYTES // 10)
        first = list(islice(_list_requests(log, lines), _FIRST))
        if len({split_path(request) for request, _ in first}) < _FEW_PATHS:
            return first
    return list(islice(_list_requests(log, _peek_lines(source, size)), most))


class PathGroups:
    """
    The path templates of a run. They are known before the first request gets its endpoint;
    `templates` is None until then.
    """

    def __init__(
        self, names: EndpointNames, on_known: Callable[[Sequence[Template]], None]
    ) -> None:
        self.templates: Sequence[Template] | None = None
        self._names = names
        self._on_known = on_known

    def use(self, templates: Sequence[Template]) -> None:
        """Group the paths of the run by these templates."""
        self.templates = templates
        self._names.templates = compile_templates(templates)
        self._on_known(templates)

    def learn_from_head(self, log: Log, head: bytes) -> None:
        """Learn the templates from the first lines of a log that can't be opened twice."""
        if self.templates is None:
            self.use(learn_templates(_list_requests(log, head.split(b"\n")), is_small=True))


def _peek_lines(source: Source, size: int) -> list[bytes]:
    text = source.peek(size)
    if len(text) > size:
        text = text[: text.rfind(b"\n", 0, size) + 1]
    return text.split(b"\n")


def _list_requests(log: Log, lines: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The requests of lines to endpoints that are found, and whether each failed."""
    form, requests = log.format, log.requests
    if not isinstance(requests, FoundRequests):
        return
    texts = (line.decode("utf-8", "backslashreplace").removesuffix("\r") for line in lines)
    for read in read_lines(form, texts):
        if isinstance(read, Access):
            request = requests.name(read.verb, read.resource, read.host)
            if len(request) <= LONGEST:
                yield request, read.failed
