"""An event stream that switches to the compiled backend: the same answer, and when it switches."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon import ConfigurationError, Rejection, get_service_monitor
from slomon.compiled import backend, cache, compilation, library
from slomon.compiled.backend import CompiledUpgrade
from slomon.compiled.compilation import Compilation
from slomon.core.endpoints import Catalogue, Sharding
from slomon.core.statuses import server_errors_fail
from slomon.options import BackendName
from tests.compiled.kernels import compiled_kernels
from tests.core.test_endpoints import entry
from tests.strategies import NO_TRAFFIC, random_stream, streams
from tests.strategies import Stream as Drawn
from tests.streams import GUARD_SECONDS, KINDS, PlainStream, Stream, flapping
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


def play_until(enough: Callable[[int], bool]) -> PlainStream:
    """A stream that ends once `enough` of its events returns True."""
    until = monotonic() + GUARD_SECONDS

    def events() -> Iterator[object]:
        for sent, event in enumerate(flapping()):  # pragma: no branch (it never ends)
            if enough(sent) or monotonic() > until:
                return
            yield event

    return PlainStream(events())


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A file with the kernels, as a compilation writes them."""
    found = library.find_image(compile_if_needed=True)
    assert found is not None
    path = tmp_path / "image"
    path.write_bytes(found.pack())
    return path


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[Compilation]:
    """The compilations that were begun. Nothing is loaded or cached, and streams soon are long."""
    made: list[Compilation] = []

    class Noted(Compilation):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    monkeypatch.setattr(backend, "Compilation", Noted)
    monkeypatch.setattr(backend, "_WORTH_LOADING", 100)
    monkeypatch.setattr(backend, "_WORTH_COMPILING", 200)
    monkeypatch.setattr(library, "_loaded", [])
    monkeypatch.setattr(cache, "find_path", lambda: None)
    return made


def test_what_another_process_compiled_is_taken_over_while_the_stream_goes_on(
    image: Path, programs: list[Compilation], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = f"import sys; sys.stdout.buffer.write(open({str(image)!r}, 'rb').read())"
    monkeypatch.setattr(compilation, "_PROGRAM", program)
    stream = play_until(lambda sent: sent > 5000 and library.is_loaded())
    monitor = get_service_monitor(stream, batch_bound=10)
    assert library.is_loaded()
    assert len(programs) == 1
    again = play_until(lambda sent: sent == monitor.accounting.events)
    plain = get_service_monitor(again, backend="python")
    assert (monitor.incidents, monitor.accounting) == (plain.incidents, plain.accounting)


def test_a_compilation_ends_with_its_stream(
    programs: list[Compilation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "_PROGRAM", "import time; time.sleep(600)")
    get_service_monitor(play_until(lambda sent: sent == 1000), batch_bound=10)
    (only,) = programs
    assert only.has_ended()
    assert not library.is_loaded()


def test_if_a_compilation_fails_the_stream_goes_on_without_it(
    programs: list[Compilation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "_PROGRAM", "raise SystemExit(1)")

    def enough(sent: int) -> bool:
        return sent > 5000 and bool(programs) and programs[0].has_ended()

    monitor = get_service_monitor(play_until(enough), batch_bound=10)
    assert monitor.accounting.events > 5000
    assert len(programs) == 1
    assert not library.is_loaded()


def test_without_the_extra_it_can_not_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "load", lambda **_: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'slomon\[replay\]'"):
        compiled_report(PlainStream(["no event"]), backend="compiled")
