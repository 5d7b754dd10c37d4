"""Metrics of scored predictions, over all questions and by difficulty, database and SQL feature."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from nl2sql.execution import Limits, execute_many
from nl2sql.rows import Database, Question
from nl2sql.scoring.execution_accuracy import SCORING_LIMITS, ScoredPrediction
from nl2sql.scoring.metrics import measure_time_ratio, r_ves, soft_f1, sql_features

METRICS = {"ex": "execution_accuracy", "soft-f1": "soft_f1", "r-ves": "r_ves"}  # option -> name of the figure
GROUPINGS = ("difficulty", "database", "feature")
SOFT_F1_ROWS = 100_000  # of each result; rows beyond that are not compared
ROUNDS = 100  # of timing per distinct answer, as BIRD's script


@dataclass(frozen=True)
class Measured:
    """One value per verdict and metric: 1 or 0 for ex, Soft-F1 from 0 to 1, the time ratio for r-ves (0 = wrong)."""

    verdicts: tuple[ScoredPrediction, ...]
    values: Mapping[str, Sequence[float]]

    def figures(self, places: Sequence[int]) -> dict[str, float]:
        """How many verdicts stand at these places, how many are right, and each metric, from 0 to 100 (R-VES: 112)."""
        shares = {name: self._figure(name, [self.values[name][i] for i in places]) for name in self.values}
        return {"n": len(places), "correct": sum(self.verdicts[i].correct for i in places), **shares}

    def _figure(self, name: str, values: Sequence[float]) -> float:
        if name == METRICS["r-ves"]:
            return round(r_ves(values), 2)
        return round(100 * sum(values) / len(values), 2) if values else 0.0


def measure_predictions(
    verdicts: Sequence[ScoredPrediction],
    questions: Sequence[Question],
    databases: Sequence[Database],
    metrics: Sequence[str] = ("ex",),
    limits: Limits = SCORING_LIMITS,
    rounds: int = ROUNDS,
) -> Measured:
    """The metrics (names of METRICS) of verdicts on these questions; execution accuracy is always among them.

    Each distinct answer to a question is executed once for Soft-F1 and timed `rounds` times for R-VES, the latter in
    this process and one after the other: hundreds of answers take minutes.
    """
    golds = {q.question_id: q for q in questions}
    paths = {d.db_id: d.path for d in databases}
    values: dict[str, Sequence[float]] = {METRICS["ex"]: [float(v.correct) for v in verdicts]}
    if "soft-f1" in metrics:
        values[METRICS["soft-f1"]] = _soft_f1s(verdicts, golds, paths, limits)
    if "r-ves" in metrics:
        values[METRICS["r-ves"]] = _time_ratios(verdicts, golds, paths, limits, rounds)
    return Measured(tuple(verdicts), values)


def _soft_f1s(
    verdicts: Sequence[ScoredPrediction], golds: Mapping[str, Question], paths: Mapping[str, str], limits: Limits
) -> list[float]:
    answers: dict[str, set[str]] = defaultdict(set)
    for verdict in verdicts:
        answers[verdict.question_id].add(verdict.sql)
    kept = replace(limits, keep_rows=SOFT_F1_ROWS)
    found: dict[tuple[str, str], float] = {}
    for key, statements in answers.items():  # a question at a time: the rows of all of them would not fit
        found |= {(key, sql): score for sql, score in _of_question(golds[key], sorted(statements), paths, kept)}
    return [found[v.question_id, v.sql] for v in verdicts]


def _of_question(
    question: Question, statements: Sequence[str], paths: Mapping[str, str], limits: Limits
) -> list[tuple[str, float]]:
    jobs = [(paths[question.db_id], sql) for sql in (question.gold_sql, *statements)]
    gold, *results = execute_many(jobs, limits, double_quoted_strings=True)
    # Officially an answer that fails scores 0 even where the gold returns nothing.
    scores = [soft_f1(r.rows, gold.rows) if r.ran and gold.ran else 0.0 for r in results]
    return list(zip(statements, scores, strict=True))


def _time_ratios(
    verdicts: Sequence[ScoredPrediction],
    golds: Mapping[str, Question],
    paths: Mapping[str, str],
    limits: Limits,
    rounds: int,
) -> list[float]:
    @cache
    def ratio(path: str, sql: str, gold_sql: str) -> float:
        return measure_time_ratio(path, sql, gold_sql, rounds, limits.seconds)

    asked = [golds[v.question_id] for v in verdicts]
    return [
        ratio(paths[q.db_id], v.sql, q.gold_sql) if v.correct else 0.0 for v, q in zip(verdicts, asked, strict=True)
    ]


def group_places(
    verdicts: Sequence[ScoredPrediction], questions: Sequence[Question], grouping: str
) -> dict[str, dict[str, list[int]]]:
    """By system and group, in order of first appearance, the places of its verdicts.

    Groupings: difficulty, database, and feature, which are those of the gold SQL, so that a question may be in several.
    Raises ValueError for another grouping.
    """
    groups = {q.question_id: _groups(q, grouping) for q in questions}
    places: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, verdict in enumerate(verdicts):
        for group in groups[verdict.question_id]:
            places[verdict.generator][group].append(place)
    return {system: dict(found) for system, found in places.items()}


def _groups(question: Question, grouping: str) -> tuple[str, ...]:
    if grouping == "difficulty":
        return (question.difficulty or "unknown",)
    if grouping == "database":
        return (question.db_id,)
    if grouping == "feature":
        return sql_features(question.gold_sql)
    raise ValueError(f"no grouping {grouping!r}: {', '.join(GROUPINGS)}")
