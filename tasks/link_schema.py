"""Op 6 on disk: questions and groundings in, the columns that they need out."""

from nl2sql.models.rules.generator import Rules
from nl2sql.online import link_schema as op
from nl2sql.online.ablations import keep_all_columns
from nl2sql.rows import Grounding, Linking, Question
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task
from tasks.database_context import CONTEXT_CALLS, OfflineArtifacts, open_context


def draft_by_rules() -> op.Draft:
    """The rules generator's best statement over the full schema, which remembers the database between questions."""
    return Rules().draft


@artifact_task("linkings", calls=[op.link_schema, keep_all_columns, Rules, *CONTEXT_CALLS])
def link_schema(
    questions: tuple[Question, ...], groundings: Artifact, offline: OfflineArtifacts, linked: bool = True
) -> list[Linking]:
    """Link a batch of questions to the schema, with the rules generator's draft for the reversed pass.

    Not `linked`, every question keeps all columns.
    """
    if not linked:
        return keep_all_columns(questions, open_context(offline).schema)
    return op.link_schema(questions, read_rows(groundings, Grounding), open_context(offline), draft=draft_by_rules())
