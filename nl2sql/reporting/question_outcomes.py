"""What became of each question: right, missed by the selection, wrong or unanswered."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nl2sql.reporting.run_tables import RunTables
from nl2sql.rows import Question, Repair, Selection, Verdict

STATUSES = {
    "right": "Right",
    "missed": "Right candidate, not selected",
    "wrong": "No right candidate",
    "unanswered": "No answer",
}
FAILURES = ("error", "timeout", "too_large")  # outcomes without a result


@dataclass(frozen=True, slots=True)
class QuestionOutcome:
    """One question after the run. `reason` is '' exactly when the status is right."""

    question_id: str
    db_id: str
    difficulty: str
    status: str  # a key of STATUSES
    reason: str
    path: str  # of the selection; 'none' when there is no answer
    confidence: float
    voted: bool  # the plain majority vote is right
    candidates: int
    right_candidates: int
    clusters: int
    corrected: bool = False  # right by the corrected gold, where there is one, else by the benchmark's


def verdicts_by_system(verdicts: Sequence[Verdict]) -> dict[str, dict[tuple[str, str], Verdict]]:
    """Verdicts by system, then by question and candidate."""
    found: dict[str, dict[tuple[str, str], Verdict]] = defaultdict(dict)
    for verdict in verdicts:
        found[verdict.system][verdict.question_id, verdict.candidate_id] = verdict
    return found


def selected_verdicts(verdicts: Sequence[Verdict]) -> dict[str, Verdict]:
    """The verdicts on the answers, by question."""
    return {v.question_id: v for v in verdicts if v.system == "selected"}


def repair_effects(
    repairs: Sequence[Repair], systems: Mapping[str, Mapping[tuple[str, str], Verdict]]
) -> dict[tuple[str, str], str]:
    """What repair did to each candidate that it changed: fixed (wrong, then right), broken, or only changed.

    Verdicts of the system 'unrepaired' tell what the statement was worth before. Without one, a statement that had no
    result is known to have been wrong, and nothing is known of the others.
    """
    before, after = systems.get("unrepaired", {}), systems.get("candidate", {})
    keys = {(r.question_id, r.candidate_id): r for r in repairs if r.sql != r.sql_before}
    return {key: _effect(repair, before.get(key), after.get(key)) for key, repair in keys.items()}


def _effect(repair: Repair, before: Verdict | None, after: Verdict | None) -> str:
    if after is None:
        return "changed"
    was_right = before.correct if before else None if repair.outcome_before not in FAILURES else False
    if was_right is None or was_right == after.correct:
        return "changed"
    return "fixed" if after.correct else "broken"


def question_outcomes(tables: RunTables) -> list[QuestionOutcome]:
    """One outcome per question, in the questions' order; a question without a selection is unanswered."""
    systems = verdicts_by_system(tables.verdicts)
    scored = {s: {key[0]: v for key, v in systems.get(s, {}).items()} for s in ("selected", "vote")}
    scored["corrected"] = scored["selected"] | selected_verdicts(tables.corrected)
    chosen = {s.question_id: s for s in tables.selections}
    produced = _count(tables.candidates)
    right = _count([v for v in systems.get("candidate", {}).values() if v.correct])
    ran = _count([r for r in tables.repairs if r.outcome not in FAILURES])
    return [_outcome(q, scored, chosen.get(q.question_id), (produced, right, ran)) for q in tables.questions]


def _count(rows: Sequence[Any]) -> Mapping[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        counts[row.question_id] += 1
    return counts


def _outcome(
    question: Question,
    scored: Mapping[str, Mapping[str, Verdict]],
    selection: Selection | None,
    counts: tuple[Mapping[str, int], Mapping[str, int], Mapping[str, int]],
) -> QuestionOutcome:
    key = question.question_id
    produced, right, ran = (c.get(key, 0) for c in counts)
    verdict, vote, corrected = (scored[system].get(key) for system in ("selected", "vote", "corrected"))
    answered = selection is not None and bool(selection.sql)
    status = _status(verdict, answered, right)
    return QuestionOutcome(
        key,
        question.db_id,
        question.difficulty,
        status,
        _reason(status, verdict, selection, produced, ran),
        selection.path if selection else "none",
        selection.confidence if selection else 0.0,
        vote is not None and vote.correct,
        produced,
        right,
        len(selection.clusters) if selection else 0,
        corrected is not None and corrected.correct,
    )


def _status(verdict: Verdict | None, answered: bool, right: int) -> str:
    if verdict is not None and verdict.correct:
        return "right"
    if right:
        return "missed"
    return "wrong" if answered else "unanswered"


def _reason(status: str, verdict: Verdict | None, selection: Selection | None, produced: int, ran: int) -> str:
    if status == "right":
        return ""
    if selection is None:
        return "task failed"
    if not produced:
        return "no candidate"
    if not ran:
        return "no candidate runs"
    return (verdict.reason if verdict else "") or "not scored"
