"""The commands that say how sure a figure is, and that fit a selection policy: compare, noise, calibrate."""

from pathlib import Path
from typing import Any

import click

from flows.cli_evaluation import SPLIT
from flows.cli_options import DATASET, shared_options

RUN_FOLDER = click.Path(exists=True, file_okay=False)
POLICY = click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False),
    help="Select by this policy, which nl2sql calibrate wrote; one that did not gain is not used.",
)


class TwoNames(click.ParamType):
    """Two different names, separated by a comma."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Read the two; another number of them is wrong usage."""
        names = tuple(word.strip() for word in value.split(",")) if isinstance(value, str) else tuple(value)
        if len(names) != 2 or not all(names) or names[0] == names[1]:
            self.fail("name two different models, separated by a comma", param, ctx)
        return names[0], names[1]


@click.command()
@click.argument("run_a", type=click.Path(exists=True), metavar="RUN_A|PREDICTIONS")
@click.argument("run_b", type=RUN_FOLDER, required=False)
@click.option("--models", type=TwoNames(), metavar="A,B", help="Compare these two systems of the file PREDICTIONS.")
@click.option("--dataset", type=DATASET, help="What PREDICTIONS answers.")
@SPLIT
@click.option("--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write the comparison as HTML, too.")
@click.option(
    "--flips", "shown", type=click.IntRange(0), default=10, show_default=True, help="Flipped questions to list."
)
@shared_options
def compare(
    run_a: str,
    run_b: str | None,
    models: tuple[str, str] | None,
    dataset: str | None,
    split: str,
    output: str | None,
    shown: int,
    artifacts: str,
    as_json: bool,
) -> int:
    """Compare two evaluated runs on the questions that both have: is RUN_B better than RUN_A, or is that chance?

    With --models A,B and --dataset, compare two systems of one file of predictions instead.

    Bootstrap intervals of each figure and of the difference, McNemar's exact test, by difficulty and database, and
    the questions that exactly one gets right.

    JSON: {first, second, groups: [{kind, name, n, first, second, difference: {value, low, high}, only_first,
    only_second, p_value}], same_sql, left_out, resolvable_points, flips: [{question_id, db_id, right, reason}]};
    shares are percentages, differences points, second - first.
    """
    from flows.statistics_commands import run_compare, run_compare_models

    if models and dataset and not run_b and Path(run_a).is_file():
        return run_compare_models(run_a, models, dataset, split, artifacts, output, shown, as_json)
    if models or dataset or not run_b or Path(run_a).is_file():
        raise click.UsageError("give two run folders, or one predictions file with --models A,B and --dataset DATASET")
    return run_compare(run_a, run_b, output, shown, as_json)


@click.command()
@click.argument("runs", type=RUN_FOLDER, nargs=-1, required=True)
@click.option(
    "--candidates",
    "sizes",
    type=click.IntRange(1, 1000),
    multiple=True,
    help="Candidates per question that a simulated run draws; may be repeated.",
)
@shared_options
def noise(runs: tuple[str, ...], sizes: tuple[int, ...], artifacts: str, as_json: bool) -> int:
    """Say by how much two runs of the same thing differ by chance, on the same questions.

    Of several RUNS of one configuration: from how often each question is right. Of one RUN: from simulated runs that
    draw its recorded candidates anew and vote. A difference below `limit` is no news.

    JSON: {runs, noise: [{candidates, runs, n, execution_accuracy, deviation, limit, unstable}]}; shares are
    percentages, deviation and limit points; candidates is null for repeated runs.
    """
    from flows.statistics_commands import run_noise

    if sizes and len(set(runs)) > 1:
        raise click.UsageError("--candidates is for simulated runs of one RUN")
    return run_noise(runs, sizes, as_json)


@click.command()
@click.argument("runs", type=RUN_FOLDER, nargs=-1, required=True)
@click.option(
    "--name", default="policy", show_default=True, help="The policy is written to ARTIFACTS/policies/NAME.json."
)
@click.option("--weakest", type=click.IntRange(2), help="Only the N generators with the lowest accuracy.")
@shared_options
def calibrate(runs: tuple[str, ...], name: str, weakest: int | None, artifacts: str, as_json: bool) -> int:
    """Fit a selection policy on the candidates of evaluated RUNS, and judge it on databases it was not fitted on.

    Each database is judged with the policy that was fitted on the others. The policy counts as a gain, and is used by
    --policy, only when the whole interval of its gain over the plain vote lies above zero and it is right more often
    than the pipeline's own selection. For a database that it was fitted on, the file holds one fitted without it.

    JSON: {policy, gains, n, vote, non_empty_vote, selection, execution_accuracy, upper_bound, gain: {value, low, high},
    gain_over_selection, only_vote, only_policy, p_value, by_database: [{db_id, n, ..}], features: {NAME: coefficient}};
    shares are percentages, gains points.
    """
    from flows.statistics_commands import run_calibrate

    return run_calibrate(runs, name, weakest, artifacts, as_json)


STATISTICS_COMMANDS: tuple[click.Command, ...] = (compare, noise, calibrate)


def with_policy(policy: str | None) -> dict[str, Any]:
    """The option as a preset's change, after the file was read once: what is wrong with it is said before a run."""
    from flows.policies import load_policies

    if policy and not load_policies(policy).gains:
        click.echo(f"nl2sql: note: {policy} gained nothing over the vote for sure: it is not used", err=True)
    return {"policy": policy}
