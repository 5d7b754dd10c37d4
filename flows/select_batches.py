"""Op 9 once all candidates of a database are executed: its generators are weighed by all of its questions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.batches import Batch
from flows.manifests import Follow, Submission, artifact, submission
from flows.model_choices import judging, local_tags
from flows.options import Options
from flows.poisoned_questions import SELECTING, Aside, settle_around
from flows.policies import selection_policy
from nl2sql.rows import Step
from tasks.artifact_store import ArtifactStore
from tasks.database_context import OfflineArtifacts
from tasks.estimate_accuracies import estimate_accuracies
from tasks.model_access import Access
from tasks.select_answers import select_answers

Made = dict[tuple[str, int], dict[str, Any]]  # by database and batch: artifacts, or futures of them, by stage
STAGES = ("estimate_accuracies", "select_answers")


@dataclass(frozen=True)
class Selecting:
    """What the selections of a run have in common."""

    offline: Mapping[str, OfflineArtifacts]
    store: ArtifactStore
    options: Options
    access: Access | None
    recorded: bool  # whether the candidates are those of recorded systems

    @property
    def weighs(self) -> bool:
        """Whether there is a choice between generators, which a lineup of one does not give."""
        several = self.recorded or len(self.options.lineup) > 1
        return several and "selection" not in self.options.without

    @property
    def locally(self) -> bool:
        """Whether a local model judges, which would take its turn between the batches of another one."""
        return bool(local_tags(judging(self.options, self.access)))


def select_early(batches: Sequence[Batch], selecting: Selecting, aside: Aside) -> Follow:
    """Select on a database as soon as the last of its batches is repaired, while others are still being answered.

    Nothing on a database of which a batch failed: `select_batches` does what is missing.
    """
    made: Made = {}

    def follow(ended: Submission) -> list[Submission]:
        ended.future.wait()
        if ended.task.name != "repair_candidates" or selecting.locally or not ended.future.state.is_completed():
            return []
        made[ended.db_id, ended.batch] = {  # futures, so that the UI draws what came from what
            "ground_questions": ended.arguments["groundings"],
            "link_schema": ended.arguments["linkings"],
            "repair_candidates": ended.future,
        }
        of_database = [b for b in batches if b.db_id == ended.db_id]
        if any((b.db_id, b.number) not in made for b in of_database):
            return []
        weighing = weigh_generators(made, selecting, (ended.db_id,))
        weights = {db_id: each.future for db_id, each in weighing.items()}
        ready = aside.without(of_database, SELECTING)
        return [*weighing.values(), *(_select(b, made, selecting, weights) for b in ready)]

    return follow


def select_batches(batches: Sequence[Batch], steps: Sequence[Step], selecting: Selecting, aside: Aside) -> list[Step]:
    """The steps with what of the selections they lack, for the batches whose candidates are executed.

    A batch of 32 questions says too little of how often a generator is right (docs/selection.md).
    """
    made: Made = defaultdict(dict)
    for step in steps:
        if step.kind:
            made[step.db_id, step.batch][step.stage] = artifact(step)
    found = [(b, made[b.db_id, b.number]) for b in batches]
    ready = [b for b, stages in found if "repair_candidates" in stages and "select_answers" not in stages]
    weights: dict[str, Any] = {db_id: a["estimate_accuracies"] for (db_id, _), a in made.items() if STAGES[0] in a}
    missing = {b.db_id for b in ready} - weights.keys()
    weighing = weigh_generators(made, selecting, sorted(missing))
    weights |= {db_id: each.future for db_id, each in weighing.items()}

    def select(batch: Batch) -> list[Submission]:
        return [_select(batch, made, selecting, weights)]

    chosen = settle_around("select answers", ready, select, aside, list(weighing.values())) if ready else []
    order = {(b.db_id, b.number): place for place, b in enumerate(batches)}
    early = [s for s in steps if s.kind and s.stage.startswith(STAGES)]
    late = sorted([*early, *chosen], key=lambda s: order.get((s.db_id, s.batch), -1))
    return [*(s for s in steps if not s.stage.startswith(STAGES)), *late]


def weigh_generators(made: Made, selecting: Selecting, databases: Sequence[str]) -> dict[str, Submission]:
    """Estimate by database how often each generator is right, from all the batches that did not fail."""
    if not selecting.weighs:
        return {}
    repairs: dict[str, dict[str, Any]] = defaultdict(dict)
    for (db_id, number), found in sorted(made.items()):
        if "repair_candidates" in found and db_id in databases:
            repairs[db_id][f"batch_{number:06}"] = found["repair_candidates"]
    empty = bool(selecting.options.empty_is_wrong)
    return {
        db_id: submission(estimate_accuracies, selecting.store, db_id, 0, empty_is_wrong=empty, **found)
        for db_id, found in repairs.items()
    }


def _select(batch: Batch, made: Made, selecting: Selecting, weights: Mapping[str, Any]) -> Submission:
    found, options = made[batch.db_id, batch.number], selecting.options
    groundings = found["ground_questions"]
    policy = selection_policy(options.policy, batch.db_id, groundings=groundings, linkings=found["link_schema"])
    judge = judging(options, selecting.access, groundings)
    return submission(
        select_answers,
        selecting.store,
        batch.db_id,
        batch.number,
        questions=batch.blind,
        repairs=found["repair_candidates"],
        offline=selecting.offline[batch.db_id],
        margin=options.margin,
        empty_is_wrong=options.empty_is_wrong,
        **options.switched_off("selection", selected=False),
        **{**policy, **judge},
        **({"accuracies": weights[batch.db_id]} if batch.db_id in weights else {}),
        tags=local_tags(judge),
    )
