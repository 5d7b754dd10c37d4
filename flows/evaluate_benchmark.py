"""Score the answers to a benchmark and write the report."""

import re
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.answer_questions import answer_questions, offline_artifacts
from flows.batches import Batch, batches_of
from flows.headline import headline_sentence, publish_headline
from flows.manifests import Submission, artifact, finish, manifest_of, read_manifest, submission
from flows.model_settings import run_access
from flows.options import Options
from flows.parameters import Artifacts, Before, Databases, Dataset, Limit, Output, Predictions, Split, Started
from flows.poisoned_questions import open_aside, settle_around
from flows.run_names import run_name
from flows.task_runner import TASK_RUNNER
from nl2sql.benchmarks import load_benchmark
from nl2sql.scoring.corrected_gold import correct_golds, load_corrections
from tasks.artifact_store import Artifact, ArtifactStore
from tasks.database_context import OfflineArtifacts
from tasks.execute_golds import execute_golds
from tasks.measure_recall import measure_recall
from tasks.model_access import levels_of
from tasks.score_answers import score_answers
from tasks.score_corrected import score_corrected
from tasks.write_report import Evaluated, Run, write_report


@flow(flow_run_name=run_name("evaluate"), persist_result=False, task_runner=TASK_RUNNER)
def evaluate_benchmark(
    dataset: Dataset,
    databases: Databases = (),
    limit: Limit = None,
    split: Split = "dev",
    predictions: Predictions = (),
    artifacts: Artifacts = "artifacts",
    output: Output = "",
    options: Options = Options(),
    answered: Before = None,
    started: Started = None,
) -> State:
    """Verdicts and recalls of every answered question, and the report; the result is the manifest."""
    started = started or time.time()
    store = ArtifactStore(artifacts)
    answered = answered or manifest_of(
        answer_questions(dataset, databases, limit, split, predictions, artifacts, options, return_state=True)
    )
    benchmark = load_benchmark(dataset, split, databases)
    steps, offline = read_manifest(answered), offline_artifacts(answered, benchmark.databases)
    batches = batches_of(benchmark, limit, options.batch_size)
    made: dict[tuple[str, int], dict[str, Artifact]] = defaultdict(dict)
    for step in steps:
        if step.kind:
            made[step.db_id, step.batch][step.stage] = artifact(step)

    def score(batch: Batch) -> list[Submission]:
        found = made[batch.db_id, batch.number]
        return [
            *score_batch(batch, found, offline[batch.db_id], store, options.timeout),
            *score_by_corrected_gold(batch, found, offline[batch.db_id], store, options),
        ]

    aside = open_aside(store, benchmark.databases, options)
    answered_batches = [b for b in aside.without(batches) if "select_answers" in made[b.db_id, b.number]]
    # What took long to execute takes long again: at the end of the stage it would be waited for alone.
    longest_first = sorted(answered_batches, key=lambda b: -made[b.db_id, b.number]["repair_candidates"].seconds)
    order = {(b.db_id, b.number): place for place, b in enumerate(batches)}
    scored = settle_around("score answers", longest_first, score, aside)
    steps = [*steps, *sorted(scored, key=lambda s: order[s.db_id, s.batch])]

    questions = [q for batch in batches for q in batch.questions]
    preset = "-without-".join(["recorded" if predictions else options.preset, *options.without])
    run = describe_run(dataset, preset, artifacts, output, started)
    levels = levels_of(run_access(options, artifacts))
    summary = write_report(run, Evaluated(benchmark, questions, steps, levels, aside.among(questions)))
    publish_headline(summary, steps, artifacts)
    return finish(store, steps, headline_sentence(summary))


def score_batch(
    batch: Batch, made: dict[str, Artifact], offline: OfflineArtifacts, store: ArtifactStore, timeout: float
) -> list[Submission]:
    """Verdicts, recalls and gold results of one answered batch."""
    place = (store, batch.db_id, batch.number)
    run_gold: dict[str, Any] = {"questions": batch.questions, "database": offline.database, "timeout": timeout}
    repairs, selections = made["repair_candidates"], made["select_answers"]
    found: dict[str, Any] = {
        "groundings": made["ground_questions"],
        "linkings": made["link_schema"],
        "offline": offline,
    }
    return [
        submission(score_answers, *place, repairs=repairs, selections=selections, **run_gold),
        submission(measure_recall, *place, questions=batch.questions, **found),
        submission(execute_golds, *place, **run_gold),
    ]


def score_by_corrected_gold(
    batch: Batch, made: dict[str, Artifact], offline: OfflineArtifacts, store: ArtifactStore, options: Options
) -> list[Submission]:
    """Verdicts by corrected gold on the questions of a batch that have any; the others keep the ones they have."""
    if not options.corrected_gold:
        return []
    questions, changed, _ = correct_golds(load_corrections(options.corrected_gold), batch.questions)
    corrected = tuple(q for q in questions if q.question_id in changed)
    answers: dict[str, Any] = {"repairs": made["repair_candidates"], "selections": made["select_answers"]}
    asked: dict[str, Any] = {"questions": corrected, "database": offline.database, "timeout": options.timeout}
    return [submission(score_corrected, store, batch.db_id, batch.number, **asked, **answers)] if corrected else []


def describe_run(dataset: str, preset: str, artifacts: str, output: str, started: float) -> Run:
    """Name a run after its dataset, preset and time; its folder lies in the artifacts unless one is given."""
    name = re.sub(r"[^\w.-]+", "-", Path(dataset).absolute().name)
    moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(started))
    run_id = f"{name}-{preset}-{moment}-{int(started * 1000) % 1000:03}"  # runs may start in the same second
    return Run(run_id, name, preset, output or f"{artifacts}/runs/{run_id}", started)
