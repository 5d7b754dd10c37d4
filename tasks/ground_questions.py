"""Op 5 on disk: questions in, what of them is found in the database out."""

from nl2sql.online import ground_questions as op
from nl2sql.rows import Grounding, Question
from tasks.cached_task import artifact_task
from tasks.database_context import CONTEXT_CALLS, OfflineArtifacts, open_context


@artifact_task("groundings", calls=[op.ground_questions, *CONTEXT_CALLS])
def ground_questions(
    questions: tuple[Question, ...], offline: OfflineArtifacts, examples: int, cells: bool = True
) -> list[Grounding]:
    """Look up literals, columns and similar examples for a batch of questions; without `cells` match no literal."""
    cell_limit = op.CELL_LIMIT if cells else 0
    return op.ground_questions(questions, open_context(offline), cell_limit=cell_limit, example_limit=examples)
