"""The score of statements, worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.worlds.scoring import Score, Share, measure_calibration_error
from tests.worlds.statements import Statement, name_newest, read_attribution
from tests.worlds.truth import NOTHING
from tests.worlds.world import EPOCH, Deploy, World

DEPLOYS = Deploy(10, "shop", "a"), Deploy(20, "mail", "b"), Deploy(30, "shop", "c")


def say(named: str | None, **probabilities: float) -> Statement:
    nothing = probabilities.pop("nothing", None)
    if nothing is not None:
        probabilities[NOTHING] = nothing
    return Statement(named, probabilities)


def test_named_commits_are_counted_by_the_truth() -> None:
    score = Score()
    score.add(say("a"), "a", at_once=True)
    score.add(say("a"), "b")
    score.add(say(None), "b", at_once=True)
    score.add(say("a"), NOTHING)
    score.add(say(None), NOTHING)

    assert score.right == Share(1, 3)
    assert score.named == Share(1, 3)
    assert score.at_once == Share(1, 2)
    assert score.others == Share(1, 2)
    assert score.mean_brier is None


def test_weights_let_a_fault_with_many_incidents_count_once() -> None:
    score = Score()
    score.add(say("a"), "a", weight=0.5)
    score.add(say("b"), "a", weight=0.5)

    assert score.right == Share(0.5, 1)


def test_the_brier_score_is_the_squared_error_of_all_probabilities() -> None:
    score = Score()
    score.add(say(None, a=0.7, b=0.1, nothing=0.2), "a")
    assert score.mean_brier == pytest.approx(0.3**2 + 0.1**2 + 0.2**2)

    score.add(say(None, a=0.0, nothing=1.0), "unlisted")
    assert score.mean_brier == pytest.approx((0.14 + 2) / 2)


def test_the_calibration_error_compares_stated_with_true() -> None:
    score = Score()
    for true in "aaab":
        score.add(say(None, a=0.65, nothing=0.35), true)

    # Stated 0.65 four times, true three times; stated 0.35 four times, never true.
    assert measure_calibration_error(score.every) == pytest.approx((4 * 0.1 + 4 * 0.35) / 8)
    assert measure_calibration_error(score.highest) == pytest.approx(0.1)
    assert [one.count for one in score.highest] == [0, 0, 0, 0, 0, 0, 4, 0, 0, 0]
    assert measure_calibration_error([]) == 0


def test_the_newest_change_is_that_of_the_service_before_the_time() -> None:
    world = World(100, (), DEPLOYS)

    assert name_newest(world, "shop", EPOCH + 25, within=100).named == "a"
    assert name_newest(world, "shop", EPOCH + 35, within=100).named == "c"
    assert name_newest(world, "shop", EPOCH + 35, within=4).named is None
    assert name_newest(world, "shop", EPOCH + 5, within=100).named is None


def test_probabilities_of_one_commit_add_up() -> None:
    first, second = (SimpleNamespace(commit="a", probability=p) for p in (0.3, 0.6))
    attribution = SimpleNamespace(
        verdict="clear", candidates=(first, second), suspect=second, unexplained=0.1
    )

    stated = read_attribution(attribution)

    assert stated.named == "a"
    assert stated.probabilities["a"] == pytest.approx(0.9)
    assert stated.probabilities[NOTHING] == 0.1
