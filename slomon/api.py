"""The two ways to consume a stream: `await consume(...)`, and `get_service_monitor(...)`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from slomon.concurrency import run_on_own_loop
from slomon.core.endpoints import Sharding
from slomon.core.events import Rejection, StatusRule
from slomon.core.service_monitor import ServiceMonitor
from slomon.logging import LogListener
from slomon.options import Duration, check_choice, check_function, read_silence
from slomon.pipeline.run import DEFAULTS, Options, run
from slomon.pipeline.stream import EventStream, Listener
from slomon.pipeline.worker import Relief


async def consume(
    event_stream: EventStream,
    *,
    workers: int = DEFAULTS.workers,
    queue_bound: int = DEFAULTS.queue_bound,
    batch_bound: int = DEFAULTS.batch_bound,
    strict: bool = DEFAULTS.strict,
    is_failure: StatusRule = DEFAULTS.is_failure,
    close_after_silence: Duration | None = None,
    on_rejected: Callable[[Rejection], object] | None = None,
    trace: bool = DEFAULTS.trace,
    compiled: bool | None = None,
) -> ServiceMonitor:
    """
    Consume an event stream to its end, without ever blocking the event loop.

    The numbers bound memory and never change the answer: `workers` tasks share the endpoints,
    `queue_bound` batches may wait for each, a batch holds at most `batch_bound` events, and four
    times as many may wait to be put in one.
    `is_failure(status)` says whether a request with that status failed, None where there is no
    such status; its answer must not change. With `close_after_silence` (seconds, or text such as
    "10m") an incident ends as silent once its endpoint had no request for so long, and its window
    has emptied; by default never. `on_rejected` is called with every
    malformed event, on the loop's thread. With `trace` the summary has how each endpoint's SLI went
    over time. `compiled` kernels take over by themselves once a stream
    is long enough, if the extra `slomon[replay]` is installed: always if True, never if False.

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
        trace=trace,
        silence=read_silence(close_after_silence),
    )
    listeners: list[Listener] = [LogListener()]
    if on_rejected is not None:
        listeners.append(_RejectionHook(on_rejected))
    return await run(event_stream, options, listeners, _relief(compiled=compiled))


def get_service_monitor(
    event_stream: EventStream,
    *,
    workers: int = DEFAULTS.workers,
    queue_bound: int = DEFAULTS.queue_bound,
    batch_bound: int = DEFAULTS.batch_bound,
    strict: bool = DEFAULTS.strict,
    is_failure: StatusRule = DEFAULTS.is_failure,
    close_after_silence: Duration | None = None,
    on_rejected: Callable[[Rejection], object] | None = None,
    trace: bool = DEFAULTS.trace,
    compiled: bool | None = None,
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
        close_after_silence=close_after_silence,
        on_rejected=on_rejected,
        trace=trace,
        compiled=compiled,
    )
    return run_on_own_loop(call)


class _RejectionHook(Listener):
    def __init__(self, hook: Callable[[Rejection], object]) -> None:
        check_function("on_rejected", hook, "a Rejection")
        self._hook = hook

    def event_rejected(self, rejection: Rejection) -> None:
        self._hook(rejection)


def _relief(*, compiled: bool | None) -> Callable[[Sharding, StatusRule], Relief] | None:
    check_choice("compiled", compiled, [None, True, False])
    if compiled is False:
        return None
    # Not for those who never need it: it brings ctypes, to begin with.
    from slomon.compiled.backend import CompiledRelief  # noqa: PLC0415

    return partial(CompiledRelief, at_once=compiled is True)
