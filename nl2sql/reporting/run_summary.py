"""The figures of one run, and the JSON object that `nl2sql evaluate --json` ends with.

Every share is a percentage from 0 to 100, as the field prints it (74.0 is seventy-four in a hundred); every count is
an int; what cannot be measured (no gold SQL, no string literal in it) is None, null in JSON, never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

Z_95 = 1.959964  # standard normal quantile of a two-sided 95 % interval


def percent(part: float, whole: float) -> float:
    """Share in percent; 0 of nothing is 0."""
    return 100.0 * part / whole if whole else 0.0


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """95 % Wilson score interval of a share, in percent; (0, 100) when nothing was asked.

    It treats questions as independent draws; questions of one database are not quite.
    """
    if not n:
        return 0.0, 100.0
    share, z2 = correct / n, Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return 100 * max(0.0, centre - half), 100 * min(1.0, centre + half)


@dataclass(frozen=True)
class Group:
    """Counts of a set of questions: all, those of a difficulty, those of a database."""

    name: str
    n: int
    correct: int
    voted: int  # right by the plain majority vote
    available: int  # at least one candidate is right

    @property
    def execution_accuracy(self) -> float:
        """EX of the selected answers."""
        return percent(self.correct, self.n)

    @property
    def majority_vote(self) -> float:
        """EX that the plain majority vote would have."""
        return percent(self.voted, self.n)

    @property
    def upper_bound(self) -> float:
        """EX of a selection that never errs: pass@k."""
        return percent(self.available, self.n)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the execution accuracy."""
        return wilson_interval(self.correct, self.n)


@dataclass(frozen=True)
class LinkingFigures:
    """Schema linking against the columns of the gold SQL, averaged over the `n` questions whose gold parses."""

    n: int
    strict_recall: float | None  # questions with every gold column kept
    recall: float | None  # mean over questions of the share of gold columns kept
    precision: float | None  # mean over questions of the share of kept columns that the gold uses
    columns_kept: float | None  # mean count
    columns_total: float | None  # mean count
    share_kept: float | None  # mean over questions of kept / total


@dataclass(frozen=True)
class GeneratorFigures:
    """One generator on its own. `execution_accuracy` is that of its first candidate, over all n questions."""

    name: str
    candidates: int
    answered: int  # questions for which it wrote something
    correct: int  # questions whose first candidate is right
    available: int  # questions with any right candidate
    unique: int  # questions that no other generator gets right
    failed: int  # candidates without a result, after repair
    execution_accuracy: float
    upper_bound: float
    cost: float  # dollars


@dataclass(frozen=True)
class RepairAction:
    """One kind of repair over all candidates that it changed."""

    name: str
    applied: int
    fixed: int
    broken: int


@dataclass(frozen=True)
class RunSummary:
    """Every figure of the headline table, the JSON and the report."""

    run_id: str
    dataset: str
    preset: str
    label: str  # what kind of run this is, '' when models took part
    finished: str
    seconds: float  # wall clock of the whole run
    report: str  # path of the HTML report
    overall: Group
    by_difficulty: tuple[Group, ...]
    by_database: tuple[Group, ...]
    statuses: Mapping[str, int]  # questions by status, see question_outcomes.STATUSES
    reasons: Mapping[str, int]  # questions without a right answer by reason, most frequent first
    gained: int  # questions that the selection gets right and the vote does not
    lost: int  # the other way round
    s1: LinkingFigures
    s2: LinkingFigures
    cells: int  # string literals of the gold SQL
    cell_recall: float | None
    changed: int  # candidates that repair changed
    fixed: int  # of these, wrong before and right after
    broken: int  # right before and wrong after
    actions: tuple[RepairAction, ...]
    outcomes: Mapping[str, int]  # candidates by outcome after repair
    paths: Mapping[str, int]  # selections by path
    candidates: int
    generators: tuple[GeneratorFigures, ...]  # best first
    cost: float  # dollars
    failed_questions: tuple[str, ...]  # ids of questions without a selection
    failed_tasks: tuple[str, ...]  # one line each
    notes: tuple[str, ...]  # data quality

    @property
    def unanimous(self) -> float:
        """Share of questions whose candidates all agree."""
        return percent(self.paths.get("unanimous", 0), self.overall.n)


def to_json(summary: RunSummary) -> dict[str, Any]:
    """Lay the summary out for `--json`: shares in percent, rounded to two decimals. Fit for json.dumps."""
    overall = summary.overall
    return {
        "run_id": summary.run_id,
        "dataset": summary.dataset,
        "preset": summary.preset,
        "label": summary.label,
        "n": overall.n,
        **_group_shares(overall),
        "by_difficulty": {g.name: _group_json(g) for g in summary.by_difficulty},
        "by_database": {g.name: _group_json(g) for g in summary.by_database},
        "statuses": dict(summary.statuses),
        "reasons": dict(summary.reasons),
        "selection_gained": summary.gained,
        "selection_lost": summary.lost,
        "linking": {**_linking_json(summary.s2), "s1": _linking_json(summary.s1)},
        "cell_recall": _rounded(summary.cell_recall),
        "cells": summary.cells,
        "changed": summary.changed,
        "fixed": summary.fixed,
        "broken": summary.broken,
        "unanimous": _rounded(summary.unanimous),
        "paths": dict(summary.paths),
        "outcomes": dict(summary.outcomes),
        "candidates": summary.candidates,
        "generators": {g.name: _generator_json(g) for g in summary.generators},
        "cost": summary.cost,
        "seconds": round(summary.seconds, 1),
        "finished": summary.finished,
        "failed_questions": list(summary.failed_questions),
        "failed_tasks": list(summary.failed_tasks),
        "notes": list(summary.notes),
        "report": summary.report,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _group_shares(group: Group) -> dict[str, Any]:
    return {
        "correct": group.correct,
        "execution_accuracy": _rounded(group.execution_accuracy),
        "interval": [_rounded(bound) for bound in group.interval],
        "majority_vote": _rounded(group.majority_vote),
        "upper_bound": _rounded(group.upper_bound),
    }


def _group_json(group: Group) -> dict[str, Any]:
    return {"n": group.n, **_group_shares(group)}


def _linking_json(figures: LinkingFigures) -> dict[str, Any]:
    shares = ("strict_recall", "recall", "precision", "columns_kept", "columns_total", "share_kept")
    return {"n": figures.n, **{name: _rounded(getattr(figures, name)) for name in shares}}


def _generator_json(figures: GeneratorFigures) -> dict[str, Any]:
    return {
        "candidates": figures.candidates,
        "answered": figures.answered,
        "correct": figures.correct,
        "execution_accuracy": _rounded(figures.execution_accuracy),
        "upper_bound": _rounded(figures.upper_bound),
        "unique": figures.unique,
        "failed": figures.failed,
        "cost": figures.cost,
    }
