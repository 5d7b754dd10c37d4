"""Op 4 on disk: training questions with their candidates in, pairs of a right and a wrong statement out."""

from nl2sql.execution import Limits
from nl2sql.rows import Question
from nl2sql.training import build_pairs as op
from nl2sql.training.count_tokens import token_counter
from nl2sql.training.rows import PairSample
from tasks.artifact_store import Artifact
from tasks.cached_task import artifact_task
from tasks.training_inputs import INPUT_CALLS, Answered, describe, read_candidates, read_groundings, read_refused


@artifact_task("pairs", calls=[op.build_pairs, token_counter, *INPUT_CALLS], retries=1)
def build_pairs(
    questions: tuple[Question, ...],
    answered: Answered,
    leaks: Artifact,
    parts: tuple[tuple[str, str], ...],
    pairs: op.PairOptions,
    tokenizer: str,
    tokenizer_digest: str,
    timeout: float,
) -> list[PairSample]:
    """Make pairs about one database."""
    return op.build_pairs(
        questions,
        read_candidates(answered),
        describe(answered, questions),
        answered.database.path,
        dict(parts),
        read_refused(leaks),
        pairs,
        token_counter(tokenizer),
        Limits(seconds=timeout),
        read_groundings(answered),
    )
