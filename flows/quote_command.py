"""A quote on the screen and as JSON."""

from dataclasses import asdict
from typing import Any

import click
from rich.text import Text

from flows.environment import without_heartbeats
from flows.model_settings import check_models
from flows.options import Options
from flows.own_server import await_server
from flows.quote_run import TIMES, quote_run
from flows.screen import MARGIN, SCREEN, json_line, plain_table
from nl2sql.benchmarks import load_benchmark
from nl2sql.models.quote import ONCE, Quote
from tasks.artifact_store import ArtifactStore


def run_quote(options: Options, as_json: bool, artifacts: str, **asked: Any) -> int:
    """Price the run and print the table."""
    load_benchmark(asked["dataset"], asked["split"], asked["databases"])
    check_models(options, artifacts, keys=False)  # nothing is asked of any model
    ArtifactStore(artifacts).prepare()
    with MARGIN.status("profiles and indexes, then prompts"), without_heartbeats():
        await_server()
        quote = quote_run(artifacts=artifacts, options=options, **asked)
    show_quote(quote, options)
    if as_json:
        totals = {name: getattr(quote, name) for name in ("questions", "sampled", "per_question", "once", "total")}
        click.echo(json_line({**totals, "lines": [asdict(line) for line in quote.lines]}))
    return 0


def show_quote(quote: Quote, options: Options) -> None:
    """The table of operations and what they come to."""
    table = plain_table("operation", "model", "calls", "tokens in", "tokens out", "dollars", "at most")
    for line in quote.lines:
        name = f"{line.role} (once)" if line.role in ONCE else line.role
        counts = (f"{line.calls:,.1f}", f"{line.input_tokens:,.0f}", f"{line.output_tokens:,.0f}")
        table.add_row(name, Text(line.model), *counts, f"${line.dollars:.4f}", f"${line.most:.4f}")
    SCREEN.print(table)
    SCREEN.print(
        f"${quote.per_question:.4f} a question, from the prompts of {quote.sampled}; ${quote.total:,.2f} for"
        f" {quote.questions:,} questions, ${quote.once:.2f} of it once for the databases"
    )
    SCREEN.print(
        f"[dim]assumed: lengths of answers; {TIMES['fix']:g} fix and {TIMES['compare']:g} comparisons a question;"
        " nothing taken off for prompts that providers have cached"
    )
    if options.max_cost and quote.total > options.max_cost:
        SCREEN.print(f"[yellow]above the cap of ${options.max_cost:,.2f}: the run would do with less")
