"""Op 9 on disk: executed candidates in, one answer per question out."""

from nl2sql.online import select_answers as op
from nl2sql.online.ablations import take_first
from nl2sql.online.selection_policy import Policy
from nl2sql.rows import Grounding, Linking, Question, Repair, Selection
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task
from tasks.database_context import CONTEXT_CALLS, OfflineArtifacts, open_context


@artifact_task("selections", calls=[op.select_answers, take_first, *CONTEXT_CALLS])
def select_answers(
    questions: tuple[Question, ...],
    repairs: Artifact,
    offline: OfflineArtifacts,
    margin: float,
    empty_is_wrong: bool,
    selected: bool = True,
    policy: Policy | None = None,
    groundings: Artifact | None = None,
    linkings: Artifact | None = None,
) -> list[Selection]:
    """Choose by results: unanimous, vote, rank or policy. Not `selected`, take the first candidate.

    Groundings and linkings are what a policy's features read; without one they are not passed.
    """
    if not selected:
        return take_first(questions, read_rows(repairs, Repair))
    return op.select_answers(
        questions,
        read_rows(repairs, Repair),
        open_context(offline),
        margin=margin,
        empty_is_wrong=empty_is_wrong,
        policy=policy,
        groundings=read_rows(groundings, Grounding) if groundings else (),
        linkings=read_rows(linkings, Linking) if linkings else (),
    )
