"""What the gold SQL of a benchmark gives: shown beside wrong answers, and reported where it does not run."""

from collections.abc import Sequence

from nl2sql.execution import ExecutionResult, Limits, execute_many
from nl2sql.previews import render_preview
from nl2sql.rows import Gold, Question


def execute_golds(questions: Sequence[Question], database_path: str, limits: Limits) -> list[Gold]:
    """Run the gold SQL of questions on one database, double-quoted strings allowed as the official scripts do.

    Questions without gold SQL give no row.
    """
    asked = [q for q in questions if q.gold_sql.strip()]
    results = execute_many([(database_path, q.gold_sql) for q in asked], limits, double_quoted_strings=True)
    return [_gold(q, r) for q, r in zip(asked, results, strict=True)]


def _gold(question: Question, result: ExecutionResult) -> Gold:
    return Gold(
        question_id=question.question_id,
        db_id=question.db_id,
        sql=question.gold_sql,
        outcome=result.outcome,
        error=result.error,
        row_count=result.row_count,
        seconds=result.seconds,
        preview=render_preview(result),
    )
