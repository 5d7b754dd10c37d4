"""Op 2 on disk: candidates for training questions in, those that give the gold result out."""

from nl2sql.execution import Limits
from nl2sql.rows import Question
from nl2sql.training import sample_solutions as op
from nl2sql.training.rows import Solution
from tasks.artifact_store import Artifact
from tasks.cached_task import artifact_task
from tasks.training_inputs import INPUT_CALLS, Answered, describe, read_candidates, read_refused


@artifact_task("solutions", calls=[op.sample_solutions, *INPUT_CALLS], retries=1)
def sample_solutions(
    questions: tuple[Question, ...],
    answered: Answered,
    leaks: Artifact,
    earlier: tuple[Solution, ...],
    round_number: int,
    kept: int,
    timeout: float,
) -> list[Solution]:
    """Keep the shortest few candidates of each question of one database that are right."""
    refused = read_refused(leaks)
    return op.sample_solutions(
        [q for q in questions if q.question_id not in refused],
        read_candidates(answered),
        describe(answered, questions).schema,
        answered.database.path,
        limits=Limits(seconds=timeout),
        kept=kept,
        round_number=round_number,
        earlier=[s for s in earlier if s.question_id not in refused],
    )
