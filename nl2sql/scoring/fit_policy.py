"""Fit a selection policy on scored candidates, and judge it on databases that it was not fitted on."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from nl2sql.online.candidate_weights import ACCURACY, BLANK
from nl2sql.online.select_answers import majority, select_answers
from nl2sql.online.selection_features import ACCURACY_FEATURES, FEATURES, Pool, gather_pool, measure
from nl2sql.online.selection_policy import Policies, Policy, losing_blanks
from nl2sql.rows import Grounding, Linking, Question, Repair
from nl2sql.scoring.statistics import Interval, McNemar, difference_interval, mcnemar

STRENGTH = 20.0  # of the ridge: 5 to 200 give the same within half a point on student_club (docs/selection.md)
PRIOR_QUESTIONS = 5  # that a generator's assumed accuracy is worth
STEPS = 25
TOLERANCE = 1e-6
NAMES = (*FEATURES, *ACCURACY_FEATURES)


@dataclass(frozen=True)
class Judged:
    """One question with its executed candidates, and which of these are right (candidate ids)."""

    question: Question
    candidates: tuple[Repair, ...]
    right: frozenset[str]
    grounding: Grounding | None = None
    linking: Linking | None = None


@dataclass(frozen=True)
class Case:
    """A judged question, measured once: the features that depend on no policy, and which results are right."""

    judged: Judged
    pool: Pool
    own: np.ndarray  # (results, FEATURES)
    right: np.ndarray  # (results,), bool


@dataclass(frozen=True)
class Choice:
    """What each way of selecting made of one question."""

    question_id: str
    db_id: str
    vote: bool  # the plain vote is right
    non_empty: bool  # the plain vote among results that are not empty, where there are any
    selection: bool  # what the pipeline selects without a policy
    policy: bool
    available: bool  # at least one candidate is right


@dataclass(frozen=True)
class Gain:
    """The policy against the plain vote over the same questions; differences are shares, 0..1."""

    difference: Interval
    test: McNemar  # first: the vote
    over_selection: Interval  # against what the pipeline selects without a policy


def measure_cases(judged: Iterable[Judged]) -> list[Case]:
    """Measure questions for fitting and judging."""
    cases = []
    for item in judged:
        pool = gather_pool(item.question, item.candidates, {}, item.grounding, item.linking)
        right = np.array([pool.candidates[m[0]].candidate_id in item.right for m in pool.members], dtype=bool)
        cases.append(Case(item, pool, measure(pool, FEATURES), right))
    return cases


def measured_accuracies(cases: Iterable[Case]) -> dict[str, float]:
    """How often each generator's candidates are right, drawn towards what is assumed where there are few."""
    asked: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for case in cases:
        for candidate in case.judged.candidates:
            asked[candidate.generator] += 1
            right[candidate.generator] += candidate.candidate_id in case.judged.right
    return {g: (right[g] + PRIOR_QUESTIONS * ACCURACY) / (n + PRIOR_QUESTIONS) for g, n in asked.items()}


def fit_policy(cases: Sequence[Case], strength: float = STRENGTH) -> Policy:
    """Fit a conditional logit: the policy under which the right result of each question is likeliest, with a ridge.

    Features are scaled by their spread within questions, so that the ridge treats them alike; voices are 0 or 1.
    Only questions with a right and a wrong result teach anything; without one every coefficient is 0.
    """
    accuracies = measured_accuracies(cases)
    generators = sorted(accuracies)
    blank_loses = not any((c.right & losing_blanks(c.pool)).any() for c in cases)
    kept = [~losing_blanks(c.pool) if blank_loses else np.ones(len(c.right), dtype=bool) for c in cases]
    teaching = [(c, k) for c, k in zip(cases, kept, strict=True) if 0 < c.right[k].sum() < k.sum()]
    features = [_all_features(case, accuracies)[keep] for case, keep in teaching]
    scale = _spread(features)
    rows = [
        np.concatenate([x / scale, _membership(case.pool, generators)[keep]], axis=1)
        for x, (case, keep) in zip(features, teaching, strict=True)
    ]
    right = [case.right[keep] for case, keep in teaching]
    found = _conditional_logit(rows, right, len(NAMES) + len(generators), strength)
    return Policy(
        tuple(zip(NAMES, (found[: len(NAMES)] / scale).tolist(), strict=True)),
        tuple(zip(generators, found[len(NAMES) :].tolist(), strict=True)),
        tuple(sorted(accuracies.items())),
        blank_loses,
    )


