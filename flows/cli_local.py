"""The commands around local models: train an adapter, list what there is, admit one to a preset."""

from typing import Any

import click

from flows.cli_options import dataset_options, options_from, preset_options, runs_flows, shared_options
from nl2sql.models.local_models import DEFAULT_BASE, ROLES


@click.command()
@click.argument("role", type=click.Choice(ROLES))
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Folder with train.jsonl and valid.jsonl, which nl2sql traindata wrote.",
)
@click.option(
    "--base", default=DEFAULT_BASE, show_default=True, help="Base model: a folder, or a name in the hub's cache."
)
@click.option("--rank", type=int, default=8, show_default=True, help="Of the adapter.")
@click.option("--layers", type=int, default=0, help="Adapt only the last N layers.  [default: all]")
@click.option("--length", type=int, default=1024, show_default=True, help="Tokens of the longest chat.")
@click.option("--batch", type=int, default=1, show_default=True, help="Chats run through the model together.")
@click.option("--accumulation", type=int, default=8, show_default=True, help="Batches per step.")
@click.option("--epochs", type=float, default=2.0, show_default=True, help="Times that every chat is seen.")
@click.option("--learning-rate", type=float, default=1e-4, show_default=True, help="The highest one.")
@click.option("--patience", type=int, default=3, show_default=True, help="Evaluations without gain before it stops.")
@click.option(
    "--evaluations", type=int, default=10, show_default=True, help="Of the validation loss, in the whole run."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the first weights and the order of the data.")
@click.option(
    "--checkpointing/--no-checkpointing", default=True, help="Trade time for memory.  [default: checkpointing]"
)
@click.option(
    "--fused", type=click.Path(), metavar="DIR", help="Write base and adapter as one full-precision model, too."
)
@shared_options
@runs_flows
def train(role: str, data: str, base: str, fused: str | None, artifacts: str, as_json: bool, **recipe: Any) -> int:
    """Train the adapter of ROLE by QLoRA, in this machine's memory, and put it where lineups find it.

    Says first how much memory that takes, and refuses what does not fit. A run that was killed continues from its last
    checkpoint when the same command is run again; an adapter that is there is not trained again. Nothing is downloaded.

    JSON: {role, name, path, weights_digest, base, steps, first_valid_loss, best_valid_loss, planned_bytes, peak_bytes,
    seconds, asked_as, ..}.
    """
    from flows.local_commands import run_train

    return run_train(role, data, base, recipe, fused, artifacts, as_json)


@click.command()
@shared_options
def models(artifacts: str, as_json: bool) -> int:
    """List the local models: bases and adapters, their sizes and digests, and which fit this machine's memory.

    JSON: {limit_bytes, holder, models: [{name, kind, role, base, bytes, serving_bytes, fits, digest, problem, ..}]}.
    """
    from flows.local_commands import run_models

    return run_models(artifacts, as_json)


@click.command()
@dataset_options
@preset_options
@click.option("--limit", type=click.IntRange(1), help="Only the first N dev questions.")
@click.option(
    "--instead-of",
    default="",
    metavar="PRESET",
    help="Preset whose lineup and roles are replaced.  [default: the preset without its local models]",
)
@shared_options
@runs_flows
def admit(
    dataset: str,
    databases: tuple[str, ...],
    preset: str,
    knobs: dict[str, Any],
    limit: int | None,
    instead_of: str,
    artifacts: str,
    as_json: bool,
) -> int:
    """Compare each local model of a preset with what it would replace, on the dev questions of DATASET.

    Evaluates the preset without its local models, then with one of them more at a time: generators, then roles. A model
    with which fewer answers are right stays out. `evaluate` and `ask` take a preset only when all its local models are
    admitted. Exit code 1 when one is not.

    JSON: {admitted, models: [{use, model, instead_of, questions, right_before, right, p_value, run_before, run, ..}],
    failed: [..], seconds, manifest}.
    """
    from flows.local_commands import run_admit
    from flows.options import load_preset

    options = options_from(preset, **knobs)
    instead = load_preset(instead_of) if instead_of else None
    return run_admit(options, instead, artifacts, as_json, dataset=dataset, databases=databases, limit=limit)


LOCAL_COMMANDS: tuple[click.Command, ...] = (train, models, admit)
