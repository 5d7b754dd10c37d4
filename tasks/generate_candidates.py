"""Op 7 on disk: questions, groundings and linkings in, candidates of every generator of the lineup out."""

from nl2sql.models.generator import Generator
from nl2sql.models.recorded import record
from nl2sql.models.rules.generator import Rules
from nl2sql.online import generate_candidates as op
from nl2sql.rows import Candidate, Grounding, Linking, Question
from nl2sql.scoring.predictions import Prediction
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task
from tasks.database_context import CONTEXT_CALLS, OfflineArtifacts, open_context


@artifact_task("candidates", calls=[op.generate_candidates, Rules, record, *CONTEXT_CALLS])
def generate_candidates(
    questions: tuple[Question, ...],
    groundings: Artifact,
    linkings: Artifact,
    offline: OfflineArtifacts,
    lineup: tuple[str, ...],
    predictions: tuple[Prediction, ...],
) -> list[Candidate]:
    """Let every generator of the lineup answer a batch of questions."""
    return op.generate_candidates(
        questions,
        read_rows(groundings, Grounding),
        read_rows(linkings, Linking),
        open_context(offline),
        [make_generator(name, predictions) for name in lineup],
    )


def make_generator(name: str, predictions: tuple[Prediction, ...]) -> Generator:
    """The generator of that name: 'rules', or 'recorded' over the given predictions."""
    return {"rules": Rules, "recorded": lambda: record(predictions)}[name]()