def _all_features(case: Case, accuracies: dict[str, float]) -> np.ndarray:
    pool = replace(case.pool, accuracies=accuracies)
    return np.concatenate([case.own, measure(pool, ACCURACY_FEATURES)], axis=1)


def _spread(features: Sequence[np.ndarray]) -> np.ndarray:
    if not features:
        return np.ones(len(NAMES))
    spread = np.concatenate([x - x.mean(axis=0) for x in features]).std(axis=0)
    return np.where(spread > TOLERANCE, spread, 1.0)


def _membership(pool: Pool, generators: Sequence[str]) -> np.ndarray:
    """Which generators gave each result, (results, generators), 0 or 1."""
    place = {g: i for i, g in enumerate(generators)}
    given = np.zeros((len(pool.members), len(generators)))
    for row, members in zip(given, pool.members, strict=True):
        row[[place[g] for g in {pool.candidates[i].generator for i in members} if g in place]] = 1
    return given


def _conditional_logit(
    rows: Sequence[np.ndarray], right: Sequence[np.ndarray], width: int, strength: float
) -> np.ndarray:
    """Newton's method on the penalised log-likelihood, which has one maximum."""
    found = np.zeros(width)
    for _ in range(STEPS):
        slope, curve = -strength * found, strength * np.eye(width)
        for x, is_right in zip(rows, right, strict=True):
            odds = np.exp(x @ found - (x @ found).max())
            chance = odds / odds.sum()
            mean = chance @ x
            slope += x[is_right].mean(axis=0) - mean
            curve += (x.T * chance) @ x - np.outer(mean, mean)
        step = np.linalg.solve(curve, slope)
        found = found + step
        if np.abs(step).max() < TOLERANCE:
            break
    return found


def leave_one_database_out(cases: Sequence[Case], strength: float = STRENGTH) -> tuple[list[Choice], dict[str, Policy]]:
    """Judge on each database a policy that was fitted on the others; the choices, and the policy for each database."""
    choices, policies = [], {}
    for db_id in dict.fromkeys(c.judged.question.db_id for c in cases):
        policy = fit_policy([c for c in cases if c.judged.question.db_id != db_id], strength)
        policies[db_id] = policy
        choices += choose([c for c in cases if c.judged.question.db_id == db_id], policy)
    return choices, policies


def choose(cases: Sequence[Case], policy: Policy) -> list[Choice]:
    """What the votes, the pipeline without a policy and the policy choose for the questions of one database."""
    selections = select_answers(
        [c.judged.question for c in cases],
        [r for c in cases for r in c.judged.candidates],
        cast(Any, None),  # the context is for a judge, and there is none
        empty_is_wrong=policy.blank_loses,
    )
    return [_choose(c, policy, s.candidate_id in c.judged.right) for c, s in zip(cases, selections, strict=True)]


def _choose(case: Case, policy: Policy, selection: bool) -> Choice:
    item, right = case.judged, case.judged.right
    pool = replace(case.pool, accuracies=dict(policy.accuracies))
    likely = policy.probabilities(pool)
    vote = majority(item.candidates)
    filled = majority([c for c in item.candidates if c.outcome not in BLANK]) or vote
    return Choice(
        item.question.question_id,
        item.question.db_id,
        vote is not None and vote.candidate_id in right,
        filled is not None and filled.candidate_id in right,
        selection,
        bool(len(likely) and case.right[int(likely.argmax())]),
        bool(case.right.any()),
    )


def measure_gain(choices: Sequence[Choice]) -> Gain:
    """The policy's gain over the plain vote with its paired bootstrap interval and McNemar's test."""
    vote, policy = [c.vote for c in choices], [c.policy for c in choices]
    selection = [c.selection for c in choices]
    return Gain(difference_interval(vote, policy), mcnemar(vote, policy), difference_interval(selection, policy))


def calibrate(cases: Sequence[Case], strength: float = STRENGTH) -> tuple[Policies, list[Choice], Gain]:
    """Fit on all databases and judge leave-one-database-out.

    It gains when the whole interval of the gain over the plain vote lies above zero, and it is right more often than
    what the pipeline selects without it.

    Raises ValueError for fewer than two databases.
    """
    if len({c.judged.question.db_id for c in cases}) < 2:
        raise ValueError("a policy is judged on a database that it was not fitted on: two databases are needed")
    choices, without = leave_one_database_out(cases, strength)
    gain = measure_gain(choices)
    gains = gain.difference.low > 0 and gain.over_selection.value > 0
    return Policies(fit_policy(cases, strength), without, gains), choices, gain
