"""An event stream that switches to the compiled backend: the same answer, and when it switches."""

from __future__ import annotations

import random
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon import ConfigurationError, Rejection, get_service_monitor
from slomon.compiled import backend, library
from slomon.compiled.backend import CompiledUpgrade
from slomon.core.endpoints import Catalogue, Sharding
from slomon.core.statuses import server_errors_fail
from slomon.options import BackendName
from tests.compiled.kernels import compiled_kernels
from tests.core.test_endpoints import entry
from tests.strategies import NO_TRAFFIC, random_stream, streams
from tests.strategies import Stream as Drawn
from tests.streams import KINDS, PlainStream, Stream
from tests.test_laws import answers, by_brute_force, whole_run_law


def compiled_report(stream: Stream, *, backend: BackendName, batch_bound: int = 10) -> str:
    rejections: list[Rejection] = []
    monitor = get_service_monitor(
        stream, batch_bound=batch_bound, on_rejected=rejections.append, backend=backend
    )
    return repr([monitor.incidents, asdict(monitor.accounting), rejections])


@pytest.mark.parametrize("kind", KINDS)
@whole_run_law
@given(streams(), st.integers(1, 30))
def test_a_stream_of_any_kind_gives_the_same_report_with_each_backend(
    kind: type[Stream], stream: Drawn, batch_bound: int
) -> None:
    plain = compiled_report(kind(*stream), backend="python", batch_bound=batch_bound)
    assert compiled_report(kind(*stream), backend="compiled", batch_bound=batch_bound) == plain


@pytest.mark.slow
def test_the_answer_of_the_compiled_backend_is_that_of_a_brute_force_count() -> None:
    for seed in range(50):
        rng = random.Random(seed)
        (events, entries), no_traffic = random_stream(rng, 300), rng.choice(NO_TRAFFIC)
        monitor = get_service_monitor(
            PlainStream(events, entries),
            backend="compiled",
            batch_bound=7,
            close_after_no_traffic=None if no_traffic is None else f"{no_traffic}ns",
        )
        assert answers(monitor) == by_brute_force(events, entries, no_traffic), seed


def make(endpoints: int = 0, *, at_once: bool = False) -> CompiledUpgrade:
    catalogue = Catalogue(entry(resource=f"/{number}") for number in range(endpoints))
    return CompiledUpgrade(Sharding(catalogue, 1), server_errors_fail, at_once=at_once)


def test_it_is_due_for_a_busy_stream_once_loading_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_loaded", [])
    assert make().is_due(25_000, busy=True)
    assert not make().is_due(25_000, busy=False)
    assert not make().is_due(24_999, busy=True)
    assert make(at_once=True).is_due(1, busy=False)


@pytest.mark.parametrize("endpoints", [1, 30])
def test_if_the_kernels_are_loaded_it_is_due_when_copying_the_windows_pays(endpoints: int) -> None:
    with compiled_kernels():
        upgrade = make(endpoints)
        assert not upgrade.is_due(endpoints - 1, busy=True)
        assert not upgrade.is_due(endpoints, busy=False)
        assert upgrade.is_due(endpoints, busy=True)


def test_if_nothing_is_compiled_yet_the_switch_waits_for_a_longer_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bool] = []

    def load(*, compile_if_needed: bool) -> None:
        asked.append(compile_if_needed)

    monkeypatch.setattr(library, "_loaded", [])
    monkeypatch.setattr(backend, "load", load)
    waiting = make()
    moments = [25_000, 25_001, 9_999_999, 10_000_000, 10_000_001, 10**12]
    for moment in moments:
        if waiting.is_due(moment, busy=True):
            assert waiting.load() is None

    assert asked == [False, True], "once to look, once to compile, then never again"


def test_without_the_extra_it_can_not_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "load", lambda **_: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'slomon\[replay\]'"):
        compiled_report(PlainStream(["no event"]), backend="compiled")
