"""Ops 5 to 9: ground, link, generate, repair and select, one task per batch of questions and step."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.batches import Batch, batches_of
from flows.build_indexes import build_indexes
from flows.local_limits import TAG, ensure_one_local_model
from flows.manifests import (
    Submission,
    artifact,
    by_database,
    finish,
    manifest_of,
    read_manifest,
    submission,
)
from flows.model_choices import (
    LOCAL,
    asking,
    fixing,
    lineup_entries,
    linking_models,
    local_tags,
    models_of,
    split_lineup,
)
from flows.model_settings import run_access, with_local_models
from flows.options import Options
from flows.parameters import Artifacts, Before, Databases, Dataset, Limit, Predictions, Split
from flows.poisoned_questions import ANSWERING, SELECTING, open_aside, settle_around
from flows.run_names import run_name
from flows.select_batches import Selecting, select_batches, select_early
from flows.task_runner import TASK_RUNNER
from nl2sql.benchmarks import load_benchmark
from nl2sql.models.choices import LineupEntry
from nl2sql.rows import Database, Question
from nl2sql.scoring.predictions import Prediction, load_predictions, match_predictions
from tasks.artifact_store import Artifact, ArtifactStore
from tasks.database_context import OfflineArtifacts
from tasks.generate_candidates import generate_candidates, generate_locally
from tasks.ground_questions import ground_questions
from tasks.link_schema import link_schema
from tasks.model_access import Access
from tasks.repair_candidates import repair_candidates


@flow(flow_run_name=run_name("answer"), persist_result=False, task_runner=TASK_RUNNER)
def answer_questions(
    dataset: Dataset,
    databases: Databases = (),
    limit: Limit = None,
    split: Split = "dev",
    predictions: Predictions = (),
    artifacts: Artifacts = "artifacts",
    options: Options = Options(),
    indexed: Before = None,
) -> State:
    """An answer to every question; the result is the manifest. With `predictions`, these files are the lineup."""
    store, options = ArtifactStore(artifacts), with_local_models(options, artifacts)
    indexed = indexed or manifest_of(build_indexes(dataset, databases, split, artifacts, options, return_state=True))
    benchmark = load_benchmark(dataset, split, databases)
    offline = offline_artifacts(indexed, benchmark.databases)
    recorded = [p for file in predictions for p in load_recorded(file, benchmark.questions)]
    if options.empty_is_wrong is None:
        options = options.model_copy(update={"empty_is_wrong": benchmark.empty_is_wrong})
    batches = [b for b in batches_of(benchmark, limit, options.batch_size) if b.db_id in offline]
    aside = open_aside(store, benchmark.databases, options)
    if options.retry_set_aside:
        aside.forget(batches)
    access = run_access(options, artifacts, sum(len(b.questions) for b in batches))
    if any(model.startswith(LOCAL) for model in models_of(options)):
        ensure_one_local_model()
    answer = partial(answer_batch, offline=offline, store=store, options=options, recorded=recorded, access=access)
    selecting = Selecting(offline, store, options, access, bool(recorded))
    asked = aside.without(batches, ANSWERING)
    early = select_early(asked, selecting, aside)
    steps = settle_around("answer questions", asked, answer, aside, follow=early)
    steps = select_batches(aside.without(batches, SELECTING), steps, selecting, aside)
    return finish(store, [*read_manifest(indexed), *steps])


def answer_batch(
    batch: Batch,
    offline: Mapping[str, OfflineArtifacts],
    store: ArtifactStore,
    options: Options,
    recorded: list[Prediction],
    access: Access | None,
) -> list[Submission]:
    """The spine: four tasks for one batch, each fed by those before it. Without `access` no step asks a model."""
    questions, place = batch.blind, (store, batch.db_id, batch.number)
    opened = offline[batch.db_id]
    ids = {q.question_id for q in questions}
    predictions = tuple(p for p in recorded if p.question_id in ids)
    lineup = (LineupEntry("recorded", "recorded"),) if recorded else lineup_entries(options)

    ground = submission(
        ground_questions,
        *place,
        questions=questions,
        offline=opened,
        **grounding_options(options),
        **asking(options, access, choice="ground"),
        tags=local_tags(asking(options, access, choice="ground")),
    )
    link = submission(
        link_schema,
        *place,
        questions=questions,
        groundings=ground.future,
        offline=opened,
        **options.switched_off("linking", linked=False),
        **linking_models(options, access),
        tags=local_tags(linking_models(options, access)),
    )
    found = {"questions": questions, "groundings": ground.future, "linkings": link.future, "offline": opened}
    main, local = split_lineup(lineup)
    writing: dict[str, Any] = {"lineup": main, **({"access": access} if access else {})}
    generate = submission(
        generate_candidates, *place, **found, **writing, predictions=predictions, tags=local_tags(writing)
    )
    locally = [
        submission(generate_locally, *place, **found, lineup=part, access=access, tags=(TAG,))
        for part in (local,)
        if part
    ]
    repair = submission(
        repair_candidates,
        *place,
        **found,
        candidates=generate.future,
        timeout=options.timeout,
        empty_is_wrong=options.empty_is_wrong,
        **options.switched_off("fixer", repaired=False),
        **({"local_candidates": locally[0].future} if locally else {}),
        **fixing(options, access),
        tags=local_tags(fixing(options, access)),
    )
    return [ground, link, generate, *locally, repair]


def grounding_options(options: Options) -> dict[str, Any]:
    """What the grounding task reads of the options."""
    examples = 0 if "examples" in options.without else options.examples
    return {"examples": examples, **options.switched_off("cells", cells=False)}


def load_recorded(file: str, questions: Sequence[Question]) -> list[Prediction]:
    """The predictions of a file under the ids of the questions, whose place in BIRD's format stands for their id."""
    loaded = load_predictions(file)
    if not loaded.by_position:
        return list(loaded.items)
    matchings, _ = match_predictions(loaded, questions)
    pairs = [(q, p) for m in matchings for q, p in zip(m.questions, m.predictions, strict=True) if p is not None]
    return [p._replace(question_id=q.question_id) for q, p in pairs]


def offline_artifacts(indexed: Artifact, databases: tuple[Database, ...]) -> dict[str, OfflineArtifacts]:
    """What the manifest of `build_indexes` holds for each database, those left out of which a task failed."""
    steps = read_manifest(indexed)
    examples = [s for s in steps if s.stage == "index_examples" and not s.error]
    by_id = {d.db_id: d for d in databases}
    return {
        db_id: OfflineArtifacts(
            by_id[db_id],
            made["profile_database"],
            made["summarise_fields"],
            made["index_cells"],
            made["band_cells"],
            made["index_columns"],
            artifact(examples[0]),
        )
        for db_id, made in by_database(steps)
        if examples and db_id in by_id and {"index_columns", "band_cells"} <= made.keys()
    }
