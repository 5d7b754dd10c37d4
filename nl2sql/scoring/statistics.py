"""How sure a figure is: bootstrap intervals over questions and McNemar's test between two systems."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
CHUNK = 2**22  # indices drawn at once, 32 MB


@dataclass(frozen=True)
class Interval:
    """A figure and the interval that holds it with the given confidence."""

    value: float
    low: float
    high: float
    level: float


@dataclass(frozen=True)
class McNemar:
    """Two systems on the same questions: how often only one of them is right, and how likely that is by chance."""

    only_first: int
    only_second: int
    p_value: float  # exact, two-sided


def bootstrap_interval(
    values: Sequence[float] | np.ndarray, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """The mean of one value per question with its percentile bootstrap interval. All zero for no values.

    The same values and seed give the same interval. Questions are taken as independent, which questions of one
    database are not quite: the true interval is somewhat wider.
    """
    values = np.asarray(values, dtype=np.float64)
    if not len(values):
        return Interval(0.0, 0.0, 0.0, level)
    means = _resampled_means(values, resamples, np.random.default_rng(seed))
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values.mean()), float(low), float(high), level)


def _resampled_means(values: np.ndarray, resamples: int, chance: np.random.Generator) -> np.ndarray:
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) <= 32:  # right and wrong: drawing the counts is the same as drawing the questions
        drawn = chance.multinomial(len(values), counts / len(values), size=resamples)
        return drawn @ distinct / len(values)
    step = max(1, CHUNK // len(values))
    sizes = [min(step, resamples - start) for start in range(0, resamples, step)]
    draws = (chance.integers(len(values), size=(size, len(values))) for size in sizes)
    return np.concatenate([values[indices].mean(axis=1) for indices in draws])


def difference_interval(
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The mean of second - first over the same questions in the same order, with its paired bootstrap interval.

    Raises ValueError when the lengths differ.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"{len(a)} and {len(b)} values cannot be paired")
    return bootstrap_interval(b - a, level, resamples, seed)


def mcnemar(first: Sequence[bool] | np.ndarray, second: Sequence[bool] | np.ndarray) -> McNemar:
    """Exact McNemar test of two systems on the same questions in the same order.

    Raises ValueError when the lengths differ.
    """
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if a.shape != b.shape:
        raise ValueError(f"{len(a)} and {len(b)} verdicts cannot be paired")
    only_first, only_second = int((a & ~b).sum()), int((b & ~a).sum())
    return McNemar(only_first, only_second, _two_sided(min(only_first, only_second), only_first + only_second))


def _two_sided(smaller: int, trials: int) -> float:
    term = tail = 1
    for i in range(smaller):
        term = term * (trials - i) // (i + 1)
        tail += term

    return min(1.0, 2 * tail / 2**trials)
