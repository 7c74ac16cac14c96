"""The two ways to consume an event stream: `await consume(...)` and `get_service_monitor(...)`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from slomon.concurrency import run_on_own_loop
from slomon.core.endpoints import Sharding
from slomon.core.events import Rejection
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.statuses import StatusRule
from slomon.logging import LogListener
from slomon.options import (
    BackendName,
    Duration,
    check_backend,
    check_function,
    choose_rule,
    read_no_traffic,
)
from slomon.pipeline.run import DEFAULTS, Options, run
from slomon.pipeline.stream import EventStream, Listener
from slomon.pipeline.worker import BackendUpgrade


async def consume(
    event_stream: EventStream,
    *,
    workers: int = DEFAULTS.workers,
    queue_bound: int = DEFAULTS.queue_bound,
    batch_bound: int = DEFAULTS.batch_bound,
    strict: bool = DEFAULTS.strict,
    is_failure: StatusRule = DEFAULTS.is_failure,
    fail_status: str | None = None,
    close_after_no_traffic: Duration | None = None,
    on_rejected: Callable[[Rejection], object] | None = None,
    sli_series: bool = DEFAULTS.sli_series,
    backend: BackendName = "auto",
) -> ServiceMonitor:
    """
    Consume an event stream to its end, without blocking the event loop.

    * `workers`: the number of tasks that share the endpoints
    * `queue_bound`: at most this many batches wait for each worker
    * `batch_bound`: a batch holds at most this many events, and four times as many events may wait
      to be put in a batch. These three numbers bound the memory and do not change the answer
    * `strict`: stop at the first malformed event
    * `is_failure`: a function of a status: did a request with this status fail? None if there is no
      such status. It must always return the same for a status
    * `fail_status`: instead of `is_failure`, the statuses that fail, as in "5xx,429,400-404"; all
      others from 100 to 599 succeed
    * `close_after_no_traffic` (seconds, or text such as "10m"): expire an open incident when its
      endpoint has had no request for this long and its window is empty (default: never)
    * `on_rejected`: a function that is called with each malformed event, on the event loop's thread
    * `sli_series`: keep the SLI of each endpoint over time, for the summary
    * `backend`: "auto" switches to the compiled backend once a stream is long enough, if the extra
      `slomon[replay]` is installed; "compiled" uses it from the start; "python" never uses it

    Raises ConfigurationError if an endpoint or an option is wrong, and MalformedEventError at the
    first malformed event if `strict`. An exception of the stream or of a function that was passed
    is raised as it is. Before it raises, or is cancelled, it waits for a `generate_event()` that is
    running in a thread: give a call that may block for ever a timeout of its own.
    """
    check_function("is_failure", is_failure, "a status")
    options = Options(
        workers=workers,
        queue_bound=queue_bound,
        batch_bound=batch_bound,
        strict=strict,
        is_failure=choose_rule(is_failure, fail_status),
        sli_series=sli_series,
        no_traffic=read_no_traffic(close_after_no_traffic),
    )
    listeners: list[Listener] = [LogListener()]
    if on_rejected is not None:
        listeners.append(_RejectionHook(on_rejected))
    return await run(event_stream, options, listeners, _upgrade(backend))


def get_service_monitor(
    event_stream: EventStream,
    *,
    workers: int = DEFAULTS.workers,
    queue_bound: int = DEFAULTS.queue_bound,
    batch_bound: int = DEFAULTS.batch_bound,
    strict: bool = DEFAULTS.strict,
    is_failure: StatusRule = DEFAULTS.is_failure,
    fail_status: str | None = None,
    close_after_no_traffic: Duration | None = None,
    on_rejected: Callable[[Rejection], object] | None = None,
    sli_series: bool = DEFAULTS.sli_series,
    backend: BackendName = "auto",
) -> ServiceMonitor:
    """
    `consume` for callers that are not async. It runs an event loop of its own (uvloop if it is
    installed) until the stream ends.

    If an event loop is running in this thread, as in a notebook, the new loop runs in another
    thread, and this call blocks the running loop, Ctrl-C included. Inside a service, await
    `consume` instead.
    """
    call = partial(
        consume,
        event_stream,
        workers=workers,
        queue_bound=queue_bound,
        batch_bound=batch_bound,
        strict=strict,
        is_failure=is_failure,
        fail_status=fail_status,
        close_after_no_traffic=close_after_no_traffic,
        on_rejected=on_rejected,
        sli_series=sli_series,
        backend=backend,
    )
    return run_on_own_loop(call)


class _RejectionHook(Listener):
    def __init__(self, hook: Callable[[Rejection], object]) -> None:
        check_function("on_rejected", hook, "a Rejection")
        self._hook = hook

    def event_rejected(self, rejection: Rejection) -> None:
        self._hook(rejection)


def _upgrade(backend: BackendName) -> Callable[[Sharding, StatusRule], BackendUpgrade] | None:
    check_backend(backend)
    if backend == "python":
        return None
    # Imported only if it may be used, because it imports ctypes.
    from slomon.compiled.backend import CompiledUpgrade  # noqa: PLC0415

    return partial(CompiledUpgrade, at_once=backend == "compiled")
