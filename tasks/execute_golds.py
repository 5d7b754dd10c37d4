"""Gold SQL on disk: questions in, what their gold SQL gives out."""

from nl2sql.execution import Limits
from nl2sql.rows import Database, Gold, Question
from nl2sql.scoring import execute_golds as op
from tasks.cached_task import artifact_task
from tasks.database_context import refuse_passing


@artifact_task("golds", calls=[op.execute_golds], retries=1)
def execute_golds(questions: tuple[Question, ...], database: Database, timeout: float) -> list[Gold]:
    """Run the gold SQL of a batch of questions."""
    golds = op.execute_golds(questions, database.path, Limits(seconds=timeout))
    refuse_passing(database.db_id, (g.error for g in golds))
    return golds
