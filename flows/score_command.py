"""What `nl2sql score` does between the library and the screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from flows.screen import MARGIN, SCREEN, json_line, plain_table
from nl2sql.benchmarks import Benchmark, Problem, load_benchmark, well_formed
from nl2sql.errors import UserError
from nl2sql.garbage import rare_collections
from nl2sql.query_pool import start_workers
from nl2sql.rows import Question
from nl2sql.scoring.corrected_gold import Corrections, correct_golds, load_corrections
from nl2sql.scoring.execution_accuracy import SCORING_LIMITS, Judgement, Pair, Scores, score_predictions
from nl2sql.scoring.measure_predictions import GROUPINGS, Measured, group_places, measure_predictions
from nl2sql.scoring.predictions import Predictions, load_predictions
from tasks.artifact_store import ArtifactStore
from tasks.judgement_store import JudgementStore

TITLES = {"execution_accuracy": "EX %", "soft_f1": "Soft-F1 %", "r_ves": "R-VES"}


@dataclass(frozen=True)
class ScoreOptions:
    """The options of `nl2sql score`."""

    split: str
    timeout: float
    strict_parity: bool
    any_column_order: bool
    metrics: tuple[str, ...]
    by: tuple[str, ...]
    rounds: int
    corrected_gold: str | None


@dataclass(frozen=True)
class Corrected:
    """The same predictions on corrected gold SQL."""

    scores: Scores
    measured: Measured
    golds: frozenset[str]  # ids of questions whose gold is another
    problems: tuple[Problem, ...]

    def changes(self, first: Scores) -> dict[str, dict[str, int]]:
        """By model, how many verdicts the correction changes, and how many of these are now right and now wrong."""
        counts = {model: {"changed": 0, "now_right": 0, "now_wrong": 0} for model in first.models}
        for before, after in zip(first.verdicts, self.scores.verdicts, strict=True):
            if before.correct != after.correct:
                counts[before.generator]["changed"] += 1
                counts[before.generator]["now_right" if after.correct else "now_wrong"] += 1
        return counts

    def changed_questions(self, first: Scores) -> int:
        """How many questions have another verdict for at least one model."""
        pairs = zip(first.verdicts, self.scores.verdicts, strict=True)
        return len({before.question_id for before, after in pairs if before.correct != after.correct})


@rare_collections()
def run_score(dataset: str, predictions: str, options: ScoreOptions, artifacts: str, as_json: bool) -> int:
    """Score a file of recorded predictions and print a line per model, best first."""
    benchmark = load_benchmark(dataset, options.split)
    limits = replace(SCORING_LIMITS, seconds=options.timeout)
    store = JudgementStore(ArtifactStore(artifacts), limits, options.any_column_order)
    known = store.load(d.sha256 for d in benchmark.databases)
    if not known:
        start_workers()
    loaded = load_predictions(predictions)
    corrections = load_corrections(options.corrected_gold) if options.corrected_gold else None
    judged = dict(known)
    with MARGIN.status(f"scoring {len(loaded.items):,} predictions"):
        scores, measured = _measure(loaded, benchmark, options, judged)
        corrected = _measure_corrected(loaded, benchmark, options, judged, corrections) if corrections else None
    keep_judgements(store, {pair: j for pair, j in judged.items() if pair not in known})
    more = corrected.problems if corrected else ()
    problems = [f"{p.where}: {p.what}" for p in (*benchmark.problems, *loaded.problems, *scores.problems, *more)]
    for problem in problems:
        click.echo(f"nl2sql: note: {problem}", err=True)
    models = model_figures(scores, measured)
    grouped = {name: group_figures(measured, benchmark.questions, name) for name in GROUPINGS}
    _show(models, grouped, options, scores, corrected)
    if as_json:
        by = {model: {name: grouped[name].get(model, {}) for name in GROUPINGS} for model in models}
        said = {name: {**figures, "by": by[name]} for name, figures in models.items()}
        result = {"models": said, "problems": problems, "differences": dict(scores.differences)}
        click.echo(json_line(result | (_corrected_json(said, scores, corrected) if corrected else {})))
    return 0


def _measure(
    loaded: Predictions, benchmark: Benchmark, options: ScoreOptions, judged: dict[Pair, Judgement]
) -> tuple[Scores, Measured]:
    limits = replace(SCORING_LIMITS, seconds=options.timeout)
    place = benchmark.questions, benchmark.databases
    rules = {"strict_parity": options.strict_parity, "any_column_order": options.any_column_order}
    scores = score_predictions(loaded, *place, limits, **rules, judged=judged)
    return scores, measure_predictions(scores.verdicts, *place, options.metrics, limits, options.rounds)


def _measure_corrected(
    loaded: Predictions,
    benchmark: Benchmark,
    options: ScoreOptions,
    judged: dict[Pair, Judgement],
    corrections: Corrections,
) -> Corrected:
    questions, golds, problems = correct_golds(corrections, benchmark.questions)
    found = _measure(loaded, replace(benchmark, questions=questions), options, judged)
    return Corrected(*found, golds, (*corrections.problems, *problems))


def keep_judgements(store: JudgementStore, judged: Mapping[Pair, Judgement]) -> None:
    """Keep them where that is possible, and say where it is not."""
    try:
        store.keep(judged)
    except UserError as error:  # the scores are there all the same
        click.echo(f"nl2sql: note: judgements are not kept: {error}", err=True)


def _show(
    models: Mapping[str, Any],
    grouped: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]],
    options: ScoreOptions,
    scores: Scores,
    corrected: Corrected | None,
) -> None:
    SCREEN.print(_score_table(models, scores, corrected))
    for grouping in options.by:
        for table in _group_tables(models, grouped[grouping], grouping):
            SCREEN.print()
            SCREEN.print(table)
    if corrected:
        changed = corrected.changed_questions(scores)
        said = f"{len(corrected.golds):,} questions have another gold; {changed:,} of them another verdict in any model"
        SCREEN.print(f"[dim]* with {options.corrected_gold}: {said}[/dim]", soft_wrap=True)
    if scores.differences:
        SCREEN.print(f"[dim]BIRD's own evaluator differs on: {dict(scores.differences)}; see docs/scoring.md[/dim]")


def _corrected_json(said: Mapping[str, dict[str, Any]], scores: Scores, corrected: Corrected) -> dict[str, Any]:
    figures, changes = model_figures(corrected.scores, corrected.measured), corrected.changes(scores)
    models = {name: {**said[name], "corrected": {**figures[name], **changes[name]}} for name in said}
    golds = {"golds_changed": len(corrected.golds), "questions_changed": corrected.changed_questions(scores)}
    return {"models": models, "corrected_gold": golds}


def model_figures(scores: Scores, measured: Measured) -> dict[str, dict[str, float]]:
    """Each model's figures, the most accurate first."""
    places: dict[str, list[int]] = {name: [] for name in scores.models}
    for place, verdict in enumerate(scores.verdicts):
        places[verdict.generator].append(place)
    best_first = sorted(scores.models.items(), key=lambda item: (-item[1].execution_accuracy, item[0]))
    return {name: measured.figures(places[name]) for name, _ in best_first}


