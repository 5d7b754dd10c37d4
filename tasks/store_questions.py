"""Put questions on disk as an artifact."""

from nl2sql.rows import Question
from tasks.cached_task import artifact_task


@artifact_task("questions", calls=[])
def store_questions(questions: tuple[Question, ...]) -> tuple[Question, ...]:
    """Write the questions as they were loaded."""
    return questions
