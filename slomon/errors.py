"""
What slomon raises, split by whose fault it is:

* SlomonError
  + ConfigurationError   the caller's: an endpoint entry or an option is wrong
    . OptionError        an option, which knows its name
  + MalformedEventError  the data's: an event can't be read, and strict mode was asked for
  + MalformedLineError   the data's: a line of a file can't be, and strict mode was asked for
  + StateFileError       the world's: a saved state is damaged, or of something else
  + WebhookError         the sender's: a request that is no webhook of the source's

Everything else that reaches a caller is an exception of the event stream, of a file or of a hook,
as it was raised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slomon.text import quote


class SlomonError(Exception):
    """Whatever slomon itself raises."""


class ConfigurationError(SlomonError, ValueError):
    """An entry or an option is wrong; the text names it, its value and what is allowed."""


class OptionError(ConfigurationError):
    """
    Options are wrong: the `names` that they have as parameters, and the `fault`. `show` tells it
    by other names, such as the flags of a command.
    """

    def __init__(self, names: Sequence[str], fault: str) -> None:
        super().__init__(names, fault)
        self.names = names
        self.fault = fault

    def __str__(self) -> str:
        return self.show(str)

    def show(self, rename: Callable[[str], str]) -> str:
        """The whole message, with each name as `rename` gives it."""
        named = " and ".join(f"'{rename(name)}'" for name in self.names)
        return f"option{'s' * (len(self.names) > 1)} {named}{self.fault}"


class MalformedEventError(SlomonError):
    """
    In strict mode, the first event that can't be read.

    `position` counts the stream's events from 0, `text` is the event's own (or what Python shows
    of an event that is no text, at most 1000 characters) and `reason` says what is wrong with it.
    """

    def __init__(self, position: int, text: str, reason: str) -> None:
        super().__init__(f"event at position {position}: {reason}")
        self.position = position
        self.text = text
        self.reason = reason

    def __reduce__(self) -> tuple[type[MalformedEventError], tuple[int, str, str]]:
        return type(self), (self.position, self.text, self.reason)


class MalformedLineError(SlomonError):
    """
    In strict mode, the first line of a file that can't be read: `line` counts the file's lines
    from 1, `text` is the line and `reason` says what is wrong with it.
    """

    def __init__(self, file: str, line: int, text: str, reason: str) -> None:
        super().__init__(f"{file}, line {line}: {reason}: {quote(text)}")
        self.file = file
        self.line = line
        self.text = text
        self.reason = reason

    def __reduce__(self) -> tuple[type[MalformedLineError], tuple[str, int, str, str]]:
        return type(self), (self.file, self.line, self.text, self.reason)


class StateFileError(SlomonError):
    """A saved state is damaged or of something else; the text names it. It is left as it is."""


class WebhookError(SlomonError):
    """
    A request is refused: `status` is the one to answer, 401 (its sender didn't prove that it knows
    the secret), 413 (it is too long) or 400 (it can't be read). The text says why, and nothing of a
    secret.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return self.reason
