"""Options as people write them: shares, durations, whole numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from slomon.errors import ConfigurationError
from slomon.option import (
    check_alone,
    check_choice,
    read_duration,
    read_objective,
    read_text,
    read_zone,
)


@pytest.mark.parametrize(
    ("value", "share"),
    [
        (0.999, 0.999),
        (1, 1.0),
        ("0.9", 0.9),
        ("99.9%", 0.999),
        ("100%", 1.0),
        ("0.5%", 0.005),
        (Decimal("0.99"), 0.99),
    ],
)
def test_an_objective_is_a_share_or_a_percentage_with_its_sign(value: object, share: float) -> None:
    assert read_objective("slo", value) == share


@pytest.mark.parametrize(
    "value",
    [0, -0.1, 1.1, 99.9, "99.9", "101%", "0%", "%", "", "nan", "1_0%", "inf", True, None, "1e-999"],
)
def test_what_could_be_either_or_is_neither_is_refused(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"option 'slo' is .*; allowed: a share"):
        read_objective("slo", value)


@pytest.mark.parametrize(
    ("value", "ticks"), [("5m", 300_000_000_000), (30, 30_000_000_000), (0.5, 500_000_000), (0, 0)]
)
def test_a_duration_is_text_or_seconds(value: object, ticks: int) -> None:
    assert read_duration("window", value) == ticks


def test_a_value_is_none_of_the_choices_because_it_equals_one() -> None:
    check_choice("strict", True, [True, False])
    with pytest.raises(ConfigurationError, match="option 'strict' is 1; allowed: True, False"):
        check_choice("strict", 1, [True, False])


def test_what_is_not_given_is_neither_wrong_nor_too_much() -> None:
    check_alone(a=1, b=None)
    assert read_zone("zone", None) is None
    assert read_text("service", None) == ""
