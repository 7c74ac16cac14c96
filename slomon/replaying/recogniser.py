"""Which format a log is in, and who knows its requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from slomon.core.excerpt import quote
from slomon.endpoints.requests import Requests
from slomon.errors import ConfigurationError
from slomon.formats.format import Format, detect
from slomon.replaying.log import Log, find_prefix

_LOOKED_AT: Final = 100  # lines


class KnowRequests(Protocol):
    """Gives who knows the requests whose targets are compared exactly, or as templates say."""

    def __call__(self, *, exact: bool) -> Requests: ...


class Recogniser:
    """
    Makes a Log of a file's first lines, by the one format that was forced or the best of several.
    `requests` gives who knows the requests, compared exactly or not; recorded streams are exact
    unless `exact` says what all are.
    """

    def __init__(
        self,
        formats: Sequence[Format],
        requests: KnowRequests,
        on_recognised: Callable[[Log], None],
        *,
        exact: bool | None = None,
    ) -> None:
        self._formats = formats
        self._requests = requests
        self._on_recognised = on_recognised
        self._exact = exact

    def __call__(self, name: str, head: bytes, before: Log | None) -> Log:
        """
        The log of that name; a host's further logs may be in the format of the one before.

        Raises ConfigurationError where no format reads at least half of the lines.
        """
        lines = head.decode("utf-8", "backslashreplace").splitlines()[:_LOOKED_AT]
        written = [line for line in lines if line.strip()]
        found = self._formats[0] if len(self._formats) == 1 else detect(written, self._formats)
        if found is None and before is not None:
            found = before.format
        if found is None and written:
            raise ConfigurationError(self._unknown(name, written[0]))
        form = found or self._formats[0]
        exact = form.ordered if self._exact is None else self._exact
        prefix = find_prefix(head) if form.ordered else b""
        log = Log(name, form, self._requests(exact=exact), exact, prefix, bool(written))
        if written:
            self._on_recognised(log)
        return log

    def remake(self, name: str, form: str, *, exact: bool) -> Log:
        """A log that was recognised before."""
        found = next(known for known in self._formats if known.name == form)
        return Log(name, found, self._requests(exact=exact), exact)

    def _unknown(self, name: str, line: str) -> str:
        names = ", ".join(form.name for form in self._formats)
        return (
            f"{name}: no format reads its first lines, as {quote(line)}; allowed: {names}, or one "
            "of your own by a regular expression or by the keys of JSON lines"
        )
