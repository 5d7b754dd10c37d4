"""Scoring on disk: executed candidates and selections in, a verdict on each out."""

from dataclasses import replace

from nl2sql.rows import Database, Question, Repair, Selection, Verdict
from nl2sql.scoring import score_answers as op
from nl2sql.scoring.execution_accuracy import SCORING_LIMITS
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task
from tasks.database_context import refuse_passing


@artifact_task("verdicts", calls=[op.score_answers], retries=1)
def score_answers(
    questions: tuple[Question, ...],
    repairs: Artifact,
    selections: Artifact,
    database: Database,
    timeout: float,
) -> list[Verdict]:
    """Compare results with those of the gold SQL, as BIRD's evaluator does."""
    verdicts = op.score_answers(
        questions,
        read_rows(repairs, Repair),
        read_rows(selections, Selection),
        database.path,
        replace(SCORING_LIMITS, seconds=timeout),
    )
    refuse_passing(database.db_id, (v.detail for v in verdicts))
    return verdicts
