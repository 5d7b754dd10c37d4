"""What `compare` and `calibrate` do between the library and the screen."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from flows.commands import SCREEN, json_line
from flows.runs import answers_of, judged_of, read_run
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
from nl2sql.scoring.compare_answers import Comparison, Flip, compare_answers
from nl2sql.scoring.fit_policy import Case, Choice, Gain, Judged, calibrate, measure_cases, measured_accuracies
from tasks.artifact_store import replace_file

SHOWN_COEFFICIENTS = 8  # the file holds all of them


def run_compare(run_a: str, run_b: str, output: str | None, shown: int, as_json: bool) -> int:
    """Compare two runs on the screen, as JSON and as a page."""
    first, second = read_run(run_a), read_run(run_b)
    try:
        comparison = compare_answers(answers_of(first), answers_of(second))
    except ValueError as error:
        raise UserError(f"{run_a} and {run_b}: {error}. Compare runs of the same dataset") from error
    names = (first.name, second.name) if first.name != second.name else (run_a, run_b)
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
    path = Path(artifacts).absolute() / "policies" / f"{name}.json"
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
