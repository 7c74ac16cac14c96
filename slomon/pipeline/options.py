"""How a run is set up; what it answers depends on `is_failure`, `silence` and `trace` alone."""

from __future__ import annotations

from dataclasses import dataclass

from slomon.core.event import StatusRule, server_errors_fail
from slomon.errors import ConfigurationError
from slomon.text import quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    * `workers`: how many tasks share the endpoints among them;
    * `queue_bound`: how many batches may wait for each worker;
    * `batch_bound`: how many events a batch may hold; four times as many may wait to be put in one;
    * `strict`: stop at the first malformed event with a MalformedEventError;
    * `is_failure`: did a request with this status fail? None where there is no such status. Its
      answer must not change;
    * `silence`: after how many ticks without a request an incident ends; None where none does;
    * `trace`: is the SLI of each endpoint traced?

    Raises ConfigurationError where a value is not allowed.
    """

    workers: int = 2
    queue_bound: int = 8
    batch_bound: int = 1024
    strict: bool = False
    is_failure: StatusRule = server_errors_fail
    trace: bool = False
    silence: int | None = None

    def __post_init__(self) -> None:
        for name, most in (("workers", 1024), ("queue_bound", 2**20), ("batch_bound", 2**20)):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= most:
                raise ConfigurationError(
                    f"option '{name}' is {quote(value)}; allowed: a whole number from 1 to {most}"
                )
        for name in ("strict", "trace"):
            value = getattr(self, name)
            if type(value) is not bool:
                raise ConfigurationError(
                    f"option '{name}' is {quote(value)}; allowed: True and False"
                )


DEFAULTS = Options()
