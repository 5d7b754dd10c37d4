"""Op 5 on disk: questions in, what of them is found in the database out."""

from concurrent.futures import ThreadPoolExecutor

from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.ground_questions import QuestionReader
from nl2sql.online import ground_questions as op
from nl2sql.rows import Grounding, Question
from tasks.cached_task import Made, artifact_task
from tasks.database_context import CONTEXT_CALLS, OfflineArtifacts, open_context
from tasks.model_access import Access, made, open_session


@artifact_task("groundings", calls=[op.ground_questions, QuestionReader, *CONTEXT_CALLS])
def ground_questions(
    questions: tuple[Question, ...],
    offline: OfflineArtifacts,
    examples: int,
    cells: bool = True,
    choice: ModelChoice | None = None,
    access: Access | None = None,
) -> list[Grounding] | Made:
    """Look up literals, columns and similar examples for a batch of questions; without `cells` match no literal."""
    session = open_session(access) if choice and access else None
    with ThreadPoolExecutor(1, thread_name_prefix="read questions") as pool:
        # Now: what the rules need takes seconds to load the first time.
        asked = pool.submit(QuestionReader(session, choice), questions) if session and choice else None
        groundings = op.ground_questions(
            questions,
            open_context(offline),
            cell_limit=op.CELL_LIMIT if cells else 0,
            example_limit=examples,
            readings=asked.result if asked else None,
        )
    return made(groundings, session)
