"""The offline artifacts of one database, opened once per process for all online tasks that need them."""

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from nl2sql.indexes.cells import CellIndex
from nl2sql.indexes.columns import ColumnIndex
from nl2sql.indexes.examples import ExampleIndex
from nl2sql.online.context import DatabaseContext
from nl2sql.rows import Database, Profile, Summary
from nl2sql.schema import schema_from_profiles
from tasks.artifact_store import Artifact, read_rows, read_table

# The functions whose code decides what a context holds: every task that opens one lists them among its calls.
CONTEXT_CALLS = (schema_from_profiles, CellIndex, ColumnIndex, ExampleIndex)


OPENING = Lock()


@dataclass(frozen=True)
class OfflineArtifacts:
    """What the offline flows made of one database; examples are shared by all databases."""

    database: Database
    profiles: Artifact
    summaries: Artifact
    cells: Artifact
    columns: Artifact
    examples: Artifact


def open_context(offline: OfflineArtifacts) -> DatabaseContext:
    """What the online steps know of one database; tasks on other threads that want the same wait for it."""
    with OPENING:
        return _open_context(offline)


@lru_cache(maxsize=4)
def _open_context(offline: OfflineArtifacts) -> DatabaseContext:
    """Read the artifacts of one database into what the online steps take."""
    profiles = tuple(read_rows(offline.profiles, Profile))
    return DatabaseContext(
        database=offline.database,
        schema=schema_from_profiles(profiles),
        profiles=profiles,
        summaries=tuple(read_rows(offline.summaries, Summary)),
        cells=CellIndex(read_table(offline.cells), profiles),
        columns=ColumnIndex(read_table(offline.columns)),
        examples=_open_examples(offline.examples),
    )


@lru_cache(maxsize=2)
def _open_examples(examples: Artifact) -> ExampleIndex:
    """Read the example index."""
    return ExampleIndex(read_table(examples))
