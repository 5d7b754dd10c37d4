"""What the operating commands show: the doctor's findings, what is served."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from flows.doctor import FAIL, OK, WARN, Finding
from flows.options import Options
from flows.screen import SCREEN, json_line
from nl2sql.benchmarks import load_benchmark
from tasks.artifact_store import ArtifactStore
from tasks.remote_files import absolute

COLOURS = {OK: "green", WARN: "yellow", FAIL: "bold red"}


def show_findings(findings: Sequence[Finding], as_json: bool) -> int:
    """Print the table; 1 when something fails."""
    table = Table("", "what", "found", "to mend it", box=None, pad_edge=False)
    for f in findings:
        table.add_row(Text(f.status, COLOURS[f.status]), Text(f.name), Text(f.found), Text(f.mend))
    SCREEN.print(table)
    counts = Counter(f.status for f in findings)
    if as_json:
        tally = {status: counts[status] for status in (OK, WARN, FAIL)}
        click.echo(json_line({"findings": [asdict(f) for f in findings], **tally}))
    return 1 if counts[FAIL] else 0


def run_serve(dataset: str, artifacts: str, options: Options, port: int | None, as_json: bool) -> int:
    """Say what is served and when, then serve until interrupted."""
    from flows.serve_deployments import read_schedules, serve_deployments, server_address

    load_benchmark(dataset)  # a dataset that cannot be read is said before a server starts
    ArtifactStore(artifacts).prepare()
    schedules, address = read_schedules().deployments, server_address(port)
    ui = address.removesuffix("/api")
    table = Table("deployment", "flow", "when", box=None, pad_edge=False)
    for s in schedules:
        table.add_row(Text(s.name), Text(s.flow), Text(s.when))
    SCREEN.print(table)
    SCREEN.print(f"{ui}: forms, timelines and reports. Ctrl-C ends it", soft_wrap=True)
    if as_json:
        served = [{"name": s.name, "flow": s.flow, "schedule": s.when} for s in schedules]
        click.echo(json_line({"ui": ui, "deployments": served}))
    serve_deployments(str(Path(dataset).absolute()), absolute(artifacts), options, address)
    return 0
