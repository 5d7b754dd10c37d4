"""The command `nl2sql`: thin over the flows and the library.

Progress goes to standard error, results to standard output. With --json the last line of standard output is one JSON
object. Exit codes: 0 fine, 1 failed, 2 wrong usage.
"""

import atexit
from typing import Any

import click

from flows.cli_evaluation import CORRECTED_GOLD, EVALUATION_COMMANDS, RETRY_SET_ASIDE
from flows.cli_lineage import lineage
from flows.cli_local import LOCAL_COMMANDS
from flows.cli_operating import OPERATING_COMMANDS
from flows.cli_options import (
    DATASET,
    Commands,
    Seconds,
    dataset_options,
    options_from,
    preset_options,
    runs_flows,
    shared_options,
)
from flows.cli_quote import quote
from flows.cli_statistics import POLICY, STATISTICS_COMMANDS, with_policy
from flows.cli_training import TRAINING_COMMANDS
from flows.environment import end_now


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="nl2sql")
def main() -> None:
    """Turn questions into SQL over SQLite databases, and measure how well that goes.

    DATASET is a folder of BIRD, mini-dev or Spider in its published layout, or one SQLite file.

    With --json the last line of standard output is one JSON object: what the command's help says, or {error} when
    nothing came of it. Exit codes: 0 fine, 1 failed, 2 wrong usage.
    """


@main.command()
@dataset_options
@preset_options
@shared_options
@runs_flows
def profile(
    dataset: str, databases: tuple[str, ...], artifacts: str, as_json: bool, preset: str, knobs: dict[str, Any]
) -> int:
    """Profile the databases of DATASET: statistics, keys and a description of every column.

    JSON: {dataset, databases, columns, tasks, reused, failed: [..], seconds, manifest}.
    """
    from flows.commands import run_offline
    from flows.profile_databases import profile_databases

    return run_offline(profile_databases, dataset, databases, artifacts, options_from(preset, **knobs), as_json)


@main.command()
@dataset_options
@preset_options
@shared_options
@runs_flows
def index(
    dataset: str, databases: tuple[str, ...], artifacts: str, as_json: bool, preset: str, knobs: dict[str, Any]
) -> int:
    """Index the cells and columns of DATASET and its training questions (profiles them first).

    JSON: {dataset, databases, columns, cells, examples, tasks, reused, failed: [..], seconds, manifest}.
    """
    from flows.build_indexes import build_indexes
    from flows.commands import run_offline

    return run_offline(build_indexes, dataset, databases, artifacts, options_from(preset, **knobs), as_json)


@main.command()
@dataset_options
@preset_options
@click.option("--limit", type=click.IntRange(1), help="Only the first N questions.")
@click.option("--split", type=click.Choice(["dev", "train"]), default="dev", show_default=True, help="Which questions.")
@click.option(
    "--predictions",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="Use the SQL recorded in this file as the candidates; may be repeated.",
)
@click.option("--output", default="", metavar="DIR", help="Folder for report.html, summary.json, predictions.json.")
@CORRECTED_GOLD
@POLICY
@RETRY_SET_ASIDE
@shared_options
@runs_flows
def evaluate(
    as_json: bool,
    preset: str,
    knobs: dict[str, Any],
    policy: str | None,
    corrected_gold: str | None,
    retry_set_aside: bool,
    **asked: Any,
) -> int:
    """Answer the questions of DATASET and score the answers: execution accuracy, a report and a table.

    A run that is interrupted or fails in part continues where it stopped when the same command is run again.

    JSON: {n, execution_accuracy, upper_bound, majority_vote, by_difficulty, by_database, linking: {strict_recall,
    recall, precision, columns_kept, columns_total, ..}, cell_recall, fixed, broken, unanimous, generators, seconds,
    run_id, report, failed_tasks, corrected_gold: {execution_accuracy, golds_changed, questions_changed, ..},
    set_aside: [{question_id, db_id, stage, error, tries, ..}], ..}; shares are percentages from 0 to 100.
    """
    from flows.commands import run_evaluation

    chosen = {"corrected_gold": corrected_gold, "retry_set_aside": retry_set_aside}
    options = options_from(preset, **knobs, **with_policy(policy), **chosen)
    return run_evaluation(options, as_json, **asked)


