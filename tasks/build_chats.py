"""Op 3 on disk: training questions and what was made of their database in, chats out."""

from nl2sql.execution import Limits
from nl2sql.rows import Question
from nl2sql.training import build_chats as op
from nl2sql.training.count_tokens import token_counter
from nl2sql.training.rows import Chat, Solution
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task
from tasks.training_inputs import (
    INPUT_CALLS,
    Answered,
    describe,
    read_failed,
    read_groundings,
    read_linked,
    read_refused,
)


@artifact_task("chats", calls=[op.build_chats, token_counter, *INPUT_CALLS], retries=1)
def build_chats(
    questions: tuple[Question, ...],
    answered: Answered | None,
    solutions: Artifact | None,
    leaks: Artifact,
    parts: tuple[tuple[str, str], ...],
    chats: op.ChatOptions,
    rebuilt: bool,
    tokenizer: str,
    tokenizer_digest: str,
    timeout: float,
    empty_is_wrong: bool,
) -> list[Chat]:
    """Make chats about one database, or about one that is not here, whose schema is then `rebuilt` or not shown."""
    described = describe(answered, questions)
    material = op.Material(described, schema_source=op.REBUILT if rebuilt else op.NONE)
    if answered is not None:
        found = tuple(read_rows(solutions, Solution)) if solutions else ()
        known = (read_linked(answered), read_failed(answered), found, read_groundings(answered))
        material = op.Material(described, answered.database.path, op.DATABASE, *known)
    refused, count, limits = read_refused(leaks), token_counter(tokenizer), Limits(seconds=timeout)
    return op.build_chats(questions, material, dict(parts), refused, chats, count, limits, empty_is_wrong)
