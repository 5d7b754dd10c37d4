"""Two runs on the same questions: which is better, by how much, and whether that could be chance."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from nl2sql.rows import Question
from nl2sql.scoring.statistics import Interval, McNemar, bootstrap_interval, difference_interval, mcnemar

Z_95 = 1.959964  # standard normal quantile of a two-sided 5 % test
Z_80 = 0.841621  # of a power of 80 %


@dataclass(frozen=True)
class Scored:
    """The answer of one run to one question."""

    question: Question
    sql: str
    correct: bool
    reason: str  # '' when correct


@dataclass(frozen=True)
class Contrast:
    """Both runs on one group of questions; shares are 0..1, the difference is second - first."""

    kind: str  # all, difficulty or database
    name: str
    n: int
    first: Interval
    second: Interval
    difference: Interval
    test: McNemar


@dataclass(frozen=True)
class Flip:
    """A question that exactly one run gets right."""

    question: Question
    first: Scored
    second: Scored


@dataclass(frozen=True)
class Comparison:
    """`contrasts` start with all questions. `left_out` are ids that only one run has, or with other gold SQL."""

    contrasts: tuple[Contrast, ...]
    flips: tuple[Flip, ...]
    same_sql: int  # questions with the same statement from both
    left_out: tuple[str, ...]
    resolvable: float  # the difference, 0..1, that as many questions show in four of five comparisons


def compare_answers(first: Iterable[Scored], second: Iterable[Scored]) -> Comparison:
    """Compare two runs on the questions that both have, with the same wording and gold SQL.

    Raises ValueError when there is none.
    """
    ours, theirs = ({(a.question.question_id, a.question.db_id): a for a in answers} for answers in (first, second))
    pairs = [(a, theirs[key]) for key, a in ours.items() if key in theirs and _same(a.question, theirs[key].question)]
    if not pairs:
        raise ValueError("the two have no question in common")
    kept = {(a.question.question_id, a.question.db_id) for a, _ in pairs}
    flips = [Flip(a.question, a, b) for a, b in pairs if a.correct != b.correct]
    return Comparison(
        (_contrast("all", "all", pairs), *_grouped("difficulty", pairs), *_grouped("database", pairs)),
        tuple(sorted(flips, key=lambda f: f.second.correct)),
        sum(a.sql == b.sql for a, b in pairs),
        tuple(key[0] for key in dict.fromkeys((*ours, *theirs)) if key not in kept),
        resolvable_difference(len(pairs), len(flips) / len(pairs)),
    )


def _same(a: Question, b: Question) -> bool:
    return (a.question, a.gold_sql) == (b.question, b.gold_sql)


def _grouped(kind: str, pairs: Sequence[tuple[Scored, Scored]]) -> list[Contrast]:
    by: Callable[[Question], str] = (lambda q: q.difficulty) if kind == "difficulty" else (lambda q: q.db_id)
    groups: dict[str, list[tuple[Scored, Scored]]] = {}
    for pair in pairs:
        groups.setdefault(by(pair[0].question), []).append(pair)
    return [_contrast(kind, name, found) for name, found in groups.items() if name]


def _contrast(kind: str, name: str, pairs: Sequence[tuple[Scored, Scored]]) -> Contrast:
    a, b = (np.array([pair[side].correct for pair in pairs], dtype=bool) for side in (0, 1))
    return Contrast(
        kind, name, len(pairs), bootstrap_interval(a), bootstrap_interval(b), difference_interval(a, b), mcnemar(a, b)
    )


def resolvable_difference(n: int, flipped: float) -> float:
    """The noise floor: the difference in accuracy, 0..1, that n questions show at 5 % in four comparisons of five.

    `flipped` is the share of questions that exactly one of the two gets right; the normal approximation of McNemar's
    test (Miettinen 1968). 1 of no questions. With no flip seen, one flip is assumed: nothing is known to be exact.
    """
    if not n:
        return 1.0
    flipped = max(flipped, 1 / n)
    found = flipped
    for _ in range(50):  # the power depends on the difference itself; this converges within a few rounds
        found = (Z_95 * sqrt(flipped) + Z_80 * sqrt(max(flipped - found * found, 0.0))) / sqrt(n)
    return min(found, 1.0)
