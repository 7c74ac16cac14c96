from __future__ import annotations

from itertools import chain, repeat

import anyio
import pytest

from slomon import Malformed, MalformedEventError, Rejection, consume
from slomon.core.batching import Batch, Batcher
from slomon.core.endpoints import Catalogue, Sharding
from slomon.core.events import server_errors_fail
from slomon.pipeline.reader import Intake, Reader
from slomon.pipeline.worker import Fed
from tests.strategies import access_event
from tests.streams import ENTRIES, PlainStream, Stream, failure, success

any_cut = pytest.mark.parametrize("batch_bound", [1, 2, 3, 1000])
any_workers = pytest.mark.parametrize("workers", [1, 7])

BAD_STAMP = access_event("soon", "GET", "/api", "200")  # known by its text, but for the stamp
BAD_STATUS = access_event("4", "GET", "/web", "900")
OWN_VERDICT = Malformed("<binary>", "the broker says so")

STREAM = [success(1), success(2), BAD_STAMP, BAD_STATUS, failure(3), OWN_VERDICT]
REJECTIONS = [
    Rejection(
        2,
        "soon GET /api 200",
        "the timestamp is 'soon'; allowed: "
        "seconds since the epoch, a plain decimal of at most 9 places, before 2262",
    ),
    Rejection(
        3,
        "4 GET /web 900",
        "the status is '900'; allowed: one that the rule knows, by default 100 to 599",
    ),
    Rejection(5, "<binary>", "the broker says so"),
]


@any_cut
@any_workers
async def test_malformed_events_are_counted_and_told_in_stream_order(
    kind: type[Stream], batch_bound: int, workers: int
) -> None:
    told: list[Rejection] = []
    monitor = await consume(
        kind(STREAM), workers=workers, batch_bound=batch_bound, on_rejected=told.append
    )
    assert told == monitor.rejections == REJECTIONS
    assert (monitor.accounting.events, monitor.accounting.rejected) == (6, 3)


@any_cut
@any_workers
async def test_strict_mode_stops_at_the_first_malformed_event(
    kind: type[Stream], batch_bound: int, workers: int
) -> None:
    told: list[Rejection] = []
    stream = kind(chain(STREAM, repeat(BAD_STATUS)))
    with pytest.raises(MalformedEventError) as caught:
        await consume(
            stream, strict=True, workers=workers, batch_bound=batch_bound, on_rejected=told.append
        )
    error = caught.value
    assert Rejection(error.position, error.text, error.reason) == REJECTIONS[0]
    assert (error.__cause__, error.__context__) == (None, None)
    assert not told


@pytest.mark.parametrize("batch_bound", [7, 1000])
async def test_the_first_hundred_are_kept_with_their_text_shortened(batch_bound: int) -> None:
    told: list[Rejection] = []
    text = "x" * 5000
    monitor = await consume(
        PlainStream([{"type": "access", "value": text}] * 250),
        batch_bound=batch_bound,
        on_rejected=told.append,
    )
    assert monitor.accounting.rejected == len(told) == 250
    assert {rejection.text for rejection in told} == {text}
    assert [rejection.position for rejection in monitor.rejections] == list(range(100))
    assert {rejection.text for rejection in monitor.rejections} == {text[:1000]}


async def test_strict_mode_gives_the_text_as_it_arrived() -> None:
    text = "\x00" * 5000
    with pytest.raises(MalformedEventError) as caught:
        await consume(PlainStream([{"type": "access", "value": text}]), strict=True)
    assert caught.value.text == text


async def test_a_reader_whose_worker_has_gone_ends_quietly_and_closes_all_queues() -> None:
    intake = Intake(1000)
    intake.items += [f"{second} GET /{name} 200" for second in (1, 2) for name in ("api", "web")]
    intake.end()
    batcher = Batcher(Sharding(Catalogue(ENTRIES), 2), server_errors_fail)
    pairs = [anyio.create_memory_object_stream[Fed](9) for _ in range(2)]
    for _, receive in pairs:
        receive.close()
    queues = [queue for queue, _ in pairs]
    await Reader(intake, batcher, (), strict=False).read(queues)
    for queue in queues:
        with pytest.raises(anyio.ClosedResourceError):
            queue.send_nowait(Batch([], [], [], [], []))
    assert not intake.wanted
