"""What a second, corrected gold changes of a run's score, in figures and in a sentence."""

from dataclasses import dataclass
from typing import Any

from nl2sql.reporting.question_outcomes import selected_verdicts
from nl2sql.reporting.run_tables import RunTables
from nl2sql.reporting.shares import percent


@dataclass(frozen=True)
class CorrectedFigures:
    """The selected answers under the benchmark's gold and under the corrected one, over all n questions."""

    n: int
    golds: int  # questions whose corrected gold is another
    first: int  # right by the benchmark's gold
    corrected: int  # right by the corrected one
    now_right: int
    now_wrong: int

    @property
    def changed(self) -> int:
        """Questions whose verdict changes."""
        return self.now_right + self.now_wrong


def corrected_figures(tables: RunTables) -> CorrectedFigures | None:
    """Compare the verdicts on the answers of a run; None where no question has another gold."""
    after = {key: v.correct for key, v in selected_verdicts(tables.corrected).items()}
    if not after:
        return None
    before = {key: v.correct for key, v in selected_verdicts(tables.verdicts).items()}
    first = sum(before.values())
    now_right = sum(right and not before.get(key, False) for key, right in after.items())
    now_wrong = sum(before.get(key, False) and not right for key, right in after.items())
    return CorrectedFigures(
        len(tables.questions), len(after), first, first + now_right - now_wrong, now_right, now_wrong
    )


def corrected_sentence(figures: CorrectedFigures) -> str:
    """Both scores side by side."""
    first, corrected = percent(figures.first, figures.n), percent(figures.corrected, figures.n)
    return (
        f"execution accuracy {corrected:.1f} % with the corrected gold, {first:.1f} % with the benchmark's: of"
        f" {figures.golds:,} questions with another gold {figures.changed:,} have another verdict,"
        f" {figures.now_right:,} now right and {figures.now_wrong:,} now wrong"
    )


def corrected_json(figures: CorrectedFigures | None) -> dict[str, Any] | None:
    """For summary.json; shares in percent."""
    if figures is None:
        return None
    return {
        "golds_changed": figures.golds,
        "correct": figures.corrected,
        "execution_accuracy": round(percent(figures.corrected, figures.n), 2),
        "questions_changed": figures.changed,
        "now_right": figures.now_right,
        "now_wrong": figures.now_wrong,
    }
