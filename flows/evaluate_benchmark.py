"""Score the answers to a benchmark and write the report."""

import re
import time
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.answer_questions import answer_questions, offline_artifacts
from flows.batches import Batch, batches_of
from flows.headline import headline_sentence, publish_headline
from flows.manifests import Submission, artifact, finish, manifest_of, read_manifest, settle, submission
from flows.model_settings import run_access
from flows.options import Options
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
from tasks.write_report import Run, write_report


@flow(flow_run_name=run_name("evaluate"), persist_result=False, task_runner=TASK_RUNNER)
def evaluate_benchmark(
    dataset: str,
    databases: tuple[str, ...] = (),
    limit: int | None = None,
    split: str = "dev",
    predictions: tuple[str, ...] = (),
    artifacts: str = "artifacts",
    output: str = "",
    options: Options = Options(),
    answered: Artifact | None = None,
    started: float | None = None,
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
    submitted: list[Submission] = []
    for batch in batches:
        made = {s.stage: artifact(s) for s in steps if (s.db_id, s.batch) == (batch.db_id, batch.number) and s.kind}
        if "select_answers" in made:
            submitted += score_batch(batch, made, offline[batch.db_id], store, options.timeout)
            submitted += score_by_corrected_gold(batch, made, offline[batch.db_id], store, options)
    steps = [*steps, *settle("score answers", submitted)]

    questions = [q for batch in batches for q in batch.questions]
    preset = "-without-".join(["recorded" if predictions else options.preset, *options.without])
    run = describe_run(dataset, preset, artifacts, output, started)
    summary = write_report(run, benchmark, questions, steps, levels_of(run_access(options, artifacts)))
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
