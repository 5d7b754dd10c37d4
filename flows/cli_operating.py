"""The commands that keep runs going: doctor, serve."""

from typing import Any

import click

from flows.cli_options import DATASET, options_from, preset_options, shared_options


@click.command()
@click.argument("dataset", type=click.Path(), default="", required=False)
@click.option("--split", type=click.Choice(["dev", "train"]), default="dev", show_default=True, help="Which questions.")
@click.option("--offline", is_flag=True, help="Do not ask whether the models' servers answer.")
@preset_options
@shared_options
def doctor(
    dataset: str, split: str, offline: bool, artifacts: str, as_json: bool, preset: str, knobs: dict[str, Any]
) -> int:
    """Look for what would stop a run: on this machine, in the preset, and in DATASET when it is given.

    Looks at Python, packages, disk, memory, embeddings, keys (never shown), servers of models, the benchmark's files
    and release, its gold SQL, and Prefect. Nothing is paid for. Exit code 1 when something fails.

    JSON: {findings: [{name, status, found, mend}], ok, warn, fail}.
    """
    from flows.doctor import Patient, examine
    from flows.operating_commands import show_findings

    options = options_from(preset, **knobs)
    return show_findings(examine(Patient(options, artifacts, dataset, split, not offline)), as_json)


@click.command()
@click.argument("dataset", type=DATASET)
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    help="Of the Prefect server on this machine.  [default: the server of PREFECT_API_URL, else 4200]",
)
@preset_options
@shared_options
def serve(dataset: str, port: int | None, artifacts: str, as_json: bool, preset: str, knobs: dict[str, Any]) -> int:
    """Serve DATASET's scheduled runs and their forms in the Prefect UI, until interrupted with Ctrl-C.

    Starts a Prefect server on this machine unless one runs: http://127.0.0.1:4200. The schedules are in
    deployments/schedules.toml; a run that finds nothing changed ends within seconds.

    JSON: {ui, deployments: [{name, flow, schedule}]}, before the first run.
    """
    from flows.operating_commands import run_serve

    return run_serve(dataset, artifacts, options_from(preset, **knobs), port, as_json)


OPERATING_COMMANDS: tuple[click.Command, ...] = (doctor, serve)
