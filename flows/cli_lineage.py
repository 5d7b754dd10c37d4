"""The command that says where artifacts come from: lineage."""

import click

from flows.cli_options import shared_options


@click.command()
@click.argument("what", metavar="RUN|FILE|KIND/KEY")
@shared_options
def lineage(what: str, artifacts: str, as_json: bool) -> int:
    """Show which run made which artifact, when, and from which others.

    Of an evaluated run's folder every artifact, one line each; of a .parquet file, or of KIND/KEY as that table shows
    it, the artifact with all that it was made from, as a tree.

    JSON: {artifacts: [{name, task, rows, seconds, written, run, run_id, parents: [..]}]}, in a tree with depth.
    """
    from flows.lineage_command import show_lineage

    return show_lineage(what, artifacts, as_json)
