"""The two ways to consume a stream: `await consume(...)`, and `get_service_monitor(...)`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from slomon.concurrency import run_on_own_loop
from slomon.core.endpoints import Sharding
from slomon.core.events import Rejection, StatusRule
from slomon.core.service_monitor import ServiceMonitor
from slomon.logging import LogListener
from slomon.options import BackendName, Duration, check_backend, check_function, read_no_traffic
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
    close_after_no_traffic: Duration | None = None,
    on_rejected: Callable[[Rejection], object] | None = None,
    sli_series: bool = DEFAULTS.sli_series,
    backend: BackendName = "auto",
) -> ServiceMonitor:
    """
    Consume an event stream to its end, without ever blocking the event loop.

    The numbers bound memory and never change the answer: `workers` tasks share the endpoints,
    `queue_bound` batches may wait for each, a batch holds at most `batch_bound` events, and four
    times as many may wait to be put in one.
    `is_failure(status)` says whether a request with that status failed, None where there is no
    such status; its answer must not change. With `close_after_no_traffic` (seconds, or text such as
    "10m") an incident expires once its endpoint had no request for so long, and its window
    has emptied; by default never. `on_rejected` is called with every
    malformed event, on the loop's thread. With `sli_series` the summary has each endpoint's SLI
    over time. The `compiled` backend takes over by itself ("auto") once a
    stream is long enough, if the extra `slomon[replay]` is installed; "compiled" uses it from the
    start, "python" never.

    Raises ConfigurationError where an endpoint or an option is wrong, MalformedEventError at the
    first malformed event if `strict`, and whatever the stream or the hook raises, as it is. Such
    an end, like a cancellation, waits for a plain `generate_event()` under way: give one that may
    wait for ever a timeout of its own.
    """
    check_function("is_failure", is_failure, "a status")
    options = Options(
        workers=workers,
        queue_bound=queue_bound,
        batch_bound=batch_bound,
        strict=strict,
        is_failure=is_failure,
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
    close_after_no_traffic: Duration | None = None,
    on_rejected: Callable[[Rejection], object] | None = None,
    sli_series: bool = DEFAULTS.sli_series,
    backend: BackendName = "auto",
) -> ServiceMonitor:
    """
    `consume` for callers that are not async: runs an event loop of its own (uvloop where there is
    one) until the stream ends.

    Where a loop is already running in this thread, as in a notebook, the new one runs in a thread
    of its own and this call blocks the running loop, Ctrl-C included: inside a service, await
    `consume`.
    """
    call = partial(
        consume,
        event_stream,
        workers=workers,
        queue_bound=queue_bound,
        batch_bound=batch_bound,
        strict=strict,
        is_failure=is_failure,
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
    # Not for those who never need it: it brings ctypes, to begin with.
    from slomon.compiled.backend import CompiledUpgrade  # noqa: PLC0415

    return partial(CompiledUpgrade, at_once=backend == "compiled")
