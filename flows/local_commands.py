"""What `train`, `models` and `admit` do between the library and the screen."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from flows.admission_steps import start_of, steps_from
from flows.commands import MARGIN, SCREEN, end, failures, json_line, run_flow
from flows.local_limits import local_folders
from flows.manifests import artifact, manifest_of
from flows.model_settings import check_models, with_local_models
from flows.options import Options
from nl2sql.benchmarks import load_benchmark
from nl2sql.errors import UserError
from nl2sql.models.admissions import read_admissions
from nl2sql.models.local_catalogue import Listed, list_models
from nl2sql.models.local_models import resolve_local
from nl2sql.models.machine_memory import memory_limit
from nl2sql.models.model_lock import holder
from nl2sql.training.adapter_card import write_report
from nl2sql.training.loss_curve import sparkline
from nl2sql.training.recipe import Recipe
from nl2sql.training.rows import Adapter
from nl2sql.training.train_adapter import describe_training, export_fused
from tasks.artifact_store import read_rows


def run_train(
    role: str, data: str, base: str, recipe: dict[str, Any], fused: str | None, artifacts: str, as_json: bool
) -> int:
    """Train, and say what came of it."""
    from flows.train_adapters import train_adapters
    from tasks.train_adapter import Workplace

    folders = local_folders(artifacts)
    training = describe_training(role, base, Path(data), Recipe(**recipe), folders)
    with _training_bar() as watch:
        place = Workplace(Path(data), folders, watch=watch)
        state, steps = run_flow(train_adapters, trainings=[training], workplaces=[place], artifacts=artifacts)
    if state.is_failed():
        return end(state, steps, {"role": role, "manifest": manifest_of(state).path}, as_json)
    (row,) = [r for step in steps if step.kind == "adapters" for r in read_rows(artifact(step), Adapter)]
    report = write_report(Path(row.path))
    if fused:
        export_fused(Path(row.path), Path(fused).absolute(), folders)
    result = {**asdict(row), "asked_as": resolve_local(row.name, folders), "report": str(report), "fused": fused}
    _show_adapter(row, result["asked_as"])
    return end(state, steps, result, as_json)


@contextmanager
def _training_bar() -> Iterator[Any]:
    """A bar on standard error that moves with the steps, and lines for what happens between them."""
    from flows.train_adapters import report_line

    columns = (TextColumn("training"), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=MARGIN) as bars:
        bar: list[TaskID] = []
        losses: list[float] = []

        def watch(message: dict[str, Any]) -> None:
            if message["note"] == "step":
                losses.append(message["loss"])
                bar[:] = bar or [bars.add_task("", total=message["steps"])]
                bars.update(bar[0], completed=message["step"], description=report_line(message))
            elif line := report_line(message):
                curve = f"  {sparkline(losses)}" if message["note"] == "valid" and losses else ""
                bars.console.print(Text(line + curve), soft_wrap=True)

        yield watch


def _show_adapter(row: Adapter, asked_as: str) -> None:
    SCREEN.print(Text(f"{row.name}: {row.path}"), soft_wrap=True)
    SCREEN.print(
        f"validation loss {row.first_valid_loss:.4f} -> {row.best_valid_loss:.4f} over {row.steps:,} steps,"
        f" peak {row.peak_bytes / 1e9:.3f} GB (planned {row.planned_bytes / 1e9:.3f} GB), {row.seconds:,.0f} s",
        soft_wrap=True,
    )
    SCREEN.print(Text(f"in a lineup: {asked_as.partition('@')[0]}"), soft_wrap=True)


def run_models(artifacts: str, as_json: bool) -> int:
    """List what there is."""
    folders, limit = local_folders(artifacts), memory_limit()
    listed, holding = list_models(folders, limit), holder(folders.lock)
    if listed:
        SCREEN.print(_models_table(listed))
    else:
        SCREEN.print("no local model yet: nl2sql train ROLE --base FOLDER, or hf download a base model")
    SCREEN.print(
        f"a local model may take {limit / 1e9:.1f} GB here; in memory now: {holding or 'none'}", soft_wrap=True
    )
    if as_json:
        held = asdict(holding) if holding else None
        click.echo(json_line({"limit_bytes": limit, "holder": held, "models": [asdict(m) for m in listed]}))
    return 0


def run_admit(options: Options, instead: Options | None, artifacts: str, as_json: bool, **asked: Any) -> int:
    """Compare, and say which models may be used."""
    from flows.admit_models import admit_models

    start = time.perf_counter()
    resolved = with_local_models(options, artifacts)
    for preset in (resolved, start_of(resolved, instead)):
        check_models(preset, artifacts)
    changes = steps_from(start_of(resolved, instead), resolved)
    if not load_benchmark(asked["dataset"], databases=asked["databases"]).questions:
        raise UserError(f"{asked['dataset']} has no dev questions to compare local models on")
    folder = local_folders(artifacts).adapters
    known = len(read_admissions(folder))
    state, steps = run_flow(admit_models, options=options, instead=instead, artifacts=artifacts, **asked)
    made = read_admissions(folder)[known:]
    for admission in made:
        verdict = "admitted" if admission.admitted else "not admitted"
        SCREEN.print(Text(f"{admission.use} {admission.model}: {verdict}: {admission}"), soft_wrap=True)
        SCREEN.print(Text(f"  nl2sql compare {admission.run_before} {admission.run}"), soft_wrap=True)
    admitted = len(made) == len(changes) and all(a.admitted for a in made)
    result = {
        "admitted": admitted,
        "models": [{**asdict(a), "admitted": a.admitted} for a in made],
        "failed": failures(steps),
        "seconds": round(time.perf_counter() - start, 2),
        "manifest": manifest_of(state).path,
    }
    return max(end(state, steps, result, as_json), int(not admitted))


def _models_table(listed: list[Listed]) -> Table:
    table = Table("model", "kind", "size", "in memory", "fits", "digest", "", box=None, pad_edge=False)
    for m in listed:
        sizes = [f"{size / 1e6:,.0f} MB" for size in (m.bytes, m.serving_bytes)]
        fits = "" if m.problem else "yes" if m.fits else "no"
        table.add_row(Text(m.name), m.role or m.kind, *sizes, fits, m.digest, Text(m.problem or m.base))
    return table
