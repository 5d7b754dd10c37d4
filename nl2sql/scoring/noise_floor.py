"""Run-to-run noise: by how much two runs of the same thing differ on the same questions, by chance alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from nl2sql.scoring.fit_policy import Judged

Z_95 = 1.959964  # standard normal quantile of a two-sided 95 % interval
DRAWS = 2000  # simulated runs
RAN = frozenset({"ok", "empty", "all_null"})


@dataclass(frozen=True)
class NoiseFloor:
    """What chance makes of the execution accuracy of one configuration on the same questions; shares are 0..1.

    `limit` is the difference between two such runs that is exceeded one time in twenty: a smaller one is no news.
    """

    runs: int  # measured or simulated
    n: int  # questions
    mean: float
    deviation: float  # standard deviation between runs
    limit: float
    unstable: float  # share of questions that are right in some runs and wrong in others


def repeated_noise(right: np.ndarray) -> NoiseFloor:
    """The noise of runs that were repeated: `right` is (runs, questions) of bool, at least two runs.

    Questions are taken as independent within a run: their variances, each estimated without bias from its own share of
    right runs, add up. With two runs that is the share of flips over four. The limit is the normal approximation.
    Raises ValueError for fewer than two runs or no question.
    """
    runs, n = right.shape
    if runs < 2 or not n:
        raise ValueError("noise shows between at least two runs of the same questions")
    shares = right.mean(axis=0)
    variance = float((shares * (1 - shares)).sum()) * runs / (runs - 1) / n**2
    unstable = float(((shares > 0) & (shares < 1)).mean())
    return NoiseFloor(runs, n, float(shares.mean()), sqrt(variance), Z_95 * sqrt(2 * variance), unstable)


def redrawn_noise(judged: Sequence[Judged], size: int, draws: int = DRAWS, seed: int = 0) -> NoiseFloor:
    """The noise of a plain vote among `size` candidates, from runs simulated by drawing them anew.

    A simulated run draws `size` of the recorded candidates of each question, with replacement: what was recorded stands
    for what the generators could have written, whoever wrote it. The result that most of the drawn candidates give is
    the answer, ties to the one drawn first; candidates without a result have no vote. The limit is the 95 % quantile of
    the difference between two simulated runs. Selection by weights or policies is not simulated.

    Raises ValueError for no question or a size below 1.
    """
    if not judged or size < 1:
        raise ValueError("noise is simulated with at least one question and one candidate")
    chance = np.random.default_rng(seed)
    right = np.stack([_redrawn(item, size, draws, chance) for item in judged], axis=1)
    accuracies = right.mean(axis=1)
    half = draws // 2
    differences = np.abs(accuracies[:half] - accuracies[half : 2 * half])
    shares = right.mean(axis=0)
    return NoiseFloor(
        draws,
        len(judged),
        float(accuracies.mean()),
        float(accuracies.std(ddof=1)),
        float(np.quantile(differences, 0.95)),
        float(((shares > 0) & (shares < 1)).mean()),
    )


def _redrawn(item: Judged, size: int, draws: int, chance: np.random.Generator) -> np.ndarray:
    """Whether the vote of each simulated run is right: (draws,) of bool."""
    if not item.candidates:
        return np.zeros(draws, dtype=bool)
    digests = {c.result_digest: None for c in item.candidates if c.outcome in RAN}
    place = {digest: i for i, digest in enumerate(digests)}
    result = np.array([place[c.result_digest] if c.outcome in RAN else len(place) for c in item.candidates])
    is_right = np.zeros(len(place) + 1, dtype=bool)  # the last one stands for candidates without a result
    is_right[[place[c.result_digest] for c in item.candidates if c.candidate_id in item.right]] = True
    drawn = result[chance.integers(len(result), size=(draws, size))]
    votes = (drawn[:, :, None] == np.arange(len(place))).sum(axis=1)
    votes = np.concatenate([votes, np.zeros((draws, 1), dtype=votes.dtype)], axis=1)
    # max takes the first of equals, and candidates stand in the order in which they were drawn.
    first = np.take_along_axis(votes, drawn, axis=1).argmax(axis=1)
    return is_right[drawn[np.arange(draws), first]]
