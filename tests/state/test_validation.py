"""A state with the right digest and a wrong number is refused, or the answer is the right one."""

from __future__ import annotations

import faulthandler
import json
import random
from array import array
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pytest

from slomon.core.ticks import TICKS_PER_SECOND
from slomon.errors import StateFileError
from slomon.live_monitor.engine import Engine
from slomon.log_replay.backend import Backend
from slomon.log_replay.checkpoint import SavedState
from slomon.log_replay.plan import Plan
from slomon.state.file import Section, read_state, write_state
from tests.live_monitor.services import access, answers, change, make_engine, read
from tests.log_replay.test_resume import (
    EXPIRED,
    FOUND,
    GIVEN,
    LIMITED,
    Fragile,
    Killed,
    backends,
    plan_logs,
    report,
)

Sections = Mapping[str, Section]

_NUMBERS: Final = (-1, 0, 1, 2**31, 2**62, 2**63 - 1, -(2**63))
_FLOATS: Final = (-1.0, 0.0, 0.5, 2.0, float("nan"), float("inf"))
_JSON: Final[tuple[object, ...]] = (-1, 2**70, None, "x", [], 0.5)
_HANG_SECONDS: Final = 120

POSSIBLE: Final = {
    # Times and positions between their neighbours, and counts that are noted nowhere else.
    "entry_tick": "another time, between those of the neighbours",
    "excess": "another excess, from 0 to what all failures make",
    "surge": "another surge, not above the excess",
    "relief": "another relief, from 0 to what all requests make",
    "onset_tick": "another onset, not after the last failure",
    "onset_requests": "other requests at the onset, not above those of now",
    "surge_tick": "another onset, not after the last failure",
    "surge_requests": "other requests at the onset, not above those of now",
    "last_failure_requests": "other requests at the last failure, not above those of now",
    "recovery_tick": "another recovery, not after the last failure",
    "past_failures": "more or fewer failures before the window",
    "min_sli_requests": "another lowest window, with an SLI below the SLO",
    "min_sli_failures": "another lowest window, with an SLI below the SLO",
    "min_sli_tick": "another time of the lowest window",
    "late": "more or fewer late accesses",
    "marks": "other totals at a change, not above those of now",
    "series past_failures": "failures in the present bucket or before it",
    "series current_min_sli": "another SLI from 0 to 1",
    "series bucket_index": "another bucket, not before the last one of its endpoint",
    "series bucket_slot": "never alone: the sums are wrong then",
    "series bucket_min_sli": "another SLI from 0 to 1",
    "rows": "another outcome, endpoint or time of a waiting row",
    "names' texts": "another name",
    "names' capped": "fewer or more accesses to endpoints that were not admitted",
    "clocks": "more or later disordered rows, or the time of a source without lateness",
    "counts": "the number of events that are missing",
    "came in": "the time until which a source was watched",
    "span": "another first access",
    "deploys": "another time of a change",
    "changes on their way": "the number of a change",
    "logs": "the number of a line, which only messages name",
    "incidents": "another time or count of an incident",
    "open": "another time or count of an incident",
}
"""Sections in which a number can't be told from another possible one, and what it may say then."""


def is_possible(name: str) -> bool:
    """May a number in this section be wrong without a contradiction to all others?"""
    _, _, column = name.rpartition("shard 0 ")
    return column.removeprefix("shard 1 ") in POSSIBLE


def mutations(rng: random.Random, sections: Sections, each: int) -> Iterator[tuple[str, Sections]]:
    """For each section `each` copies of all sections in which one number of it is another one."""
    for name, section in sections.items():
        for _ in range(each):
            if isinstance(section, array) and section:
                changed: Any = section[:]
                place = rng.randrange(len(section))
                old = section[place]
                if section.typecode == "d":
                    value: Any = rng.choice(_FLOATS)
                elif section.typecode == "B":
                    value = rng.choice((0, 1, 2, 255))
                else:
                    near = section[place - 1], min(old + 1, 2**63 - 1)
                    value = rng.choice((*_NUMBERS, *near))
            else:
                changed = deepcopy(section)
                paths = list(find_numbers(section))
                if not paths:
                    break
                *outer, place = rng.choice(paths)
                holder = changed
                for key in outer:
                    holder = holder[key]
                value = rng.choice((*_JSON, holder[place] + 1))
                holder[place] = value
                yield f"{name} {[*outer, place]} {value!r}", {**sections, name: changed}
                continue
            changed[place] = value
            yield f"{name} [{place}] {value!r}", {**sections, name: changed}


