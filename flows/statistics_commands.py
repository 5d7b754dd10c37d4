"""What `compare`, `noise` and `calibrate` do between the library and the screen."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.table import Table
from rich.text import Text

from flows.runs import answers_of, judged_of, read_run
from flows.score_command import keep_judgements
from flows.screen import SCREEN, json_line, plain_table
from nl2sql.benchmarks import load_benchmark
from nl2sql.errors import UserError
from nl2sql.online.selection_policy import Policies, policies_to_json
from nl2sql.reporting.comparison_report import (
    comparison_json,
    conclusion,
    noise_floor,
    points,
    render_comparison,
    share,
)
from nl2sql.rows import Question
from nl2sql.scoring.compare_answers import Comparison, Flip, Scored, compare_answers
from nl2sql.scoring.execution_accuracy import SCORING_LIMITS, Scores, score_predictions
from nl2sql.scoring.fit_policy import Case, Choice, Gain, Judged, calibrate, measure_cases, measured_accuracies
from nl2sql.scoring.noise_floor import NoiseFloor, redrawn_noise, repeated_noise
from nl2sql.scoring.predictions import load_predictions
from tasks.artifact_store import ArtifactStore, local_folder, replace_file
from tasks.judgement_store import JudgementStore

DRAWN_SIZES = (1, 5, 10, 20)  # candidates per question whose noise is shown unless others are asked for
SHOWN_COEFFICIENTS = 8  # the file holds all of them


def run_compare(run_a: str, run_b: str, output: str | None, shown: int, as_json: bool) -> int:
    """Compare two runs on the screen, as JSON and as a page."""
    first, second = read_run(run_a), read_run(run_b)
    names = (first.name, second.name) if first.name != second.name else (run_a, run_b)
    return _compare(answers_of(first), answers_of(second), names, output, shown, as_json)


def run_compare_models(
    predictions: str,
    models: tuple[str, str],
    dataset: str,
    split: str,
    artifacts: str,
    output: str | None,
    shown: int,
    as_json: bool,
) -> int:
    """Compare two systems of one predictions file in the same way."""
    loaded, benchmark = load_predictions(predictions), load_benchmark(dataset, split)
    unknown = [model for model in models if model not in loaded.models]
    if unknown:
        raise UserError(f"{predictions} has no model {unknown[0]!r}: choose two of {', '.join(loaded.models)}")
    asked = replace(loaded, items=tuple(p for p in loaded.items if p.model in models))
    store = JudgementStore(ArtifactStore(artifacts), SCORING_LIMITS)
    judged = store.load(d.sha256 for d in benchmark.databases)
    known = set(judged)
    scores = score_predictions(asked, benchmark.questions, benchmark.databases, judged=judged)
    keep_judgements(store, {pair: j for pair, j in judged.items() if pair not in known})
    for problem in (*benchmark.problems, *loaded.problems, *scores.problems):
        click.echo(f"nl2sql: note: {problem.where}: {problem.what}", err=True)
    first, second = (scored_model(scores, benchmark.questions, model) for model in models)
    return _compare(first, second, models, output, shown, as_json)


def scored_model(scores: Scores, questions: Sequence[Question], model: str) -> list[Scored]:
    """The answers of one system of a predictions file; a question without one is wrong."""
    by_id = {q.question_id: q for q in questions}
    mine = (v for v in scores.verdicts if v.generator == model)
    return [Scored(by_id[v.question_id], v.sql, v.correct, v.reason) for v in mine]


def _compare(
    first: Sequence[Scored],
    second: Sequence[Scored],
    names: tuple[str, str],
    output: str | None,
    shown: int,
    as_json: bool,
) -> int:
    try:
        comparison = compare_answers(first, second)
    except ValueError as error:
        raise UserError(f"{' and '.join(names)}: {error}. Compare runs of the same dataset") from error
    SCREEN.print(_contrasts(comparison, *names))
    SCREEN.print(Text(conclusion(comparison), "bold"))
    SCREEN.print(noise_floor(comparison))
    SCREEN.print(f"{comparison.same_sql} of {comparison.contrasts[0].n} questions have the same SQL in both.")
    for flip in comparison.flips[:shown]:
        SCREEN.print(_flip_line(flip), soft_wrap=True)
    if comparison.left_out:
        click.echo(f"nl2sql: note: {len(comparison.left_out)} questions are not the same in both: left out", err=True)
    if output:
        page = render_comparison(comparison, *names)
        replace_file(Path(output).absolute(), lambda name: Path(name).write_text(page, encoding="utf-8"))
        SCREEN.print(f"report: {output}", soft_wrap=True)
    if as_json:
        click.echo(json_line(comparison_json(comparison, *names)))
    return 0


def _contrasts(comparison: Comparison, first: str, second: str) -> Table:
    names = ("group", "n", "1st %", "2nd %", "difference", "only 1st", "only 2nd", "p")
    table = Table(*names, box=None, pad_edge=False, title_justify="left", title_style="")
    overall = comparison.contrasts[0]
    table.title = Text(f"1st: {first}, EX {share(overall.first)} %\n2nd: {second}, EX {share(overall.second)} %")
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for c in comparison.contrasts:
        shares = (f"{100 * interval.value:.1f}" for interval in (c.first, c.second))
        counts = str(c.test.only_first), str(c.test.only_second), f"{c.test.p_value:.3f}"
        table.add_row(Text(c.name), str(c.n), *shares, points(c.difference), *counts)
    return table


def _flip_line(flip: Flip) -> Text:
    right = "second" if flip.second.correct else "first"
    question = " ".join(flip.question.question.split())
    return Text(f"only {right:<6}  {flip.question.db_id} {flip.question.question_id}: {question}")


def run_noise(runs: Sequence[str], sizes: Sequence[int], as_json: bool) -> int:
    """Say what chance does between runs of the same thing: from repeated runs, or by drawing candidates anew."""
    folders = list(dict.fromkeys(runs))
    said = _repeated(folders) if len(folders) > 1 else _redrawn(folders[0], sizes)
    table = plain_table("candidates", "EX %", "sd", "limit", "unstable %")
    for row in said:
        shown = (f"{row[name]:.2f}" for name in ("execution_accuracy", "deviation", "limit", "unstable"))
        table.add_row("as run" if row["candidates"] is None else str(row["candidates"]), *shown)
    SCREEN.print(table)
    how = f"{len(folders)} runs" if len(folders) > 1 else f"{said[0]['runs']:,} simulated runs of a plain vote"
    SCREEN.print(
        f"[dim]{how} on the same {said[0]['n']:,} questions. sd: between runs; limit: two runs of the same thing differ"
        " by more than that one time in twenty; unstable: questions right in some runs and wrong in others[/dim]"
    )
    if as_json:
        click.echo(json_line({"runs": folders, "noise": said}))
    return 0


def _repeated(runs: Sequence[str]) -> list[dict[str, Any]]:
    answers = [{a.question: a.correct for a in answers_of(read_run(run))} for run in runs]
    shared = [question for question in answers[0] if all(question in other for other in answers)]
    left_out = len({question for found in answers for question in found}) - len(shared)
    if left_out:
        click.echo(f"nl2sql: note: {left_out} questions are not the same in all: left out", err=True)
    if not shared:
        raise UserError(f"{', '.join(runs)}: no question in common. Name runs of the same dataset")
    right = np.array([[found[question] for question in shared] for found in answers], dtype=bool)
    return [_noise_json(None, repeated_noise(right))]


def _redrawn(run: str, sizes: Sequence[int]) -> list[dict[str, Any]]:
    judged = judged_of(read_run(run))
    if not judged:
        raise UserError(f"{run}: has no question with gold SQL. Name a run of a benchmark")
    largest = max(len(j.candidates) for j in judged)
    chosen = sizes or sorted({size for size in (*DRAWN_SIZES, largest) if size <= max(largest, 1)})
    return [_noise_json(size, redrawn_noise(judged, size)) for size in chosen]


def _noise_json(candidates: int | None, noise: NoiseFloor) -> dict[str, Any]:
    shares = {
        "execution_accuracy": noise.mean,
        "deviation": noise.deviation,
        "limit": noise.limit,
        "unstable": noise.unstable,
    }
    counts = {"candidates": candidates, "runs": noise.runs, "n": noise.n}
    return {**counts, **{name: round(100 * value, 2) for name, value in shares.items()}}


def run_calibrate(runs: Sequence[str], name: str, weakest: int | None, artifacts: str, as_json: bool) -> int:
    """Fit, judge and write a policy."""
    if not re.fullmatch(r"[\w.-]+", name) or name.startswith("."):
        raise UserError(f"--name {name!r}: a policy's name has letters, digits, '.', '_' and '-' only")
    judged = [item for folder in dict.fromkeys(runs) for item in judged_of(read_run(folder))]
    cases = measure_cases(keep_weakest(judged, weakest))
    try:
        policies, choices, gain = calibrate(cases)
    except ValueError as error:
        raise UserError(f"{', '.join(runs)}: {error}. Name runs over more databases") from error
    result = _figures(choices, gain, policies)
    path = Path(local_folder(artifacts)).absolute() / "policies" / f"{name}.json"
    facts = {"fitted_on": [Path(run).name for run in runs], "weakest": weakest, "measured": result}
    text = policies_to_json(policies, facts)
    replace_file(path, lambda temporary: Path(temporary).write_text(text, encoding="utf-8"))
    _show_policy(cases, policies, result, gain)
    SCREEN.print(f"policy: {path}", soft_wrap=True)
    if as_json:
        click.echo(json_line({"policy": str(path), **result}))
    return 0


def keep_weakest(judged: Sequence[Judged], count: int | None) -> list[Judged]:
    """The same questions with the candidates of the `count` least accurate generators only."""
    if count is None:
        return list(judged)
    accuracies = measured_accuracies(measure_cases(judged))
    kept = set(sorted(accuracies, key=lambda g: (accuracies[g], g))[:count])
    return [replace(j, candidates=tuple(c for c in j.candidates if c.generator in kept)) for j in judged]


def _shares(choices: Sequence[Choice]) -> dict[str, Any]:
    ways = {
        "vote": "vote",
        "non_empty_vote": "non_empty",
        "selection": "selection",
        "execution_accuracy": "policy",
        "upper_bound": "available",
    }
    counts = {said: sum(getattr(c, way) for c in choices) for said, way in ways.items()}
    return {"n": len(choices), **{said: round(100 * count / len(choices), 2) for said, count in counts.items()}}


def _figures(choices: Sequence[Choice], gain: Gain, policies: Policies) -> dict[str, Any]:
    databases = dict.fromkeys(c.db_id for c in choices)
    return {
        "gains": policies.gains,
        **_shares(choices),
        "gain": {n: round(100 * getattr(gain.difference, n), 2) for n in ("value", "low", "high")},
        "gain_over_selection": {n: round(100 * getattr(gain.over_selection, n), 2) for n in ("value", "low", "high")},
        "only_vote": gain.test.only_first,
        "only_policy": gain.test.only_second,
        "p_value": gain.test.p_value,
        "by_database": [{"db_id": d, **_shares([c for c in choices if c.db_id == d])} for d in databases],
        "features": {n: round(v, 4) for n, v in policies.policy.features},
    }


def _show_policy(cases: Sequence[Case], policies: Policies, result: dict[str, Any], gain: Gain) -> None:
    table = Table("judged on", "n", "vote", "non-empty", "selection", "policy", "upper bound", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in [*result["by_database"], {"db_id": "all", **result}]:
        shown = (f"{row[n]:.1f}" for n in ("vote", "non_empty_vote", "selection", "execution_accuracy", "upper_bound"))
        table.add_row(Text(row["db_id"]), str(row["n"]), *shown)
    SCREEN.print(table)
    voices = dict(policies.policy.voices)
    for title, numbers in (("feature", policies.policy.features), ("voice", tuple(voices.items()))):
        said = ", ".join(
            f"{n} {v:+.2f}" for n, v in sorted(numbers, key=lambda item: -abs(item[1]))[:SHOWN_COEFFICIENTS]
        )
        SCREEN.print(Text(f"{title}s  {said}", "dim"), soft_wrap=True)
    used = "it is used" if policies.gains else "that is not enough: it is not used"
    SCREEN.print(
        f"gain over the plain vote {points(gain.difference)} points, {gain.test.only_second} won and"
        f" {gain.test.only_first} lost, p = {gain.test.p_value:.3g}; over the pipeline's own selection"
        f" {points(gain.over_selection)}; {used}"
    )
