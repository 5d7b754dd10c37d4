"""Op 6 on disk: questions and groundings in, the columns that they need out."""

from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.link_schema import SchemaLinker
from nl2sql.models.rules.generator import Rules
from nl2sql.online import link_schema as op
from nl2sql.online.ablations import keep_all_columns
from nl2sql.rows import Grounding, Linking, Question
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import Made, artifact_task
from tasks.database_context import CONTEXT_CALLS, OfflineArtifacts, open_context
from tasks.model_access import Access, made, open_session


def draft_by_rules() -> op.Draft:
    """The rules generator's best statement over the full schema, which remembers the database between questions."""
    return Rules().draft


@artifact_task("linkings", calls=[op.link_schema, keep_all_columns, Rules, SchemaLinker, *CONTEXT_CALLS])
def link_schema(
    questions: tuple[Question, ...],
    groundings: Artifact,
    offline: OfflineArtifacts,
    linked: bool = True,
    choice: ModelChoice | None = None,
    draft: ModelChoice | None = None,
    access: Access | None = None,
) -> list[Linking] | Made:
    """Link a batch of questions to the schema by scores, or by the choices of a model, and by a draft's columns.

    The draft is the model's, or the rules generator's. Not `linked`, every question keeps all columns.
    """
    if not linked:
        return keep_all_columns(questions, open_context(offline).schema)
    session = open_session(access) if choice and access else None
    linkings = op.link_schema(
        questions,
        read_rows(groundings, Grounding),
        open_context(offline),
        draft=draft_by_rules(),
        chooser=SchemaLinker(session, choice, draft) if session and choice else None,
    )
    return made(linkings, session)
