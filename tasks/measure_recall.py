"""Recall on disk: groundings and linkings in, what of the gold SQL they kept out."""

from nl2sql.rows import Grounding, Linking, Question, Recall
from nl2sql.scoring import recall as op
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task
from tasks.database_context import CONTEXT_CALLS, OfflineArtifacts, open_context


@artifact_task("recalls", calls=[op.measure_recall, *CONTEXT_CALLS])
def measure_recall(
    questions: tuple[Question, ...], groundings: Artifact, linkings: Artifact, offline: OfflineArtifacts
) -> list[Recall]:
    """Compare linked columns and matched cells with those of the gold SQL."""
    return op.measure_recall(
        questions, read_rows(groundings, Grounding), read_rows(linkings, Linking), open_context(offline)
    )
