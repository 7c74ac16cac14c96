from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError

import pytest

from slomon import ConfigurationError
from slomon.pipeline.run import DEFAULTS, Options

Make = Callable[..., Options]

NUMBERS = {"workers": 1024, "queue_bound": 2**20, "batch_bound": 2**20}


@pytest.mark.parametrize(("name", "most"), NUMBERS.items())
def test_a_number_may_be_anything_from_one_to_its_most(name: str, most: int) -> None:
    make: Make = Options
    assert [getattr(make(**{name: value}), name) for value in (1, most)] == [1, most]


@pytest.mark.parametrize("value", [0, -1, 2**20 + 1, True, 2.0, "2", None])
@pytest.mark.parametrize(("name", "most"), NUMBERS.items())
def test_a_wrong_number_is_refused_by_name_and_value(name: str, most: int, value: object) -> None:
    make: Make = Options
    with pytest.raises(ConfigurationError) as caught:
        make(**{name: value})
    shown = f"'{value}'" if isinstance(value, str) else value
    assert str(caught.value) == (
        f"option '{name}' is {shown}; allowed: a whole number from 1 to {most}"
    )


def test_more_workers_than_their_most_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="'workers' is 1025; allowed: "):
        Options(workers=1025)


@pytest.mark.parametrize("name", ["strict", "trace"])
def test_a_flag_is_a_bool_and_not_any_text_that_is_true(name: str) -> None:
    make: Make = Options
    with pytest.raises(ConfigurationError, match=f"'{name}' is 'no'; allowed: True and False"):
        make(**{name: "no"})


def test_options_that_were_checked_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        DEFAULTS.workers = 0  # type: ignore[misc]
