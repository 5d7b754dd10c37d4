"""Op 7 on disk: questions, groundings and linkings in, candidates of every generator of the lineup out."""

from nl2sql.models.choices import LineupEntry
from nl2sql.models.generator import Generator
from nl2sql.models.prompted.generate_candidates import Prompted
from nl2sql.models.recorded import record
from nl2sql.models.rules.generator import Rules
from nl2sql.models.session import Session
from nl2sql.online import generate_candidates as op
from nl2sql.rows import Candidate, Grounding, Linking, Question
from nl2sql.scoring.predictions import Prediction
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import Made, artifact_task
from tasks.database_context import CONTEXT_CALLS, OfflineArtifacts, open_context
from tasks.model_access import Access, made, open_session


@artifact_task("candidates", calls=[op.generate_candidates, Rules, record, Prompted, *CONTEXT_CALLS])
def generate_candidates(
    questions: tuple[Question, ...],
    groundings: Artifact,
    linkings: Artifact,
    offline: OfflineArtifacts,
    lineup: tuple[LineupEntry, ...],
    predictions: tuple[Prediction, ...],
    access: Access | None = None,
) -> list[Candidate] | Made:
    """Let every generator of the lineup answer a batch of questions; `rules` stands in where no model answers."""
    session = open_session(access) if access else None
    candidates = op.generate_candidates(
        questions,
        read_rows(groundings, Grounding),
        read_rows(linkings, Linking),
        open_context(offline),
        [make_generator(entry, predictions, session) for entry in lineup],
        stand_in=Rules(),
    )
    return made(candidates, session)


@artifact_task("candidates", calls=[op.generate_candidates, Prompted, *CONTEXT_CALLS])
def generate_locally(
    questions: tuple[Question, ...],
    groundings: Artifact,
    linkings: Artifact,
    offline: OfflineArtifacts,
    lineup: tuple[LineupEntry, ...],
    access: Access,
) -> list[Candidate] | Made:
    """Let the local models of a lineup answer, beside the task of all other generators."""
    session = open_session(access)
    candidates = op.generate_candidates(
        questions,
        read_rows(groundings, Grounding),
        read_rows(linkings, Linking),
        open_context(offline),
        [make_generator(entry, (), session) for entry in lineup],
    )
    return made(candidates, session)


def make_generator(entry: LineupEntry, predictions: tuple[Prediction, ...], session: Session | None) -> Generator:
    """The generator of a lineup entry; a prompted one needs a session."""
    if entry.maker == "rules":
        return Rules()
    if entry.maker == "recorded":
        return record(predictions)
    if session is None:
        raise ValueError(f"generator {entry.name} asks a model, and there is no access to any")
    return Prompted(entry, session)
