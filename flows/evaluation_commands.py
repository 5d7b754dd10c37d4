"""What the commands do that take a score apart or take it elsewhere: export, validate, ablate."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from flows.options import Options
from flows.own_server import await_server
from flows.screen import MARGIN, SCREEN, json_line, plain_table
from nl2sql.benchmarks import load_benchmark, well_formed
from nl2sql.errors import UserError
from nl2sql.rows import Question, Step, Verdict
from nl2sql.scoring.compare_variants import Variant, compare_variants
from nl2sql.scoring.export import export_predictions
from nl2sql.scoring.predictions import Prediction, load_predictions
from nl2sql.scoring.validate_submission import Fault, validate_submission
from tasks.artifact_store import ArtifactStore, replace_file

FAULTS_SHOWN = 20  # of a kind
LEGEND = (
    "bound: any candidate is right; worth: whole minus variant in points of EX, paired bootstrap;"
    " only: questions that only the whole / only the variant gets right; p: McNemar's exact test"
)


def run_export(run_folder: str, file_format: str, output: str, as_json: bool) -> int:
    """Write the answers of a run as a leaderboard's file."""
    questions, answers = read_answers(Path(run_folder))
    export = export_predictions(questions, answers, file_format)
    content = export.text.encode("utf-8", "replace")
    replace_file(Path(output), lambda name: Path(name).write_bytes(content))
    _, faults = validate_submission(content, questions)
    SCREEN.print(Text(f"{export.n:,} answers in {output}, {len(export.unanswered):,} of them placeholders"))
    if export.unanswered:
        shown = ", ".join(export.unanswered[:FAULTS_SHOWN])
        click.echo(f"nl2sql: note: without an answer, written as a statement that is never right: {shown}", err=True)
    _print_faults(faults)
    click.echo(f"nl2sql: next: nl2sql validate {output} DATASET", err=True)
    if as_json:
        said = {"format": file_format, "n": export.n, "unanswered": export.unanswered, "faults": _plain(faults)}
        click.echo(json_line({"output": output, **said}))
    return 1 if faults else 0


def read_answers(run_folder: Path) -> tuple[list[Question], dict[str, str]]:
    """The questions of a run, of which only ids and databases are known, and its answers by id, in their order.

    Raises UserError when the folder holds no predictions.json or one that names no database.
    """
    path = run_folder / "predictions.json"
    if not path.is_file():
        raise UserError(
            f"{run_folder}: holds no predictions.json. Give the folder of a run, e.g. artifacts/runs/RUN_ID"
        )
    items: Sequence[Prediction] = load_predictions(path).items
    nameless = [p.question_id for p in items if not p.db_id]
    if nameless:
        raise UserError(f"{path}: question {nameless[0]} has no db_id. Write the file anew with nl2sql evaluate")
    return [Question(p.question_id, p.db_id, "", "", "", "", "") for p in items], {p.question_id: p.sql for p in items}


def run_validate(predictions: str, dataset: str, split: str, databases: tuple[str, ...], as_json: bool) -> int:
    """Check a predictions file before it is sent anywhere."""
    questions = load_benchmark(dataset, split, databases).questions
    file_format, faults = validate_submission(Path(predictions).read_bytes(), questions)
    _print_faults(faults)
    verdict = f"{len(faults):,} faults" if faults else "no fault"
    SCREEN.print(Text(f"{predictions}: {verdict} ({file_format} format, {len(questions):,} questions)"), soft_wrap=True)
    if as_json:
        said = {"format": file_format, "n": len(questions), "valid": not faults, "faults": _plain(faults)}
        click.echo(json_line(said))
    return 1 if faults else 0


def _plain(faults: Sequence[Fault]) -> list[dict[str, str]]:
    return [asdict(fault) for fault in faults]


def _print_faults(faults: Sequence[Fault]) -> None:
    shown: Counter[str] = Counter()
    for fault in faults:
        shown[fault.kind] += 1
        if shown[fault.kind] <= FAULTS_SHOWN:
            SCREEN.print(Text(f"{fault.kind}: {fault.where}: {well_formed(fault.what)}"), soft_wrap=True)
    for kind, count in shown.items():
        if count > FAULTS_SHOWN:
            SCREEN.print(f"{kind}: {count - FAULTS_SHOWN:,} more")


