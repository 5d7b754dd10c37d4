"""The figures of one run, and the JSON object that `nl2sql evaluate --json` ends with.

Every share is a percentage from 0 to 100, as the field prints it (74.0 is seventy-four in a hundred); every count is
an int; what cannot be measured (no gold SQL, no string literal in it) is None, null in JSON, never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nl2sql.reporting.generator_diversity import Diversity, diversity_json
from nl2sql.reporting.generator_figures import GeneratorFigures, generator_json
from nl2sql.reporting.model_costs import ModelCosts, costs_json
from nl2sql.reporting.shares import money, percent, wilson_interval


@dataclass(frozen=True)
class Group:
    """Counts of a set of questions: all, those of a difficulty, those of a database."""

    name: str
    n: int
    correct: int
    voted: int  # right by the plain majority vote
    available: int  # at least one candidate is right
    corrected: int | None = None  # right by the corrected gold; None in a run without one

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
    def corrected_accuracy(self) -> float | None:
        """EX by the corrected gold."""
        return None if self.corrected is None else percent(self.corrected, self.n)

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
class RepairAction:
    """One kind of repair over all candidates that it changed."""

    name: str
    applied: int
    fixed: int
    broken: int


@dataclass(frozen=True)
class WrongQuestion:
    """A question without a right answer, and why."""

    question_id: str
    db_id: str
    difficulty: str
    question: str
    reason: str
    detail: str


@dataclass(frozen=True)
class RunSummary:
    """Every figure of the headline table, the JSON and the report."""

    run_id: str
    dataset: str
    preset: str
    label: str  # what wrote the SQL: rules, recorded predictions or the models of the lineup
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
    diversity: Diversity | None  # None with fewer than two generators
    models: ModelCosts | None  # None where no model was asked
    wrong: tuple[WrongQuestion, ...]  # in the run's order
    failed_questions: tuple[str, ...]  # ids of questions without a selection
    failed_tasks: tuple[str, ...]  # one line each
    notes: tuple[str, ...]  # data quality

    @property
    def cost(self) -> float:
        """Dollars of all the answers that models gave, whoever paid for them."""
        return self.models.dollars if self.models else 0.0

    @property
    def cost_note(self) -> str:
        """Why the run cost what it did."""
        if self.models is None:
            return "no model calls"
        return f"{money(self.models.per_question.mean)} a question, {money(self.models.paid)} paid by this run"

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
        "generators": {g.name: generator_json(g) for g in summary.generators},
        "diversity": diversity_json(summary.diversity),
        "cost": round(summary.cost, 8),
        "cost_note": summary.cost_note,
        "models": costs_json(summary.models),
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
        **({} if group.corrected is None else {"corrected_accuracy": _rounded(group.corrected_accuracy)}),
    }


def _group_json(group: Group) -> dict[str, Any]:
    return {"n": group.n, **_group_shares(group)}


def _linking_json(figures: LinkingFigures) -> dict[str, Any]:
    shares = ("strict_recall", "recall", "precision", "columns_kept", "columns_total", "share_kept")
    return {"n": figures.n, **{name: _rounded(getattr(figures, name)) for name in shares}}
