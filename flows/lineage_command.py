"""`nl2sql lineage`: the artifacts of a run, or all that one artifact was made from."""

from dataclasses import asdict
from pathlib import Path

import click

from flows.lineage_table import ancestry, lineage_table
from flows.manifests import artifact
from flows.runs import read_run
from flows.screen import SCREEN, json_line
from nl2sql.errors import UserError
from tasks.lineage import ancestors, origins


def show_lineage(what: str, artifacts: str, as_json: bool) -> int:
    """Print the table of a run's folder, or the tree of an artifact's file or KIND/KEY."""
    if (Path(what) / "manifest.json").is_file():
        return _show_run(what, as_json)
    root, name = find_artifact(what, artifacts)
    found = list(ancestors(root, name))
    SCREEN.print(ancestry(iter(found)))
    if as_json:
        click.echo(json_line({"artifacts": [{"depth": depth, **asdict(origin)} for depth, origin in found]}))
    return 0


def _show_run(folder: str, as_json: bool) -> int:
    steps = [step for step in read_run(folder).steps if step.kind]
    if not steps:
        raise UserError(f"{folder} has no artifacts: every task of the run failed. Run nl2sql evaluate again")
    root = steps[0].path.rsplit("/", 2)[0]  # also of an address
    found = origins(root, map(artifact, steps))
    SCREEN.print(lineage_table(steps, found))
    if as_json:
        click.echo(json_line({"artifacts": [asdict(origin) for origin in found]}))
    return 0


def find_artifact(what: str, artifacts: str) -> tuple[Path, str]:
    """Folder and KIND/KEY of an artifact named by its file, by KIND/KEY or by the beginning of that.

    Raises UserError where none or more than one is meant.
    """
    path = Path(what)
    if path.is_file():
        return path.absolute().parent.parent, f"{path.parent.name or path.absolute().parent.name}/{path.stem}"
    root = Path(artifacts).absolute()
    kind, _, key = what.partition("/")
    found = sorted((root / kind).glob(f"{key}*.json")) if kind.isidentifier() and key.replace("-", "").isalnum() else []
    if len(found) == 1:
        return root, f"{kind}/{found[0].stem}"
    meant = f"{len(found)} artifacts are meant" if found else "there is no such artifact or run"
    raise UserError(
        f"{what}: {meant} in {root}. Name a run's folder ({artifacts}/runs/...), a .parquet file, or KIND/KEY as"
        " nl2sql lineage prints it for a run"
    )