def run_ablate(options: Options, without: tuple[str, ...], as_json: bool, **asked: Any) -> int:
    """Run the pipeline whole and without each part, and print what each part is worth."""
    from flows.ablate_benchmark import ablate_benchmark
    from flows.commands import progress_bars
    from flows.manifests import read_manifest

    benchmark = load_benchmark(asked["dataset"], asked["split"], asked["databases"])
    if not benchmark.questions:
        raise UserError(f"{asked['dataset']} has no questions to evaluate: an ablation needs a benchmark")
    name = f"{Path(benchmark.path).absolute().name}-ablation-{time.strftime('%Y%m%d-%H%M%S')}"
    asked["output"] = str(Path(asked["output"] or f"{asked['artifacts']}/runs/{name}").absolute())
    for folder in (asked["artifacts"], asked["output"]):
        ArtifactStore(folder).prepare()
    MARGIN.print("[dim]starting Prefect ...[/dim]", end="\r")
    await_server()
    with progress_bars():
        state = ablate_benchmark(options=options, without=without, **asked, return_state=True)
    manifests = state.result(raise_on_failure=False)
    if not isinstance(manifests, dict):
        state.result()  # raises what stopped the flow
        raise TypeError(f"the ablation ended with {manifests!r}")
    steps = {variant: read_manifest(manifest) for variant, manifest in manifests.items()}
    ids = [q.question_id for q in benchmark.questions[: asked["limit"]]]
    variants = compare_variants(ids, {variant: verdicts_of(found) for variant, found in steps.items()})
    return _end_ablation(variants, steps, asked["output"], ablation_label(options, asked["predictions"]), as_json)


def verdicts_of(steps: Sequence[Step]) -> list[Verdict]:
    """All verdicts that a manifest names."""
    from flows.manifests import artifact
    from tasks.artifact_store import read_rows

    return [v for s in steps if s.kind == "verdicts" for v in read_rows(artifact(s), Verdict)]


def ablation_label(options: Options, predictions: Sequence[str]) -> str:
    """What wrote the candidates, for the heading of the table."""
    from nl2sql.reporting.summarise_run import RECORDED_LABEL, RULES_LABEL

    if predictions:
        return f"{RECORDED_LABEL}: only parts after generation can change the answers"
    names = [entry.name for entry in options.lineup]
    return RULES_LABEL if names == ["rules"] else f"lineup {', '.join(names)}"


def _end_ablation(
    variants: Sequence[Variant], steps: Mapping[str, Sequence[Step]], output: str, label: str, as_json: bool
) -> int:
    from flows.commands import failures

    failed = [f"{variant}: {line}" for variant, found in steps.items() for line in failures(found)]
    for line in failed:
        click.echo(f"nl2sql: failed: {line}", err=True)
    said = {"n": variants[0].n, "label": label, "variants": list(map(variant_json, variants)), "failed_tasks": failed}
    line = json_line({**said, "output": output})
    replace_file(Path(output) / "ablation.json", lambda name: Path(name).write_text(line, encoding="utf-8"))
    SCREEN.print(_ablation_table(variants))
    SCREEN.print(f"[dim]{label}; {variants[0].n:,} questions; {LEGEND}")
    SCREEN.print(Text(f"a report per variant: {output}"), soft_wrap=True)
    if as_json:
        click.echo(line)
    return 1 if failed else 0


def variant_json(variant: Variant) -> dict[str, Any]:
    """A variant's figures in percent and points."""
    low, high = (round(100 * bound, 2) for bound in (variant.selected.low, variant.selected.high))
    figures: dict[str, Any] = {
        "name": variant.name,
        "upper_bound": round(100 * variant.upper_bound, 2),
        "majority_vote": round(100 * variant.vote, 2),
        "execution_accuracy": round(100 * variant.selected.value, 2),
        "interval": [low, high],
    }
    if variant.worth is None or variant.test is None:
        return figures
    worth = variant.worth
    return figures | {
        "worth": round(100 * worth.value, 2),
        "worth_interval": [round(100 * worth.low, 2), round(100 * worth.high, 2)],
        "only_with": variant.test.only_first,
        "only_without": variant.test.only_second,
        "p_value": variant.test.p_value,
    }


def _ablation_table(variants: Sequence[Variant]) -> Table:
    table = plain_table("variant", "bound", "vote", "EX %", "95 %", "worth", "95 %", "only", "p")
    for v in map(variant_json, variants):
        shares = (f"{v[name]:.1f}" for name in ("upper_bound", "majority_vote", "execution_accuracy"))
        row = [v["name"].replace("without ", "- "), *shares, "{:.1f}-{:.1f}".format(*v["interval"])]
        if "worth" in v:
            interval = "{:+.1f} to {:+.1f}".format(*v["worth_interval"])
            row += [f"{v['worth']:+.1f}", interval, f"{v['only_with']}/{v['only_without']}", f"{v['p_value']:.3f}"]
        table.add_row(*row)
    return table