def group_figures(
    measured: Measured, questions: Sequence[Question], grouping: str
) -> dict[str, dict[str, dict[str, float]]]:
    """Each model's figures in each group, large groups first."""
    placed = group_places(measured.verdicts, questions, grouping)
    sizes = {model: sorted(groups.items(), key=lambda g: (-len(g[1]), g[0])) for model, groups in placed.items()}
    return {model: {name: measured.figures(places) for name, places in found} for model, found in sizes.items()}


def _score_table(models: Mapping[str, Mapping[str, float]], scores: Scores, corrected: Corrected | None) -> Table:
    metrics = [name for name in TITLES if any(name in figures for figures in models.values())]
    titles = [TITLES[m] for m in metrics]
    more = model_figures(corrected.scores, corrected.measured) if corrected else {}
    changes = corrected.changes(scores) if corrected else {}
    table = plain_table("model", "correct", "n", *titles, *([f"{t} *" for t in titles] + ["changed"]) * bool(corrected))
    for name, m in models.items():
        shown = [f"{m[metric]:.2f}" for metric in metrics]
        if corrected:
            changed = changes[name]
            shown += [f"{more[name][metric]:.2f}" for metric in metrics]
            shown.append(f"{changed['changed']} (+{changed['now_right']} -{changed['now_wrong']})")
        table.add_row(Text(well_formed(name)), f"{m['correct']:,}", f"{m['n']:,}", *shown)
    return table


def _group_tables(
    models: Mapping[str, Any], grouped: Mapping[str, Mapping[str, Mapping[str, float]]], grouping: str
) -> list[Table]:
    """One table per metric: a line per model, a column per group with the number of its questions."""
    sizes = {group: figures["n"] for groups in grouped.values() for group, figures in groups.items()}
    metrics = [name for name in TITLES if any(name in figures for figures in models.values())]
    tables = []
    for metric in metrics:
        table = plain_table("model", *(f"{group} ({n:,})" for group, n in sizes.items()))
        table.title, table.title_justify = f"{TITLES[metric]} by {grouping}", "left"
        for name in models:
            mine = grouped.get(name, {})
            values = (f"{mine[group][metric]:.2f}" if group in mine else "" for group in sizes)
            table.add_row(Text(well_formed(name)), *values)
        tables.append(table)
    return tables
