"""The report of an evaluation: a manifest and its artifacts in, a folder that a person and a machine can read out."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from prefect import task

from nl2sql.benchmarks import Benchmark
from nl2sql.contracts import CONTRACTS
from nl2sql.reporting.corrected_gold_figures import corrected_figures, corrected_json, corrected_sentence
from nl2sql.reporting.html_report import render_report
from nl2sql.reporting.run_tables import RowsInParts, RunTables
from nl2sql.reporting.summarise_run import RunSummary, summarise_run, to_json
from nl2sql.rows import Gold, Question, Selection, SetAside, Step
from tasks.artifact_store import Artifact, read_rows, read_table, replace_file
from tasks.remote_files import absolute

TRACED = ("candidates", "repairs", "selections", "verdicts", "recalls", "corrected")
LARGE = ("groundings", "linkings")  # five sixths of what a run writes of a question
SEPARATOR = "\t----- bird -----\t"


@dataclass(frozen=True)
class Run:
    """What a report says of the run itself."""

    run_id: str
    dataset: str
    preset: str
    output: str  # folder
    started: float  # Unix time


class Evaluated:
    """What a run's report is made of, in one object that Prefect does not look into: it would visit every question."""

    def __init__(
        self,
        benchmark: Benchmark,
        questions: Sequence[Question],
        steps: Sequence[Step],
        degraded: Mapping[str, int] | None = None,
        set_aside: Sequence[SetAside] = (),
    ) -> None:
        """`degraded` counts questions by what the budget left them."""
        self.benchmark, self.questions, self.steps = benchmark, questions, steps
        self.degraded, self.set_aside = degraded, set_aside


@task(name="write_report", task_run_name="write report: {run.run_id}", persist_result=False)
def write_report(run: Run, evaluated: Evaluated) -> RunSummary:
    """Write report.html, summary.json, predictions.json (BIRD's format) and manifest.json into the run's folder.

    manifest.json holds the questions and which artifacts the run consists of: `compare` and `calibrate` read it.
    """
    benchmark, questions, steps = evaluated.benchmark, evaluated.questions, evaluated.steps
    golds = gather("golds", steps)
    tables = run_tables(questions, steps, golds)
    corrected = corrected_figures(tables)
    folder = absolute(run.output)
    summary = summarise_run(
        tables,
        degraded=evaluated.degraded,
        databases=benchmark.databases,
        run_id=run.run_id,
        dataset=run.dataset,
        preset=run.preset,
        finished=time.strftime("%Y-%m-%d %H:%M:%S"),
        seconds=time.time() - run.started,
        report=f"{folder}/report.html",
        failed_tasks=[f"{s.stage} of {s.db_id or 'all databases'}: {s.error}" for s in steps if s.error],
        notes=[
            *aside_notes(evaluated.set_aside),
            *([corrected_sentence(corrected)] if corrected else []),
            *data_notes(benchmark, golds),
        ],
    )
    page = render_report(summary, tables)
    replace_file(f"{folder}/report.html", lambda name: Path(name).write_text(page, encoding="utf-8"))
    more = {"artifacts": len(steps), "reused": sum(s.reused for s in steps), "run_folder": folder}
    more["set_aside"] = [asdict(row) for row in evaluated.set_aside]
    more["corrected_gold"] = corrected_json(corrected)
    _write_json(f"{folder}/summary.json", {**to_json(summary), **more})
    _write_json(f"{folder}/predictions.json", predictions(questions, tables.selections))
    manifest = {"questions": [asdict(q) for q in questions], "steps": [asdict(s) for s in steps]}
    _write_json(f"{folder}/manifest.json", {"run_id": run.run_id, "dataset": run.dataset, **manifest})
    return summary


def run_tables(questions: Sequence[Question], steps: Sequence[Step], golds: Sequence[Gold]) -> RunTables:
    """What the report shows of a run's artifacts; calls apart by whether this run made them."""
    found: dict[str, Any] = {kind: in_parts(kind, steps) for kind in LARGE}
    found |= {kind: gather(kind, steps) for kind in TRACED}
    return RunTables(
        questions,
        **found,
        model_calls=gather("model_calls", [s for s in steps if not s.reused]),
        reused_calls=gather("model_calls", [s for s in steps if s.reused]),
        gold_previews={g.question_id: g.preview for g in golds},
    )


def gather(kind: str, steps: Sequence[Step]) -> list[Any]:
    """All rows of one kind of artifact that the manifest names, in its order."""
    return [row for a in artifacts_of(kind, steps) for row in read_rows(a, CONTRACTS[kind].row)]


def in_parts(kind: str, steps: Sequence[Step]) -> Mapping[str, Any]:
    """The same by question, read when they are asked for."""
    found = artifacts_of(kind, steps)
    ids = [read_table(a, ["question_id"])["question_id"].to_pylist() for a in found]
    places = {question_id: place for place, some in enumerate(ids) for question_id in some}
    return RowsInParts([partial(read_rows, a, CONTRACTS[kind].row) for a in found], places)


def artifacts_of(kind: str, steps: Sequence[Step]) -> list[Artifact]:
    """The artifacts of one kind that the manifest names, in its order."""
    names = ("kind", "path", "sha256", "rows", "schema_version", "seconds")
    return [Artifact(*(getattr(s, n) for n in names)) for s in steps if s.kind == kind]


def data_notes(benchmark: Benchmark, golds: Sequence[Gold]) -> list[str]:
    """What is wrong with the benchmark itself, a line each."""
    notes = [f"{p.where}: {p.what}" for p in benchmark.problems]
    failing = [g for g in golds if g.outcome in ("error", "timeout", "too_large")]
    return notes + [f"gold SQL of question {g.question_id} ({g.db_id}) fails: {g.error or g.outcome}" for g in failing]


def aside_notes(set_aside: Sequence[SetAside]) -> list[str]:
    """The questions that no run answers any more, a line each."""
    return [
        f"question {s.question_id} ({s.db_id}) is set aside and counts as wrong: {s.stage}: {s.error}."
        " nl2sql evaluate --retry-set-aside tries it again"
        for s in set_aside
    ]


def predictions(questions: Sequence[Question], selections: Sequence[Selection]) -> dict[str, str]:
    """The answers in BIRD's submission format, unanswered questions as blank SQL, in the benchmark's order."""
    answers = {s.question_id: s.sql for s in selections}
    return {q.question_id: f"{answers.get(q.question_id, '')}{SEPARATOR}{q.db_id}" for q in questions}


def _write_json(path: str, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    replace_file(path, lambda name: Path(name).write_text(text, encoding="utf-8"))
