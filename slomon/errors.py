"""
The exceptions that slomon raises, by whose fault they are:

* SlomonError
  + ConfigurationError   the caller's fault: an endpoint entry or an option is wrong
    . OptionError        the same for options; the error has their names
  + MalformedEventError  the input's fault, in strict mode only: an event is malformed
  + MalformedLineError   the input's fault, in strict mode only: a line of a file is malformed
  + StateFileError       the environment's fault: a saved state is damaged or of another run
  + LeaderError          the environment's fault: the process that counts does not answer
  + WebhookError         the sender's fault: an HTTP request is not a valid webhook

Any other exception that reaches a caller was raised by the event stream, by a file or by a hook.
slomon passes it on unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slomon.text import quote


class SlomonError(Exception):
    """The base class of all exceptions that slomon itself raises."""


class ConfigurationError(SlomonError, ValueError):
    """
    An endpoint entry or an option is wrong. The message names it, its value and what is allowed.
    """


class OptionError(ConfigurationError):
    """
    One or more options are wrong.

    * `names`: the options' names as Python parameters
    * `fault`: the rest of the message, behind the names
    """

    def __init__(self, names: Sequence[str], fault: str) -> None:
        super().__init__(names, fault)
        self.names = names
        self.fault = fault

    def __str__(self) -> str:
        return self.show(str)

    def show(self, rename: Callable[[str], str]) -> str:
        """The whole message, with `rename(name)` for each name, such as a flag."""
        named = " and ".join(f"'{rename(name)}'" for name in self.names)
        return f"option{'s' * (len(self.names) > 1)} {named}{self.fault}"


class MalformedEventError(SlomonError):
    """
    The first malformed event in strict mode.

    * `position`: the event's number in the stream, from 0
    * `text`: the event itself if it is text, else its `repr`, cut to 1000 characters
    * `reason`: what is wrong with the event
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
    The first malformed line of a file in strict mode.

    * `file`: the file's name
    * `line`: the line's number, from 1
    * `text`: the line itself
    * `reason`: what is wrong with the line
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
    """
    A saved state is damaged or of another run. The message names the file, which stays unchanged.
    """


class LeaderError(SlomonError):
    """
    Several processes share a state, and the one that counts for all does not answer in time. The
    message names the file of the state.
    """


class WebhookError(SlomonError):
    """
    A webhook request is rejected.

    * `status`: the HTTP status to answer: 401 if the sender doesn't prove that it knows the
      secret, 413 if the body is too long, 400 if the request is malformed
    * `reason`: why; it contains no part of a secret
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return self.reason
