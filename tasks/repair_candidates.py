"""Op 8 on disk: candidates in, the same after execution and fixing out."""

from nl2sql.execution import Limits
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.fix_candidates import Fixer
from nl2sql.online import repair_candidates as op
from nl2sql.rows import Candidate, Grounding, Linking, Question, Repair
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import Made, artifact_task
from tasks.database_context import CONTEXT_CALLS, OfflineArtifacts, open_context, refuse_passing
from tasks.model_access import Access, made, open_session


@artifact_task("repairs", calls=[op.repair_candidates, Fixer, *CONTEXT_CALLS], retries=1)
def repair_candidates(
    questions: tuple[Question, ...],
    groundings: Artifact,
    linkings: Artifact,
    candidates: Artifact,
    offline: OfflineArtifacts,
    timeout: float,
    empty_is_wrong: bool,
    repaired: bool = True,
    local_candidates: Artifact | None = None,
    fixer: ModelChoice | None = None,
    attempts: int = 0,
    access: Access | None = None,
) -> list[Repair] | Made:
    """Execute candidates read-only and repair those that fail, where facts of the database allow it or a model can.

    Not `repaired`, they are only executed.
    """
    session = open_session(access) if fixer and access else None
    repairs = op.repair_candidates(
        questions,
        read_rows(groundings, Grounding),
        read_rows(linkings, Linking),
        [*read_rows(candidates, Candidate), *(read_rows(local_candidates, Candidate) if local_candidates else ())],
        open_context(offline),
        limits=Limits(seconds=timeout),
        empty_is_wrong=empty_is_wrong,
        rounds=op.ROUNDS if repaired else 0,
        fix=Fixer(session, fixer) if session and fixer else None,
        attempts=attempts,
    )
    refuse_passing(offline.database.db_id, (r.error for r in repairs))
    return made(repairs, session)
