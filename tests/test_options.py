"""How options are declared, and how their values are checked."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated

import pytest

import slomon
from slomon.dates import show_duration
from slomon.errors import ConfigurationError, OptionError
from slomon.options import (
    Identity,
    Option,
    check_choice,
    check_mutually_exclusive,
    distinct_paths,
    document_options,
    identify_options,
    list_options,
    option_error,
    read_count,
    read_duration,
    read_objective,
    read_options,
    read_path,
    read_text,
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
def test_an_ambiguous_or_wrong_objective_is_rejected(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"option 'slo' is .*; allowed: a share"):
        read_objective("slo", value)


def test_a_number_of_more_digits_than_python_prints_is_rejected() -> None:
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


def test_a_value_of_another_type_that_equals_a_choice_is_rejected() -> None:
    check_choice("strict", True, [True, False])
    with pytest.raises(ConfigurationError, match="option 'strict' is 1; allowed: True, False"):
        check_choice("strict", 1, [True, False])


def test_options_that_are_not_given_are_never_wrong() -> None:
    check_mutually_exclusive(a=1, b=None)
    assert read_text("service", None) == ""


def test_a_path_is_text_that_a_file_system_may_have(tmp_path: Path) -> None:
    assert read_path("rejects", tmp_path) == str(tmp_path)
    assert read_path("rejects", "a\udcff") == "a\udcff"  # a name of bytes that are no UTF-8
    assert read_path("rejects", None) is None
    with pytest.raises(ConfigurationError, match=r"option 'rejects' is 'a\\x00b'; allowed: a path"):
        read_path("rejects", "a\0b")


def test_an_option_error_can_be_shown_with_other_names() -> None:
    with pytest.raises(OptionError) as caught:
        check_mutually_exclusive(endpoints=1, slo=2, window=None)

    assert str(caught.value) == "options 'endpoints' and 'slo' are both given; allowed: one"
    assert caught.value.show(str.upper).startswith("options 'ENDPOINTS' and 'SLO' are both")


def test_an_option_error_is_the_same_after_pickling() -> None:
    error = option_error("slo", 5, "a share")
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is OptionError
    assert (str(copy), vars(copy)) == (str(error), vars(error))


def test_a_link_does_not_hide_that_a_file_is_read_and_written(tmp_path: Path) -> None:
    log, link = tmp_path / "log", tmp_path / "link"
    log.touch()
    link.symlink_to(log)

    with pytest.raises(
        ConfigurationError, match=r"option 'rejects' is '.*', which is read as well"
    ):
        distinct_paths({"rejects": link}, [str(log)])


def test_a_device_may_be_given_several_times() -> None:
    distinct_paths({"output": "/dev/null", "incidents": "/dev/null", "rejects": None}, ["-"])


def test_an_output_that_is_not_given_is_never_wrong() -> None:
    distinct_paths({"rejects": None}, ["/dev/null"])


def test_an_output_named_like_standard_input_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match=r"option 'incidents' is '-', which stands for"):
        distinct_paths({"incidents": Path("-")}, [])


def test_two_outputs_are_two_files(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    paths = {"state": tmp_path / "file", "outbox": None, "event_log": tmp_path / "link"}

    with pytest.raises(ConfigurationError, match="'state' and 'event_log' are the same file, "):
        distinct_paths(paths)
    with pytest.raises(ConfigurationError, match=r"'event_log' is '.*link', which is written as"):
        distinct_paths(paths, [])


@document_options
def brew(
    *,
    water: Annotated[
        str | None,
        Option(read=read_duration, help="boil for", default="5m", identity=Identity(show_duration)),
    ] = None,
    milk: Annotated[str | None, Option(read=read_text, help="kind of milk (default: none)")] = None,
    cups: Annotated[
        int,
        Option(
            read=partial(read_count, most=9),
            help="how many",
            identity=Identity(repr, name="number of cups"),
        ),
    ] = 1,
    beans: object = None,
) -> dict[str, object]:
    """Make coffee."""
    return read_options(brew, locals())


def test_the_options_of_a_call_are_read_as_they_are_declared() -> None:
    assert brew() == {"water": 300 * 10**9, "milk": None, "cups": 1}
    assert brew(water="1s", milk="oat", cups=9, beans=5) == {
        "water": 10**9,
        "milk": "oat",
        "cups": 9,
    }
    with pytest.raises(OptionError, match="option 'cups' is 10; allowed: a whole number from 1 to"):
        brew(cups=10)
    with pytest.raises(OptionError, match="option 'cups' is None; allowed: "):
        brew(cups=None)  # type: ignore[arg-type]


def test_the_identity_shows_the_options_that_are_part_of_it() -> None:
    assert identify_options(brew, brew()) == {"water": "5m", "number of cups": "1"}


def test_the_declarations_document_the_function_and_leave_plain_types() -> None:
    assert inspect.getdoc(brew) == (
        "Make coffee.\n\nOptions:\n\n"
        "* `water`: boil for (default: 5m)\n"
        "* `milk`: kind of milk (default: none)\n"
        "* `cups`: how many (default: 1)"
    )
    parameters = inspect.signature(brew).parameters
    assert [parameters[name].annotation for name in ("water", "cups")] == [str | None, int]
    assert list(list_options(brew)) == ["water", "milk", "cups"]


@pytest.mark.parametrize("function", [slomon.replay, slomon.live])
def test_every_option_of_the_entry_points_is_declared(function: Callable[..., object]) -> None:
    keywords = {
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    assert keywords <= list_options(function).keys()
