"""The first rows of a result as text for artifacts and reports."""

import json

from nl2sql.execution import ExecutionResult

PREVIEW_ROWS = 10
PREVIEW_CHARACTERS = 200  # of one value


def render_preview(result: ExecutionResult) -> str:
    """Give the first rows as JSON {"columns": [...], "rows": [[...]]}; long values are cut, blobs become hex."""
    rows = [[_shown(v) for v in row] for row in result.rows[:PREVIEW_ROWS]]
    return json.dumps({"columns": list(result.columns), "rows": rows}, ensure_ascii=False)


def _shown(value: object) -> object:
    if isinstance(value, bytes):
        value = f"x'{value[:PREVIEW_CHARACTERS].hex()}'"
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)  # JSON has no infinity
    if isinstance(value, str) and len(value) > PREVIEW_CHARACTERS:
        return value[:PREVIEW_CHARACTERS] + "…"
    return value
