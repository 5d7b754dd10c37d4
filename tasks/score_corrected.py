"""Scoring on disk by corrected gold SQL, beside the verdicts of the benchmark's own gold."""

from dataclasses import replace

from nl2sql.rows import Database, Question, Repair, Selection, Verdict
from nl2sql.scoring import score_answers as op
from nl2sql.scoring.execution_accuracy import SCORING_LIMITS
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task
from tasks.database_context import refuse_passing


@artifact_task("corrected", calls=[op.score_answers], retries=1)
def score_corrected(
    questions: tuple[Question, ...],
    repairs: Artifact,
    selections: Artifact,
    database: Database,
    timeout: float,
) -> list[Verdict]:
    """Verdicts on the questions of a batch whose gold somebody has corrected; they hold the corrected gold."""
    repaired, selected = read_rows(repairs, Repair), read_rows(selections, Selection)
    limits = replace(SCORING_LIMITS, seconds=timeout)
    verdicts = op.score_answers(questions, repaired, selected, database.path, limits)
    refuse_passing(database.db_id, (v.detail for v in verdicts))
    return verdicts
