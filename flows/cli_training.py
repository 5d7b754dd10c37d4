"""The command that makes training data: traindata."""

from typing import Any

import click

from flows.cli_options import DATASET, dataset_options, options_from, preset_options, runs_flows, shared_options


@click.command()
@dataset_options
@preset_options
@click.option("--limit", type=click.IntRange(1), help="Only the first N questions with a database, and N without.")
@click.option("--output", default="", metavar="DIR", help="Folder for the files.  [default: ARTIFACTS/training/NAME]")
@click.option("--tokens", type=click.IntRange(64, 32_768), default=1024, show_default=True, help="Of the longest chat.")
@click.option(
    "--tokenizer", default="", metavar="MODEL", help="The base model's folder; without it tokens are bounded."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all that is drawn.")
@click.option("--valid", type=click.FloatRange(0, 0.9), default=0.1, show_default=True, help="Share to validate with.")
@click.option("--test", type=click.FloatRange(0, 0.9), default=0.1, show_default=True, help="Share to test with.")
@click.option(
    "--against", type=DATASET, multiple=True, help="Refuse questions like those of this benchmark's dev, too."
)
@click.option(
    "--earlier", type=click.Path(exists=True, file_okay=False), help="Folder of the sampling round before this one."
)
@click.option(
    "--rebuilt/--no-rebuilt", default=True, help="Rebuild schemas of absent databases from queries.  [default: rebuilt]"
)
@shared_options
@runs_flows
def traindata(
    dataset: str,
    databases: tuple[str, ...],
    preset: str,
    knobs: dict[str, Any],
    limit: int | None,
    output: str,
    tokens: int,
    earlier: str | None,
    artifacts: str,
    as_json: bool,
    **data: Any,
) -> int:
    """Make training data from the train questions of DATASET: chats for generators, pairs for a selector.

    The lineup of the preset answers the questions whose databases are here: what it got right, got wrong and could not
    run goes into the data. Questions that give a dev question away are left out. Writes ROLE/train.jsonl, valid.jsonl
    and test.jsonl for generator_a, generator_b, reasoner and selector; parts share no database.

    JSON: {dataset, output, roles: {ROLE: {train, valid, test}}, dropped: {REASON: n}, leaks: {KIND: n}, balance:
    [{role, task, source, schema_source, split, dropped, samples}], sampling: [{difficulty, questions, samples, right,
    solved, kept}], reused, failed: [..], seconds, manifest, ..}.
    """
    from flows.generate_training_data import DataOptions
    from flows.training_commands import run_traindata

    options = options_from(preset, **knobs)
    asked = DataOptions(limit=tokens, earlier=earlier or "", **data)
    return run_traindata(dataset, databases, limit, output, artifacts, options, asked, as_json)


TRAINING_COMMANDS: tuple[click.Command, ...] = (traindata,)
