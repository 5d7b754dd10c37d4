"""The command that prices a run before it starts: quote."""

from typing import Any

import click

from flows.cli_options import dataset_options, options_from, preset_options, runs_flows, shared_options


@click.command()
@dataset_options
@preset_options
@click.option("--limit", type=click.IntRange(1), help="Only the first N questions.")
@click.option("--split", type=click.Choice(["dev", "train"]), default="dev", show_default=True, help="Which questions.")
@click.option(
    "--sample", type=click.IntRange(1), default=12, show_default=True, help="Questions whose prompts are rendered."
)
@shared_options
@runs_flows
def quote(as_json: bool, preset: str, knobs: dict[str, Any], **asked: Any) -> int:
    """Price the models of a preset for DATASET before a run: tokens and dollars of each operation.

    Real prompts of a sample of questions, at the prices of litellm's price map; no model is asked. How long answers
    will be is assumed, and so is how often candidates are fixed and compared; a run's own report says what it was.

    JSON: {questions, sampled, per_question, once, total, lines: [{role, model, calls, input_tokens, output_tokens,
    dollars, most}]}; the figures of a line are per question, those of `summarise` for all databases.
    """
    from flows.quote_command import run_quote

    return run_quote(options_from(preset, **knobs), as_json, **asked)
