"""The commands that take a score apart or take it elsewhere: export, validate, ablate."""

from typing import Any

import click

from flows.cli_options import dataset_options, options_from, preset_options, runs_flows, shared_options

SPLIT = click.option(
    "--split", type=click.Choice(["dev", "train"]), default="dev", show_default=True, help="Which questions."
)
CORRECTED_GOLD = click.option(
    "--corrected-gold",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Also score with the gold SQL of this file, where it has any: JSON or JSON lines of question_id and SQL.",
)
RETRY_SET_ASIDE = click.option(
    "--retry-set-aside",
    is_flag=True,
    help="Try the questions again that earlier runs set aside because they failed on their own.",
)


class Parts(click.ParamType):
    """Parts of the pipeline, separated by commas."""

    name = "parts"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Read the list; an unknown part is wrong usage."""
        from flows.options import PARTS

        if not isinstance(value, str):
            return tuple(value)
        parts = tuple(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))
        unknown = [part for part in parts if part not in PARTS]
        if unknown or not parts:
            wrong = f"{unknown[0]!r} is no part" if unknown else "no part is named"
            self.fail(f"{wrong}: name some of {','.join(PARTS)}", param, ctx)
        return parts


@click.command()
@click.argument("run_folder", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--format", "file_format", type=click.Choice(["bird", "spider"]), required=True, help="Whose leaderboard."
)
@click.option("--output", required=True, type=click.Path(dir_okay=False), metavar="FILE", help="File to write.")
@shared_options
def export(run_folder: str, file_format: str, output: str, artifacts: str, as_json: bool) -> int:
    """Write the answers of an evaluated run, RUN_FOLDER, as BIRD's or Spider's leaderboard takes them.

    JSON: {output, format, n, unanswered: [ID], faults: [{where, kind, what}]}.
    """
    from flows.evaluation_commands import run_export

    return run_export(run_folder, file_format, output, as_json)


@click.command()
@click.argument("predictions", type=click.Path(exists=True, dir_okay=False))
@dataset_options
@SPLIT
@shared_options
def validate(
    predictions: str, dataset: str, split: str, databases: tuple[str, ...], artifacts: str, as_json: bool
) -> int:
    """Check PREDICTIONS, in BIRD's JSON or Spider's text format, for what gets a submission to DATASET rejected.

    Missing, unknown and repeated ids, wrong order, wrong database, no or several statements, tabs and line breaks
    in the SQL, values that are not strings. Exit code 1 when there is a fault. To run the SQL: nl2sql score.

    JSON: {format, n, valid, faults: [{where, kind, what}]}.
    """
    from flows.evaluation_commands import run_validate

    return run_validate(predictions, dataset, split, databases, as_json)


@click.command()
@dataset_options
@click.option(
    "--without",
    type=Parts(),
    default="linking,cells,examples,fixer,selection",
    show_default=True,
    help="Parts to take away, one at a time.",
)
@preset_options
@click.option("--limit", type=click.IntRange(1), help="Only the first N questions.")
@SPLIT
@click.option(
    "--predictions",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="Use the SQL recorded in this file as the candidates; may be repeated.",
)
@click.option("--output", default="", metavar="DIR", help="Folder for ablation.json and a report per variant.")
@shared_options
@runs_flows
def ablate(
    without: tuple[str, ...],
    as_json: bool,
    preset: str,
    knobs: dict[str, Any],
    **asked: Any,
) -> int:
    """Evaluate DATASET with all parts and once more without each, and table what each part is worth.

    Artifacts that variants have in common are made once, and those of earlier runs are reused.

    JSON: {n, label, variants: [{name, upper_bound, majority_vote, execution_accuracy, interval, worth,
    worth_interval, only_with, only_without, p_value}], failed_tasks, output}; shares are percentages, worth is in
    points, whole minus variant.
    """
    from flows.evaluation_commands import run_ablate

    options = options_from(preset, **knobs)
    return run_ablate(options, without, as_json, **asked)


EVALUATION_COMMANDS: tuple[click.Command, ...] = (export, validate, ablate)
