"""Op 9 on disk: executed candidates in, one answer per question out."""

from nl2sql.online import select_answers as op
from nl2sql.online.ablations import take_first
from nl2sql.rows import Question, Repair, Selection
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task
from tasks.database_context import CONTEXT_CALLS, OfflineArtifacts, open_context


@artifact_task("selections", calls=[op.select_answers, take_first, *CONTEXT_CALLS], tags=["online"])
def select_answers(
    questions: tuple[Question, ...],
    repairs: Artifact,
    offline: OfflineArtifacts,
    margin: float,
    empty_is_wrong: bool,
    selected: bool = True,
) -> list[Selection]:
    """Choose by results: unanimous, vote or rank. Not `selected`, take the first candidate."""
    if not selected:
        return take_first(questions, read_rows(repairs, Repair))
    return op.select_answers(
        questions,
        read_rows(repairs, Repair),
        open_context(offline),
        margin=margin,
        empty_is_wrong=empty_is_wrong,
    )
