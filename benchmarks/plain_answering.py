"""`evaluate` on recorded predictions without Prefect: every task of it called as a function, one after the other."""

import os
import time
from pathlib import Path
from typing import Any

from flows.answer_questions import load_recorded, offline_artifacts
from flows.batches import Batch, batches_of
from nl2sql.benchmarks import load_benchmark
from nl2sql.contracts import CONTRACTS
from nl2sql.models.choices import LineupEntry
from nl2sql.rows import Step
from nl2sql.scoring.predictions import Prediction
from tasks.artifact_store import Artifact, ArtifactStore, read_rows
from tasks.database_context import OfflineArtifacts
from tasks.estimate_accuracies import estimate_accuracies
from tasks.execute_golds import execute_golds
from tasks.generate_candidates import generate_candidates
from tasks.ground_questions import ground_questions
from tasks.link_schema import link_schema
from tasks.measure_recall import measure_recall
from tasks.repair_candidates import repair_candidates
from tasks.score_answers import score_answers
from tasks.select_answers import select_answers
from tasks.write_report import Evaluated, Run, write_report

Made = dict[str, Artifact]  # by stage, of one batch
SECONDS = 30.0


def answer_plainly(dataset: Path, indexed: Path, artifacts: Path, predictions: Path) -> None:
    """Answer, score and report; `indexed` is a folder of artifacts with the offline part."""
    benchmark = load_benchmark(str(dataset))
    store, empty = ArtifactStore(str(artifacts)), benchmark.empty_is_wrong
    recorded = load_recorded(str(predictions), benchmark.questions)
    offline = offline_artifacts(_indexing_manifest(indexed), benchmark.databases)
    made = [(b, _write(b, recorded, offline[b.db_id], store, empty)) for b in batches_of(benchmark, None, 32)]
    for db_id, opened in offline.items():
        _select([(b, found) for b, found in made if b.db_id == db_id], opened, store, empty)
    for batch, found in made:
        _score(batch, found, offline[batch.db_id], store)
    steps = [_line(batch, stage, a) for batch, found in made for stage, a in found.items()]
    report = Run("plain", "orchestration", "bare", str(artifacts / "run"), time.time())
    write_report.fn(report, Evaluated(benchmark, benchmark.questions, steps))


def _write(
    batch: Batch, recorded: list[Prediction], offline: OfflineArtifacts, store: ArtifactStore, empty_is_wrong: bool
) -> Made:
    ids = {q.question_id for q in batch.questions}
    known: dict[str, Any] = {"questions": batch.blind, "offline": offline}
    grounded = known["groundings"] = ground_questions.run(store, **known, examples=0, cells=False)
    linked = known["linkings"] = link_schema.run(store, **known, linked=False)
    written = tuple(p for p in recorded if p.question_id in ids)
    lineup = (LineupEntry("recorded", "recorded"),)
    candidates = known["candidates"] = generate_candidates.run(store, **known, lineup=lineup, predictions=written)
    repaired = repair_candidates.run(store, **known, timeout=SECONDS, empty_is_wrong=empty_is_wrong, repaired=False)
    return {
        "ground_questions": grounded,
        "link_schema": linked,
        "generate_candidates": candidates,
        "repair_candidates": repaired,
    }


def _select(
    made: list[tuple[Batch, Made]], offline: OfflineArtifacts, store: ArtifactStore, empty_is_wrong: bool
) -> None:
    repairs = {f"batch_{batch.number:06}": found["repair_candidates"] for batch, found in made}
    known: dict[str, Any] = {"offline": offline, "margin": 0.05, "empty_is_wrong": empty_is_wrong}
    known["accuracies"] = estimate_accuracies.run(store, empty_is_wrong=empty_is_wrong, **repairs)
    for batch, found in made:
        chosen = {"questions": batch.blind, "repairs": found["repair_candidates"]}
        found["select_answers"] = select_answers.run(store, **chosen, **known)


def _score(batch: Batch, made: Made, offline: OfflineArtifacts, store: ArtifactStore) -> None:
    gold: dict[str, Any] = {"questions": batch.questions, "database": offline.database, "timeout": SECONDS}
    found = {"groundings": made["ground_questions"], "linkings": made["link_schema"]}
    answers = {"repairs": made["repair_candidates"], "selections": made["select_answers"]}
    made["score_answers"] = score_answers.run(store, **gold, **answers)
    made["measure_recall"] = measure_recall.run(store, questions=batch.questions, offline=offline, **found)
    made["execute_golds"] = execute_golds.run(store, **gold)


def _line(batch: Batch, stage: str, a: Artifact) -> Step:
    place = (batch.db_id, batch.number)
    return Step(stage, *place, a.kind, a.path, a.sha256, a.rows, a.schema_version, a.seconds, False, "")


def _indexing_manifest(artifacts: Path) -> Any:
    """The newest manifest of an indexing run over these artifacts."""
    store, row = ArtifactStore(str(artifacts)), CONTRACTS["manifests"].row
    kept = sorted((artifacts / "manifests").glob("*.parquet"), key=os.path.getmtime)
    found = [store.find("manifests", path.stem) for path in kept]
    return next(m for m in found if m and any(s.stage == "index_columns" for s in read_rows(m, row)))
