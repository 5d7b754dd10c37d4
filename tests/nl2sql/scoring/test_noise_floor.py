"""Run-to-run noise: known cases, and simulated runs whose spread is known."""

from math import comb, sqrt

import numpy as np
import pytest

from nl2sql.rows import Question, Repair
from nl2sql.scoring.fit_policy import Judged
from nl2sql.scoring.noise_floor import redrawn_noise, repeated_noise


def judged(number: int, *results: str) -> Judged:
    """A question whose candidates give these results; 'right' is right, '' has none."""
    question = Question(str(number), "shop", "?", "", "SELECT 1", "", "dev")
    candidates = tuple(
        Repair(
            str(number), "shop", str(i), "g", "", "", (), "ok" if r else "error", "ok", "", 1, 1, 0.0, r, ""
        )
        for i, r in enumerate(results)
    )  # fmt: skip
    return Judged(question, candidates, frozenset(str(i) for i, r in enumerate(results) if r == "right"))


def test_runs_that_agree_have_no_noise():
    found = repeated_noise(np.array([[True, False, True]] * 4))
    assert (found.n, found.runs, found.deviation, found.limit, found.unstable) == (3, 4, 0.0, 0.0, 0.0)
    assert found.mean == pytest.approx(2 / 3)


def test_two_runs_give_their_flips():
    first, second = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    found = repeated_noise(np.stack([first, second]))
    assert found.deviation == pytest.approx(sqrt(2 * 0.25 * 2) / 4)
    assert found.unstable == 0.5


def test_the_limit_is_exceeded_one_time_in_twenty():
    chance = np.random.default_rng(1)
    likely = chance.random(400)
    limits = [repeated_noise(chance.random((3, 400)) < likely).limit for _ in range(20)]
    differences = np.abs(np.diff((chance.random((4000, 400)) < likely).mean(axis=1)))
    assert (differences > np.mean(limits)).mean() == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("right", [np.ones((1, 5), bool), np.ones((3, 0), bool)])
def test_noise_needs_two_runs_and_a_question(right):
    with pytest.raises(ValueError, match="at least two runs"):
        repeated_noise(right)


def test_one_candidate_is_right_as_often_as_candidates_are():
    pool = [judged(i, "right", "a", "b", "") for i in range(200)]
    found = redrawn_noise(pool, 1)
    assert found.mean == pytest.approx(0.25, abs=0.01)
    assert found.deviation == pytest.approx(sqrt(0.25 * 0.75 / 200), rel=0.1)
    assert found.limit == pytest.approx(1.96 * sqrt(2) * found.deviation, rel=0.15)


def test_a_vote_of_three_is_right_as_often_as_two_of_three_are():
    pool = [judged(i, "right", "right", "right", "a") for i in range(100)]
    likely = 0.75
    expected = likely**3 + comb(3, 2) * likely**2 * (1 - likely)
    assert redrawn_noise(pool, 3).mean == pytest.approx(expected, abs=0.01)


def test_of_two_the_first_drawn_counts_and_what_does_not_run_has_no_vote():
    assert redrawn_noise([judged(i, "right", "a") for i in range(100)], 2).mean == pytest.approx(0.5, abs=0.01)
    assert redrawn_noise([judged(i, "right", "") for i in range(100)], 2).mean == pytest.approx(0.75, abs=0.01)


def test_unanimous_failing_and_absent_candidates_have_no_noise():
    found = redrawn_noise([judged(0, "right", "right"), judged(1, "", ""), judged(2)], 5)
    assert (found.mean, found.deviation, found.limit, found.unstable) == pytest.approx((1 / 3, 0.0, 0.0, 0.0))


def test_the_same_seed_gives_the_same_figures():
    pool = [judged(i, "right", "a", "b") for i in range(20)]
    assert redrawn_noise(pool, 3, seed=5) == redrawn_noise(pool, 3, seed=5)
    with pytest.raises(ValueError, match="at least one question"):
        redrawn_noise([], 3)
