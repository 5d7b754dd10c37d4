"""What the commands have in common: their options, and how they end."""

import io
import json
import math
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

import click

from flows.environment import prepare
from flows.own_server import start_server
from nl2sql.errors import UserError
from nl2sql.garbage import no_collections

DATASET = click.Path(exists=True)
JSON_HELP = "End standard output with one line of JSON."


class Commands(click.Group):
    """The commands; with --json wrong usage ends standard output with JSON, too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember whether JSON was asked for, before options are taken apart."""
        ctx.meta["as_json"] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if ctx.meta["as_json"]:
                click.echo(json.dumps({"error": error.format_message()}))
            raise


class Seconds(click.FloatRange):
    """A number of seconds above 0 that is one: NaN would switch a time limit off."""

    name = "seconds"

    def __init__(self) -> None:
        """Above 0, without an upper bound."""
        super().__init__(0, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the option's text."""
        seconds = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return seconds


def shared_options(command: Callable[..., int]) -> Callable[..., None]:
    """What every command takes, and how it ends: a user's mistake is one line and exit code 1."""

    @click.option("--artifacts", default="artifacts", show_default=True, help="Folder that runs write to.")
    @click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
    @click.option("--verbose", is_flag=True, help="Show Prefect's log and tracebacks.")
    @wraps(command)
    def wrapped(*args: Any, verbose: bool, as_json: bool, **kwargs: Any) -> None:
        prepare(verbose)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # data may hold what the terminal's encoding lacks
        try:
            outcome = command(*args, as_json=as_json, **kwargs)
        except UserError as error:
            if verbose:
                raise
            fail(str(error), as_json)
        else:
            sys.exit(outcome)

    return wrapped


def runs_flows(command: Callable[..., int]) -> Callable[..., int]:
    """A command that runs flows; to stand below `shared_options`, so that its settings hold."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> int:
        start_server()
        with no_collections():
            import_module("flows.commands")  # most of what every such command imports
        return command(*args, **kwargs)

    return wrapped


def fail(message: str, as_json: bool) -> None:
    """One line on standard error, the same as JSON when that was asked for, exit code 1."""
    message = " ".join(message.splitlines())
    click.echo(f"nl2sql: {message}", err=True)
    if as_json:
        click.echo(json.dumps({"error": message}))
    sys.exit(1)


def dataset_options(command: Callable[..., None]) -> Callable[..., None]:
    """The dataset and which of its databases."""
    command = click.option(
        "--database", "databases", multiple=True, metavar="ID", help="Only this database; may be repeated."
    )(command)
    return click.argument("dataset", type=DATASET)(command)


KNOBS = ("batch_size", "timeout", "empty_is_wrong", "max_cost")


def preset_options(command: Callable[..., None]) -> Callable[..., None]:
    """The preset and the options that are most often changed for one run; the command gets these as `knobs`."""

    @wraps(command)
    def gathered(*args: Any, **given: Any) -> None:
        command(*args, knobs={name: given.pop(name) for name in KNOBS}, **given)

    wrapped: Callable[..., None] = gathered
    for option in reversed(
        (
            click.option(
                "--preset",
                default="offline",
                show_default=True,
                help="Name of a preset of deployments/presets, or a .toml file of your own.",
            ),
            click.option("--batch-size", type=click.IntRange(1, 10_000), help="Questions per task."),
            click.option("--timeout", type=Seconds(), help="For one SQL statement."),
            click.option(
                "--empty-is-wrong/--empty-is-fine",
                default=None,
                help="Whether an empty result must be a mistake.",
            ),
            click.option(
                "--max-cost",
                type=click.FloatRange(0, min_open=True),
                metavar="DOLLARS",
                help="What models may cost at most; on the way there a run does with less.",
            ),
        )
    ):
        wrapped = option(wrapped)
    return wrapped


def options_from(preset: str, **changed: Any) -> Any:
    """The preset with what the command line changes; an unknown preset is wrong usage."""
    from flows.dask_cluster import check_task_runner
    from flows.options import load_preset

    try:
        options = load_preset(preset)
    except UserError as error:
        raise click.BadParameter(str(error), param_hint="--preset") from error
    check_task_runner(options)
    return options.model_copy(update={name: value for name, value in changed.items() if value is not None})
