"""Op 9 once all candidates of a database are executed: its generators are weighed by all of its questions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from flows.batches import Batch
from flows.manifests import Submission, artifact, submission
from flows.model_choices import judging, local_tags
from flows.options import Options
from flows.poisoned_questions import Aside, settle_around
from flows.policies import selection_policy
from nl2sql.rows import Step
from tasks.artifact_store import Artifact, ArtifactStore
from tasks.database_context import OfflineArtifacts
from tasks.estimate_accuracies import estimate_accuracies
from tasks.model_access import Access
from tasks.select_answers import select_answers

Made = dict[tuple[str, int], dict[str, Artifact]]  # by database and batch: artifacts by stage


def select_batches(
    batches: Sequence[Batch],
    steps: Sequence[Step],
    offline: Mapping[str, OfflineArtifacts],
    store: ArtifactStore,
    options: Options,
    access: Access | None,
    recorded: bool,
    aside: Aside,
) -> list[Step]:
    """Selections of the batches whose candidates are executed, as the steps say, and what weighs their generators.

    A batch of 32 questions says too little of how often a generator is right (docs/selection.md). A lineup of one has
    nothing to weigh.
    """
    made: Made = defaultdict(dict)
    for step in steps:
        if step.kind:
            made[step.db_id, step.batch][step.stage] = artifact(step)
    weighs = (recorded or len(options.lineup) > 1) and "selection" not in options.without
    accuracies = weigh_generators(made, store, bool(options.empty_is_wrong)) if weighs else {}
    ready = [b for b in batches if "repair_candidates" in made[b.db_id, b.number]]

    def select(batch: Batch) -> list[Submission]:
        found = made[batch.db_id, batch.number]
        return [_select(batch, found, offline, store, options, access, accuracies.get(batch.db_id))]

    return settle_around("select answers", ready, select, aside, list(accuracies.values()))


def weigh_generators(made: Made, store: ArtifactStore, empty_is_wrong: bool) -> dict[str, Submission]:
    """Estimate by database how often each generator is right, from all the batches that did not fail."""
    repairs: dict[str, dict[str, Any]] = defaultdict(dict)
    for (db_id, number), found in sorted(made.items()):
        if "repair_candidates" in found:
            repairs[db_id][f"batch_{number:06}"] = found["repair_candidates"]
    return {
        db_id: submission(estimate_accuracies, store, db_id, 0, empty_is_wrong=empty_is_wrong, **found)
        for db_id, found in repairs.items()
    }


def _select(
    batch: Batch,
    made: Mapping[str, Artifact],
    offline: Mapping[str, OfflineArtifacts],
    store: ArtifactStore,
    options: Options,
    access: Access | None,
    accuracies: Submission | None,
) -> Submission:
    weights: dict[str, Any] = {"accuracies": accuracies.future} if accuracies else {}
    groundings = made["ground_questions"]
    policy = selection_policy(options.policy, batch.db_id, groundings=groundings, linkings=made["link_schema"])
    judge = judging(options, access, groundings)
    return submission(
        select_answers,
        store,
        batch.db_id,
        batch.number,
        questions=batch.blind,
        repairs=made["repair_candidates"],
        offline=offline[batch.db_id],
        margin=options.margin,
        empty_is_wrong=options.empty_is_wrong,
        **options.switched_off("selection", selected=False),
        **{**policy, **judge},
        **weights,
        tags=local_tags(judge),
    )
