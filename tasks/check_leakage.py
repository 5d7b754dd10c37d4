"""Leakage on disk: training questions and dev questions in, those of the first that give away the second out."""

from nl2sql.indexes import embedding
from nl2sql.rows import Question
from nl2sql.training import check_leakage as op
from nl2sql.training.rows import Leak
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task


@artifact_task("leaks", calls=[op.check_leakage, embedding.embed])
def check_leakage(train: Artifact, dev: Artifact) -> list[Leak]:
    """Find the training questions that may not be learnt from."""
    return op.check_leakage(read_rows(train, Question), read_rows(dev, Question), embedding.embed)
