"""The commands that say how sure a figure is, and that fit a selection policy: compare, calibrate."""

from typing import Any

import click

from flows.cli_options import shared_options

RUN_FOLDER = click.Path(exists=True, file_okay=False)
POLICY = click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False),
    help="Select by this policy, which nl2sql calibrate wrote; one that did not gain is not used.",
)


@click.command()
@click.argument("run_a", type=RUN_FOLDER)
@click.argument("run_b", type=RUN_FOLDER)
@click.option("--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write the comparison as HTML, too.")
@click.option(
    "--flips", "shown", type=click.IntRange(0), default=10, show_default=True, help="Flipped questions to list."
)
@shared_options
def compare(run_a: str, run_b: str, output: str | None, shown: int, artifacts: str, as_json: bool) -> int:
    """Compare two evaluated runs on the questions that both have: is RUN_B better than RUN_A, or is that chance?

    Bootstrap intervals of each figure and of the difference, McNemar's exact test, by difficulty and database, and
    the questions that exactly one gets right.

    JSON: {first, second, groups: [{kind, name, n, first, second, difference: {value, low, high}, only_first,
    only_second, p_value}], same_sql, left_out, resolvable_points, flips: [{question_id, db_id, right, reason}]};
    shares are percentages, differences points, second - first.
    """
    from flows.statistics_commands import run_compare

    return run_compare(run_a, run_b, output, shown, as_json)


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


STATISTICS_COMMANDS: tuple[click.Command, ...] = (compare, calibrate)


def with_policy(policy: str | None) -> dict[str, Any]:
    """The option as a preset's change, after the file was read once: what is wrong with it is said before a run."""
    from flows.policies import load_policies

    if policy and not load_policies(policy).gains:
        click.echo(f"nl2sql: note: {policy} gained nothing over the vote for sure: it is not used", err=True)
    return {"policy": policy}