@main.command()
@click.argument("database", type=click.Path(exists=True, dir_okay=False))
@click.argument("question")
@click.option("--evidence", default="", help="What one must know to understand the question.")
@click.option("--explain", is_flag=True, help="Show every step.")
@preset_options
@POLICY
@shared_options
def ask(
    database: str,
    question: str,
    evidence: str,
    explain: bool,
    artifacts: str,
    as_json: bool,
    preset: str,
    policy: str | None,
    knobs: dict[str, Any],
) -> int:
    """Answer one QUESTION about the SQLite file DATABASE: the SQL, its rows, the confidence and what was matched.

    The first question to a database profiles and indexes it; later ones find that done.

    JSON: {question, evidence, sql, columns, rows, row_count, outcome, error, confidence, path, label,
    matched: [{literal, column, value, score}], linked: [{column, view}], candidates: [{id, sql, outcome}]}; rows are
    the first 1,000.
    """
    from flows.commands import run_ask

    options = options_from(preset, **with_policy(policy), **knobs)
    return run_ask(database, question, evidence, explain, artifacts, options, as_json)


@main.command()
@click.argument("dataset", type=DATASET)
@click.argument("predictions", type=click.Path(exists=True, dir_okay=False))
@click.option("--split", type=click.Choice(["dev", "train"]), default="dev", show_default=True, help="Which questions.")
@click.option(
    "--timeout",
    type=Seconds(),
    default=30.0,
    show_default=True,
    help="For one SQL statement.",
)
@click.option(
    "--strict-parity",
    is_flag=True,
    help="Read every rule as BIRD's evaluation_ex.py does, mistakes included.",
)
@click.option("--any-column-order", is_flag=True, help="Allow columns in another order, as Spider does.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    type=click.Choice(["ex", "soft-f1", "r-ves"]),
    default=("ex",),
    show_default=True,
    help="What to measure beside execution accuracy; may be repeated.",
)
@click.option(
    "--by",
    multiple=True,
    type=click.Choice(["difficulty", "database", "feature"]),
    help="Print the scores of such groups of questions, too; may be repeated.",
)
@click.option(
    "--rounds", type=click.IntRange(1), default=100, show_default=True, help="Timed runs per answer, for r-ves."
)
@CORRECTED_GOLD
@shared_options
def score(
    dataset: str,
    predictions: str,
    strict_parity: bool,
    any_column_order: bool,
    artifacts: str,
    as_json: bool,
    **changed: Any,
) -> int:
    """Score recorded PREDICTIONS on DATASET: execution accuracy, Soft-F1 and R-VES of each model.

    PREDICTIONS is JSON lines (question_id, sql, optional db_id and model) or BIRD's own JSON. What was judged once is
    kept under ARTIFACTS/judgements and not executed again.

    JSON: {models: {NAME: {n, correct, execution_accuracy, soft_f1, r_ves, by: {difficulty: {GROUP: {..}}, database,
    feature}, corrected: {.., changed, now_right, now_wrong}}}, problems: [..], differences: {RULE: count},
    corrected_gold: {golds_changed, questions_changed}}; shares are percentages from 0 to 100, metrics that were
    not asked for are left out, and features are those of the gold SQL.
    """
    from flows.score_command import ScoreOptions, run_score

    if strict_parity and any_column_order:
        raise click.UsageError("--any-column-order is Spider's rule, --strict-parity is BIRD's: choose one of them")
    options = ScoreOptions(strict_parity=strict_parity, any_column_order=any_column_order, **changed)
    return run_score(dataset, predictions, options, artifacts, as_json)


for command in (
    *EVALUATION_COMMANDS,
    *STATISTICS_COMMANDS,
    *LOCAL_COMMANDS,
    lineage,
    *OPERATING_COMMANDS,
    quote,
    *TRAINING_COMMANDS,
):
    main.add_command(command)


def run() -> None:
    """The program: the command, and out, without taking the interpreter apart, which takes seconds with torch in it."""
    code = 1

    def leave() -> None:
        end_now(code)

    atexit.register(leave)  # registered first, so it runs last
    try:
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        raise


if __name__ == "__main__":
    run()