def find_numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all whole numbers in what JSON holds."""
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from find_numbers(one, (*path, key))
    elif isinstance(value, int) and not isinstance(value, bool) and path:
        yield path


def try_checkpoints(
    tmp_path: Path, endpoints: dict[str, Any], backend: Backend, seed: int, most: int
) -> list[str]:
    """The mutations of a checkpoint, at most so many, that are neither refused nor harmless."""
    plan, path, whole = checkpoint(tmp_path, endpoints, backend, seed)
    rng = random.Random(seed)
    sections = read_state(path)
    assert sections is not None
    sections = {
        name: one for name, one in sections.items() if name not in {"identity", "rejections"}
    }
    wrong = []
    tried = list(mutations(rng, sections, 1 + most // len(sections)))
    for what, changed in rng.sample(tried, min(most, len(tried))):
        write_state(path, [*changed.items(), ("rejections", [])])
        saved = read_state(path)
        assert saved is not None
        faulthandler.dump_traceback_later(_HANG_SECONDS, exit=True)
        try:
            said = report(plan, backend, saved=SavedState(path, saved))
        except StateFileError as error:
            if "\n" in str(error):
                wrong.append(f"{what}: {error}")
        except Exception as error:  # noqa: BLE001 (any of them is what is looked for)
            wrong.append(f"{what}: {error!r}")
        else:
            if said != whole:
                name = next(name for name in changed if changed[name] is not sections[name])
                if not is_possible(name):
                    wrong.append(f"{what}: a wrong answer")
        finally:
            faulthandler.cancel_dump_traceback_later()
    return wrong


def checkpoint(
    tmp_path: Path, endpoints: dict[str, Any], backend: Backend, saves: int
) -> tuple[Plan, Path, str]:
    """A plan, its whole answer without the rejected lines, and a checkpoint in the middle of it."""
    plan = plan_logs(tmp_path, saves, **endpoints)
    path = tmp_path / "state"
    with pytest.raises(Killed):
        report(plan, backend, Fragile(path, saves))
    saved = read_state(path)
    assert saved is not None
    whole = report(plan, backend, saved=SavedState(path, {**saved, "rejections": []}))
    return plan, path, whole


ENDPOINTS = pytest.mark.parametrize(
    "endpoints",
    [GIVEN, FOUND, EXPIRED, LIMITED],
    ids=["given", "found", "no_traffic", "time range"],
)
BACKENDS = pytest.mark.parametrize("backend", backends(), ids=["interpreted", "compiled"])


@pytest.mark.slow
@ENDPOINTS
@BACKENDS
def test_a_wrong_number_in_a_checkpoint_is_refused_or_harmless(
    tmp_path: Path, endpoints: dict[str, Any], backend: Backend
) -> None:
    assert try_checkpoints(tmp_path, endpoints, backend, 4, 20) == []


@pytest.mark.slow
@ENDPOINTS
@BACKENDS
def test_no_wrong_number_in_a_checkpoint_does_harm(
    tmp_path: Path, endpoints: dict[str, Any], backend: Backend
) -> None:
    assert try_checkpoints(tmp_path, endpoints, backend, 5, 80) == []


def watch(engine: Engine, begin: int, end: int) -> None:
    """Feed an engine some seconds of traffic, in which an endpoint breaks again and again."""
    for second in range(begin, end):
        status = 500 if second % 20 > 14 else 200
        engine.feed([access(second, "users", status), access(second - 2, "orders")])
        if second % 9 == 0:
            engine.feed([change(f"c{second}")])
        engine.close_expired(second * TICKS_PER_SECOND)


POSSIBLE_LIVE: Final = {
    "accounting",
    "newest",
    "told until",
    "history",
    "history opened",
    "history repaired",
    "history ticks",
    "requests",
    "resolution",
}
"""More of these in a live state: its windows may be fewer than those that were counted."""


def try_states(tmp_path: Path, rng: random.Random, each: int) -> list[str]:
    options: dict[str, Any] = {"sli_series": True, "no_traffic": 40}
    engine = make_engine(**options)
    watch(engine, 100, 160)
    watch(engine, 230, 238)
    path = tmp_path / "state"
    write_state(path, engine.save())
    sections = read_state(path)
    assert sections is not None
    watch(engine, 238, 300)
    whole = answers(read(engine, 300))
    wrong = []
    for what, changed in mutations(rng, sections, each):
        name = next((name for name in changed if changed[name] is not sections[name]), "")
        faulthandler.dump_traceback_later(_HANG_SECONDS, exit=True)
        try:
            again = make_engine(**options, saved=json_again(changed))
            watch(again, 238, 300)
            said = answers(read(again, 300))
        except (LookupError, TypeError, ValueError):
            continue  # with these, a state is kept aside
        except Exception as error:  # noqa: BLE001 (any of them is what is looked for)
            wrong.append(f"{what}: {error!r}")
            continue
        finally:
            faulthandler.cancel_dump_traceback_later()
        possible = is_possible(name) or name.removeprefix("shard 0 ") in POSSIBLE_LIVE
        if said != whole and not possible and not name.startswith("incidents "):
            wrong.append(f"{what}: a wrong answer")
    return wrong


def json_again(sections: Sections) -> dict[str, Any]:
    """The sections as a file returns them."""
    return {
        name: one if isinstance(one, array) else json.loads(json.dumps(one))
        for name, one in sections.items()
    }


def test_a_wrong_number_in_a_live_state_is_refused_or_harmless(tmp_path: Path) -> None:
    assert try_states(tmp_path, random.Random(1), 2) == []


@pytest.mark.slow
def test_no_wrong_number_in_a_live_state_does_harm(tmp_path: Path) -> None:
    assert try_states(tmp_path, random.Random(2), 40) == []


FAULTS: Final = [
    *(("shard 0 width", value) for value in (-1, 0, 2**62)),
    *((f"shard 0 {name}", value) for name in ("head", "tail") for value in (-1, 2**62)),
    *((f"shard 0 {name}", 2**63 - 1) for name in ("requests", "past_requests", "entry_tick")),
    *((f"shard 0 {name}", 2**62) for name in ("failures", "entry_requests", "entry_failures")),
    *((f"shard 0 {name}", 2**62) for name in ("next_block", "first_free", "free_count")),
    *((f"shard 0 {name}", -1) for name in ("late", "min_requests", "no_traffic", "marks")),
    *((f"shard 0 series {name}", 2**62) for name in ("bucket_slot", "doublings", "finished")),
    *(("rows", 2**62), ("names' admitted", 255), ("names' lengths", -1)),
    ("shard 0 open slots", 0.5),
]


@BACKENDS
def test_what_no_run_could_save_is_refused_in_one_line(tmp_path: Path, backend: Backend) -> None:
    plan, path, _ = checkpoint(tmp_path, FOUND, backend, 4)
    sections = read_state(path)
    assert sections is not None
    for name, value in FAULTS:
        changed: Any = sections[name]
        if isinstance(changed, array):
            changed = array(changed.typecode, [int(value)]) * len(changed)
        else:
            changed = [value for _ in changed] or [value]
        saved = SavedState(path, {**sections, name: changed, "rejections": []})
        with pytest.raises(StateFileError, match=r"state is invalid: .*[a-z0-9]$"):
            report(plan, backend, saved=saved)
