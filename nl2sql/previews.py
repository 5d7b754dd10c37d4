"""The first rows of a result as text for artifacts and reports, and a result as an executed candidate."""

import json

from nl2sql.execution import ExecutionResult
from nl2sql.rows import Question, Repair

PREVIEW_ROWS = 10
PREVIEW_CHARACTERS = 200  # of one value


def render_preview(result: ExecutionResult) -> str:
    """Give the first rows as JSON {"columns": [...], "rows": [[...]]}; long values are cut, blobs become hex."""
    rows = [[_shown(v) for v in row] for row in result.rows[:PREVIEW_ROWS]]
    return json.dumps({"columns": list(result.columns), "rows": rows}, ensure_ascii=False)


def executed(question: Question, sql: str, result: ExecutionResult) -> Repair:
    """A statement and its result as the answering steps hand it to prompts: nothing was repaired."""
    return Repair(
        question_id=question.question_id,
        db_id=question.db_id,
        candidate_id="",
        generator="",
        sql=sql,
        sql_before=sql,
        actions=(),
        outcome=result.outcome,
        outcome_before=result.outcome,
        error=result.error,
        row_count=result.row_count,
        column_count=len(result.columns),
        seconds=result.seconds,
        result_digest=result.digest,
        preview=render_preview(result) if result.ran else "",
    )


def _shown(value: object) -> object:
    if isinstance(value, bytes):
        value = f"x'{value[:PREVIEW_CHARACTERS].hex()}'"
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)  # JSON has no infinity
    if isinstance(value, str) and len(value) > PREVIEW_CHARACTERS:
        return value[:PREVIEW_CHARACTERS] + "…"
    return value
