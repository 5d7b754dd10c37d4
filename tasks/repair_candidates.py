"""Op 8 on disk: candidates in, the same after execution and fixing out."""

from nl2sql.execution import Limits
from nl2sql.online import repair_candidates as op
from nl2sql.rows import Candidate, Grounding, Linking, Question, Repair
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task
from tasks.database_context import CONTEXT_CALLS, OfflineArtifacts, open_context


@artifact_task("repairs", calls=[op.repair_candidates, *CONTEXT_CALLS], retries=1)
def repair_candidates(
    questions: tuple[Question, ...],
    groundings: Artifact,
    linkings: Artifact,
    candidates: Artifact,
    offline: OfflineArtifacts,
    timeout: float,
    empty_is_wrong: bool,
    repaired: bool = True,
) -> list[Repair]:
    """Execute candidates read-only and repair those that fail, where facts of the database allow it.

    Not `repaired`, they are only executed.
    """
    return op.repair_candidates(
        questions,
        read_rows(groundings, Grounding),
        read_rows(linkings, Linking),
        read_rows(candidates, Candidate),
        open_context(offline),
        limits=Limits(seconds=timeout),
        empty_is_wrong=empty_is_wrong,
        rounds=op.ROUNDS if repaired else 0,
    )
