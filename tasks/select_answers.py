"""Op 9 on disk: executed candidates in, one answer per question out."""

from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.compare_answers import SURE, PairJudge
from nl2sql.online import select_answers as op
from nl2sql.online.ablations import take_first
from nl2sql.online.selection_policy import Policy
from nl2sql.rows import Grounding, Linking, Question, Repair, Selection
from nl2sql.scoring.rows import Accuracy
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import Made, artifact_task
from tasks.database_context import CONTEXT_CALLS, OfflineArtifacts, open_context
from tasks.model_access import Access, made, open_session


@artifact_task("selections", calls=[op.select_answers, take_first, PairJudge, *CONTEXT_CALLS])
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
    accuracies: Artifact | None = None,
    judge: ModelChoice | None = None,
    tiebreak: ModelChoice | None = None,
    sure: float = SURE,
    access: Access | None = None,
) -> list[Selection] | Made:
    """Choose by results: unanimous, vote, rank, policy or tournament. Not `selected`, take the first candidate.

    Groundings and linkings are what a policy's features read, groundings what a local judge is shown too; without
    either they are not passed. Without `accuracies` the generators are weighed by these candidates alone. `tiebreak` is
    asked where the judge is less than `sure`.
    """
    if not selected:
        return take_first(questions, read_rows(repairs, Repair))
    session = open_session(access) if judge and access else None
    grounded = read_rows(groundings, Grounding) if groundings else []
    by_question = {g.question_id: g for g in grounded}
    selections = op.select_answers(
        questions,
        read_rows(repairs, Repair),
        open_context(offline),
        margin=margin,
        empty_is_wrong=empty_is_wrong,
        accuracies={a.generator: a.accuracy for a in read_rows(accuracies, Accuracy)} if accuracies else None,
        judge=PairJudge(session, judge, tiebreak, sure, by_question) if session and judge else None,
        policy=policy,
        groundings=grounded,
        linkings=read_rows(linkings, Linking) if linkings else (),
    )
    return made(selections, session)
