"""What the gold SQL uses against what grounding found and linking kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from nl2sql.online.context import DatabaseContext
from nl2sql.rows import CellMatch, Grounding, Linking, Question, Recall
from nl2sql.sql_usage import UnreadableSQL, Usage, read_usage


@dataclass(frozen=True)
class RecallSummary:
    """Means over questions whose gold SQL could be analysed; every share is 0..1 and 0 without questions.

    `columns_kept` and `columns_total` are columns per question; `kept_share` is the mean of the questions' shares.
    """

    questions: int
    errors: int
    strict_recall: float  # share of questions with every gold column kept
    recall: float  # share of gold columns kept, over all questions together
    precision: float  # share of kept columns that are gold, over all questions together
    columns_kept: float
    columns_total: float
    kept_share: float
    cells: int
    cell_recall: float  # share of gold strings found in their column


def measure_recall(
    questions: Sequence[Question],
    groundings: Sequence[Grounding],
    linkings: Sequence[Linking],
    context: DatabaseContext,
) -> list[Recall]:
    """Compare each question's gold SQL with its grounding and linking, joined by question_id.

    Case is ignored when a gold string is looked for among the matched cells, since the cell is what a
    generator copies. A question without gold SQL, grounding or linking, or whose gold SQL cannot be analysed,
    says so in `error` and counts nowhere else.
    """
    grounded = {g.question_id: g for g in groundings}
    linked = {li.question_id: li for li in linkings}
    return [_measure(q, grounded.get(q.question_id), linked.get(q.question_id), context) for q in questions]


def _measure(
    question: Question, grounding: Grounding | None, linking: Linking | None, context: DatabaseContext
) -> Recall:
    if grounding is None or linking is None or not question.gold_sql.strip():
        missing = "gold SQL" if grounding and linking else "grounding or linking"
        return _failed(question, context, f"no {missing} for question {question.question_id}")
    try:
        usage = read_usage(question.gold_sql, context.schema)
    except UnreadableSQL as error:
        return _failed(question, context, str(error))
    return _compared(question, usage, grounding, linking)


def _compared(question: Question, usage: Usage, grounding: Grounding, linking: Linking) -> Recall:
    precise = {(link.table, link.column) for link in linking.links if link.view == 1}
    kept = {(link.table, link.column) for link in linking.links}
    found = {_cell_key(c) for c in grounding.cells}
    return Recall(
        question_id=question.question_id,
        db_id=question.db_id,
        gold_columns=usage.columns,
        missing_s1=tuple(c for c in usage.columns if (c.table, c.column) not in precise),
        missing_s2=tuple(c for c in usage.columns if (c.table, c.column) not in kept),
        kept_s1=len(precise),
        kept_s2=len(kept),
        columns_total=linking.columns_total,
        gold_cells=usage.cells,
        missing_cells=tuple(c for c in usage.cells if _cell_key(c) not in found),
        error="",
    )


def _cell_key(cell: CellMatch) -> tuple[str, str, str]:
    return cell.table, cell.column, cell.value.strip().casefold()


def _failed(question: Question, context: DatabaseContext, error: str) -> Recall:
    total = len(context.schema.column_names)
    return Recall(question.question_id, question.db_id, (), (), (), 0, 0, total, (), (), error)


def summarise_recall(recalls: Sequence[Recall], view: int = 2) -> RecallSummary:
    """Sum up one view: 1 is S1, 2 is S2."""
    good = [r for r in recalls if not r.error]
    missing = [r.missing_s1 if view == 1 else r.missing_s2 for r in good]
    kept = [r.kept_s1 if view == 1 else r.kept_s2 for r in good]
    gold = sum(len(r.gold_columns) for r in good)
    hits = gold - sum(map(len, missing))
    cells = sum(len(r.gold_cells) for r in good)
    return RecallSummary(
        questions=len(good),
        errors=len(recalls) - len(good),
        strict_recall=_share(sum(not m for m in missing), len(good)),
        recall=_share(hits, gold),
        precision=_share(hits, sum(kept)),
        columns_kept=_share(sum(kept), len(good)),
        columns_total=_share(sum(r.columns_total for r in good), len(good)),
        kept_share=_share(sum(_share(k, r.columns_total) for k, r in zip(kept, good, strict=True)), len(good)),
        cells=cells,
        cell_recall=_share(cells - sum(len(r.missing_cells) for r in good), cells),
    )


def strict_recall_of(recalls: Sequence[Recall], linkings: Sequence[Linking]) -> list[bool]:
    """Whether other linkings of the same questions keep every gold column, for those whose gold SQL was analysed."""
    kept = {li.question_id: {(link.table, link.column) for link in li.links} for li in linkings}
    good = [r for r in recalls if not r.error]
    return [all((c.table, c.column) in kept[r.question_id] for c in r.gold_columns) for r in good]


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
