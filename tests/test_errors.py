"""Exceptions say whose fault they are, and survive a process boundary."""

from __future__ import annotations

import pickle

import pytest

from slomon.errors import ConfigurationError, MalformedEventError, SlomonError


@pytest.mark.parametrize("fault", [ConfigurationError, MalformedEventError])
def test_one_except_clause_catches_all_that_slomon_raises(fault: type[Exception]) -> None:
    assert issubclass(fault, SlomonError)


def test_a_wrong_configuration_is_a_value_error_and_bad_data_is_not() -> None:
    assert issubclass(ConfigurationError, ValueError)
    assert not issubclass(MalformedEventError, ValueError)


def test_a_malformed_event_error_says_where_and_why_and_keeps_the_text() -> None:
    error = MalformedEventError(7, "5 GET", "2 fields")

    assert str(error) == "event at position 7: 2 fields"
    assert (error.position, error.text, error.reason) == (7, "5 GET", "2 fields")


def test_a_malformed_event_error_is_the_same_after_pickling() -> None:
    error = MalformedEventError(7, "5 GET", "2 fields")

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is MalformedEventError
    assert (str(copy), vars(copy)) == (str(error), vars(error))
