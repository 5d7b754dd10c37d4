"""How often each generator is right on a database, on disk: its executed candidates in, a row per generator out."""

from nl2sql.online import candidate_weights as op
from nl2sql.rows import Repair
from nl2sql.scoring.rows import Accuracy
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task


@artifact_task("accuracies", calls=[op.estimate_accuracies])
def estimate_accuracies(empty_is_wrong: bool, **repairs: Artifact) -> list[Accuracy]:
    """Estimate from how the candidates agree; `repairs` are the batches, under any names."""
    rows = [row for _, batch in sorted(repairs.items()) for row in read_rows(batch, Repair)]
    found = op.estimate_accuracies(rows, empty_is_wrong)
    return [Accuracy(generator, found[generator]) for generator in sorted(found)]
