"""What the commands do between the flows and the screen."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from prefect import Flow
from prefect.client.schemas.objects import State
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from flows.admission_steps import refuse_uncompared
from flows.answer_questions import load_recorded
from flows.environment import without_heartbeats
from flows.headline import collected
from flows.manifests import manifest_of, read_manifest
from flows.model_settings import check_models, prepare_models
from flows.options import Options
from flows.own_server import await_server
from flows.progress import watched_by
from flows.screen import MARGIN, SCREEN, json_line
from nl2sql.benchmarks import Benchmark, Problem, load_benchmark
from nl2sql.errors import UserError
from nl2sql.models.recorded import record, unused
from nl2sql.reporting.run_summary import RunSummary
from nl2sql.rows import Step
from nl2sql.scoring.corrected_gold import correct_golds, load_corrections
from nl2sql.scoring.predictions import load_predictions
from tasks.artifact_store import ArtifactStore, read_text


@contextmanager
def progress_bars() -> Iterator[None]:
    """One bar per stage on standard error, moved by the flows."""
    columns = (TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=MARGIN, transient=False) as bars:
        bar_of: dict[str, TaskID] = {}

        def watch(stage: str, done: int, total: int) -> None:
            if stage not in bar_of:
                bar_of[stage] = bars.add_task(stage, total=total)
            bars.update(bar_of[stage], completed=done, total=total)

        with watched_by(watch):
            yield


def run_flow(flow: Flow, **arguments: Any) -> tuple[State, list[Step]]:
    """Run a flow to its end; its final state and the lines of its manifest. Raises UserError where it stopped."""
    ArtifactStore(arguments["artifacts"]).prepare()
    MARGIN.print("[dim]starting Prefect ...[/dim]", end="\r" if MARGIN.is_terminal else "\n")
    await_server()
    with progress_bars(), without_heartbeats():
        state = flow(**arguments, return_state=True)
    return state, read_manifest(manifest_of(state))


def failures(steps: Sequence[Step]) -> list[str]:
    """One line for each task that failed by itself."""
    failed = [s for s in steps if s.error and not s.error.startswith("skipped")]
    return [f"{s.stage} of {s.db_id or 'all databases'}: {s.error}" for s in failed]


def end(state: State, steps: Sequence[Step], result: dict[str, Any], as_json: bool) -> int:
    """Print failures and the JSON line; the exit code."""
    for line in failures(steps):
        click.echo(f"nl2sql: failed: {line}", err=True)
    if state.is_failed():
        click.echo("nl2sql: run the same command again: only what failed is repeated", err=True)
    if as_json:
        click.echo(json_line(result))
    return 1 if state.is_failed() else 0


def run_offline(
    flow: Flow, dataset: str, databases: tuple[str, ...], artifacts: str, options: Options, as_json: bool
) -> int:
    """Profile or index a dataset and say what there is now."""
    start = time.perf_counter()
    load_benchmark(dataset, databases=databases)  # a dataset that cannot be read is said before a server starts
    check_models(options, artifacts)
    prepare_models(options)
    state, steps = run_flow(flow, dataset=dataset, databases=databases, artifacts=artifacts, options=options)
    rows: Counter[str] = Counter()
    for step in steps:
        rows[step.kind] += step.rows
    result = {
        "dataset": dataset,
        "databases": len({s.db_id for s in steps if s.db_id}),
        "columns": rows["profiles"],
        "cells": rows["cells"],
        "examples": rows["examples"],
        "tasks": len(steps),
        "reused": sum(s.reused for s in steps),
        "failed": failures(steps),
        "seconds": round(time.perf_counter() - start, 2),
        "manifest": manifest_of(state).path,
    }
    SCREEN.print(_offline_table(steps))
    SCREEN.print(f"{result['tasks']} artifacts, {result['reused']} of them reused, {result['seconds']} s")
    return end(state, steps, result, as_json)


def _offline_table(steps: Sequence[Step]) -> Table:
    kinds = list(dict.fromkeys(s.kind for s in steps if s.kind))
    table = Table("database", *kinds, "seconds", box=None, pad_edge=False)
    for db_id in dict.fromkeys(s.db_id for s in steps):
        mine = [s for s in steps if s.db_id == db_id]
        counts = {s.kind: f"{s.rows:,}" for s in mine}
        table.add_row(
            Text(db_id or "(all)"), *(counts.get(k, "") for k in kinds), f"{sum(s.seconds for s in mine):.2f}"
        )
    return table


def recorded_problems(file: str, benchmark: Benchmark, limit: int | None) -> list[Problem]:
    """What is wrong with a file of predictions, and what of it a replay over these questions leaves out.

    Lines of questions that only `limit` or the choice of databases leaves out are no problem.
    """
    loaded, every = load_predictions(file), load_benchmark(benchmark.path, benchmark.split).questions
    recorded = record(load_recorded(file, every))
    missing = "question_without_prediction"
    counts = {**unused(recorded, every), missing: unused(recorded, benchmark.questions[:limit])[missing]}
    left_out = [Problem(file, f"{count:,} x {name.replace('_', ' ')}") for name, count in counts.items() if count]
    return [*loaded.problems, *left_out]


def corrected_problems(options: Options, benchmark: Benchmark) -> list[Problem]:
    """What is wrong with the file of corrected gold SQL, and what of it belongs to no question of the benchmark."""
    if not options.corrected_gold:
        return []
    corrections = load_corrections(options.corrected_gold)
    every = load_benchmark(benchmark.path, benchmark.split).questions
    return [*corrections.problems, *correct_golds(corrections, every)[2]]


def run_evaluation(options: Options, as_json: bool, **asked: Any) -> int:
    """Run the whole pipeline and print the headline table."""
    from flows.run_pipeline import run_pipeline
    from nl2sql.reporting.terminal import terminal_table

    benchmark = load_benchmark(asked["dataset"], asked["split"], asked["databases"])
    if not benchmark.questions:
        raise UserError(f"{asked['dataset']} has no questions to evaluate. To ask one: nl2sql ask FILE QUESTION")
    check_models(options, asked["artifacts"])
    refuse_uncompared(options, asked["artifacts"])
    prepare_models(options)
    recorded = [
        problem for file in asked["predictions"] for problem in recorded_problems(file, benchmark, asked["limit"])
    ]
    for problem in (*benchmark.problems, *recorded, *corrected_problems(options, benchmark)):
        click.echo(f"nl2sql: note: {problem.where}: {problem.what}", err=True)
    if asked["output"]:
        ArtifactStore(asked["output"]).prepare()  # now rather than after the whole run
    start = time.perf_counter()
    with collected() as summaries:
        state, steps = run_flow(run_pipeline, options=options, **asked)
    (summary,) = summaries
    SCREEN.print(terminal_table(summary))
    reused = sum(s.reused for s in steps)
    against = _against_longest(summary, Path(asked["artifacts"]) / "runs")
    SCREEN.print(
        f"pipeline {summary.seconds:.1f} s with {reused} of {len(steps)} artifacts reused{against};"
        f" {time.perf_counter() - start:.1f} s with the start of Prefect"
    )
    SCREEN.print(Text(f"report: {summary.report}"), soft_wrap=True)
    result = json.loads(read_text(f"{summary.report.rpartition('/')[0]}/summary.json"))
    if corrected := result["corrected_gold"]:
        changes = f"{corrected['now_right']} now right and {corrected['now_wrong']} now wrong"
        SCREEN.print(f"with the corrected gold: execution accuracy {corrected['execution_accuracy']:.1f} %, {changes}")
    return end(state, steps, result, as_json)


def _against_longest(summary: RunSummary, runs: Path) -> str:
    """How this run's time compares with that of the longest run of the same dataset, preset and questions."""
    written = [json.loads(p.read_text(encoding="utf-8")) for p in runs.glob("*/summary.json")]
    asked = {"dataset": summary.dataset, "preset": summary.preset, "n": summary.overall.n}
    same = [
        (r["seconds"], r["run_id"]) for r in written if asked.items() <= r.items() and r["run_id"] != summary.run_id
    ]
    seconds, run_id = max(same, default=(0.0, ""))
    if seconds <= summary.seconds:
        return ""
    return f", {100 * summary.seconds / seconds:.0f} % of the {seconds:.1f} s of {run_id}"


def run_ask(
    database: str,
    question: str,
    evidence: str,
    explain: bool,
    artifacts: str,
    options: Options,
    as_json: bool,
) -> int:
    """Answer one question and print the answer."""
    from flows.ask_question import ask_question
    from flows.show_answer import answer_json, failure_of, show_answer

    with MARGIN.status("profiling") as status:
        answer = ask_question(database, question, evidence, options, artifacts, lambda stage: status.update(stage))
    show_answer(answer, SCREEN, explain)
    failure = failure_of(answer)
    if failure:
        click.echo(f"nl2sql: {failure}", err=True)
    if as_json:
        click.echo(json_line(answer_json(answer)))
    return 1 if failure else 0
