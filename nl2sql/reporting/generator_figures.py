"""What each generator of a lineup is worth on its own and beside the others."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nl2sql.reporting.question_outcomes import FAILURES
from nl2sql.reporting.shares import percent
from nl2sql.rows import Candidate, Repair, Verdict


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
    bound_without: float  # upper bound of all the others together
    cost: float  # dollars

    @property
    def cost_per_right(self) -> float | None:
        """Dollars for each question that it has a right candidate for; None without any."""
        return self.cost / self.available if self.available else None

    @property
    def cost_per_unique(self) -> float | None:
        """Dollars for each question that only it gets right; None without any."""
        return self.cost / self.unique if self.unique else None


def generator_figures(
    candidates: Sequence[Candidate],
    repairs: Sequence[Repair],
    verdicts: Mapping[tuple[str, str], Verdict],
    costs: Mapping[str, float],
    n: int,
) -> tuple[GeneratorFigures, ...]:
    """Figures of each generator over `n` questions, the most accurate first; `verdicts` are those of candidates."""
    firsts: dict[str, set[str]] = defaultdict(set)
    correct: Counter[str] = Counter()
    right: dict[str, set[str]] = defaultdict(set)
    for candidate in candidates:
        verdict = verdicts.get((candidate.question_id, candidate.candidate_id))
        if candidate.question_id not in firsts[candidate.generator]:
            firsts[candidate.generator].add(candidate.question_id)
            correct[candidate.generator] += verdict is not None and verdict.correct
        if verdict is not None and verdict.correct:
            right[candidate.generator].add(candidate.question_id)
    written = Counter(c.generator for c in candidates)
    failed = Counter(r.generator for r in repairs if r.outcome in FAILURES)
    solvers = Counter(question for solved in right.values() for question in solved)
    unique = {name: sum(solvers[question] == 1 for question in right[name]) for name in written}
    figures = [
        GeneratorFigures(
            name,
            written[name],
            len(firsts[name]),
            correct[name],
            len(right[name]),
            unique[name],
            failed[name],
            percent(correct[name], n),
            percent(len(right[name]), n),
            percent(len(solvers) - unique[name], n),
            costs.get(name, 0.0),
        )
        for name in written
    ]
    return tuple(sorted(figures, key=lambda g: (-g.correct, -g.available, g.name)))


def generator_json(figures: GeneratorFigures) -> dict[str, Any]:
    """A generator's figures as plain data; shares in percent, costs in dollars, null where nothing is right."""
    counts = ("candidates", "answered", "correct", "unique", "failed")
    shares = ("execution_accuracy", "upper_bound", "bound_without")
    costs = ("cost", "cost_per_right", "cost_per_unique")
    return {
        **{name: getattr(figures, name) for name in counts},
        **{name: round(getattr(figures, name), 2) for name in shares},
        **{name: None if (cost := getattr(figures, name)) is None else round(cost, 8) for name in costs},
    }
