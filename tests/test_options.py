"""Options as people write them: shares, durations, whole numbers."""

from __future__ import annotations

import pickle
from decimal import Decimal
from pathlib import Path

import pytest

from slomon.errors import ConfigurationError, OptionError
from slomon.options import (
    check_choice,
    check_mutually_exclusive,
    option_error,
    read_duration,
    read_objective,
    read_path,
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
        (1e-5, 1e-5),
    ],
)
def test_an_objective_is_a_share_or_a_percentage_with_its_sign(value: object, share: float) -> None:
    assert read_objective("slo", value) == share


@pytest.mark.parametrize(
    "value",
    [
        *(0, -0.1, 1.1, 99.9, "99.9", "101%", "0%", "%", "", "nan", "1_0%", "inf", True, None),
        *("1e-999", "90 %", " 0.9", "0.9 ", "0.9\n", "\u0661", "99.9%%", "+0.9", b"1"),
    ],
)
def test_what_could_be_either_or_is_neither_is_refused(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"option 'slo' is .*; allowed: a share"):
        read_objective("slo", value)


def test_a_number_of_more_digits_than_python_prints_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="option 'slo' is <int>; allowed: a share"):
        read_objective("slo", 10**5000)


@pytest.mark.parametrize(
    ("value", "ticks"),
    [
        ("5m", 300_000_000_000),
        (30, 30_000_000_000),
        (0.5, 500_000_000),
        (0, 0),
        (1e-7, 100),
        (Decimal("0.1"), 100_000_000),
    ],
)
def test_a_duration_is_text_or_seconds(value: object, ticks: int) -> None:
    assert read_duration("window", value) == ticks


def test_a_value_is_none_of_the_choices_because_it_equals_one() -> None:
    check_choice("strict", True, [True, False])
    with pytest.raises(ConfigurationError, match="option 'strict' is 1; allowed: True, False"):
        check_choice("strict", 1, [True, False])


def test_what_is_not_given_is_neither_wrong_nor_too_much() -> None:
    check_mutually_exclusive(a=1, b=None)
    assert read_zone("zone", None) is None
    assert read_text("service", None) == ""


def test_a_path_is_text_that_a_file_system_may_have(tmp_path: Path) -> None:
    assert read_path("rejects", tmp_path) == str(tmp_path)
    assert read_path("rejects", "a\udcff") == "a\udcff"  # a name of bytes that are no UTF-8
    assert read_path("rejects", None) is None
    with pytest.raises(ConfigurationError, match=r"option 'rejects' is 'a\\x00b'; allowed: a path"):
        read_path("rejects", "a\0b")


def test_whoever_has_other_names_for_options_can_tell_their_errors_by_these() -> None:
    with pytest.raises(OptionError) as caught:
        check_mutually_exclusive(endpoints=1, slo=2, window=None)

    assert str(caught.value) == "options 'endpoints' and 'slo' are both given; allowed: one"
    assert caught.value.show(str.upper).startswith("options 'ENDPOINTS' and 'SLO' are both")


def test_an_option_error_is_the_same_after_pickling() -> None:
    error = option_error("slo", 5, "a share")
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is OptionError
    assert (str(copy), vars(copy)) == (str(error), vars(error))
