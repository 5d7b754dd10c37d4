"""Intervals that hold what they promise, and an exact test."""

import numpy as np
import pytest

from nl2sql.scoring.statistics import bootstrap_interval, difference_interval, mcnemar


def test_interval_of_a_share_is_the_binomial_one() -> None:
    interval = bootstrap_interval([1.0] * 50 + [0.0] * 50)
    assert interval.value == 0.5
    assert interval.low == pytest.approx(0.40, abs=0.015)
    assert interval.high == pytest.approx(0.60, abs=0.015)


def test_many_different_values_take_the_general_way_to_the_same_end() -> None:
    values = np.random.default_rng(1).normal(size=400)
    interval = bootstrap_interval(values)
    error = values.std() / np.sqrt(400)
    assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_coverage() -> None:
    chance = np.random.default_rng(5)
    intervals = [bootstrap_interval(chance.random(150) < 0.7, resamples=1000) for _ in range(300)]
    assert 0.90 <= np.mean([i.low <= 0.7 <= i.high for i in intervals]) <= 0.99


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [1.0, 0.0, 1.0, 1.0]
    assert bootstrap_interval(values) == bootstrap_interval(values)


def test_no_values_and_equal_values() -> None:
    assert bootstrap_interval([]).value == 0
    assert bootstrap_interval([1.0] * 9).low == 1


def test_a_paired_difference_is_narrower_than_two_intervals() -> None:
    first = np.random.default_rng(2).random(300) < 0.6
    second = first.copy()
    second[:10] = True
    interval = difference_interval(first, second)
    assert interval.low >= 0
    assert interval.high - interval.low < 0.05


def test_mcnemar_is_the_exact_binomial_test() -> None:
    result = mcnemar([True] * 5 + [False] * 15, [True] * 4 + [False] + [True] * 9 + [False] * 6)
    assert (result.only_first, result.only_second) == (1, 9)
    assert result.p_value == pytest.approx(2 * (1 + 10) / 2**10)


def test_mcnemar_of_equal_and_of_large_runs() -> None:
    same = np.ones(100, dtype=bool)
    assert mcnemar(same, same).p_value == 1
    assert mcnemar(np.ones(5000, dtype=bool), np.zeros(5000, dtype=bool)).p_value == 0
    assert mcnemar([], []).p_value == 1


def test_unequal_lengths_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="paired"):
        mcnemar([True], [True, False])
    with pytest.raises(ValueError, match="paired"):
        difference_interval([1.0], [])
