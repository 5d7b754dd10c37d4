"""The offline artifacts of one database, opened once per process for all online tasks that need them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock

import numpy as np

from nl2sql.errors import UserError
from nl2sql.indexes.cell_bands import mapped_bands
from nl2sql.indexes.cells import CellIndex
from nl2sql.indexes.columns import ColumnIndex
from nl2sql.indexes.examples import ExampleIndex
from nl2sql.indexes.nearest import FaissGraph, Nearest, nearest, uses_graph
from nl2sql.indexes.texts import mapped_texts
from nl2sql.online.context import DatabaseContext
from nl2sql.rows import Database, Profile, Summary
from nl2sql.schema import schema_from_profiles
from tasks.artifact_store import Artifact, map_file, read_rows, read_table, replace_file
from tasks.remote_files import is_remote

# The functions whose code decides what a context holds: every task that opens one lists them among its calls.
CONTEXT_CALLS = (schema_from_profiles, CellIndex, mapped_bands, mapped_texts, ColumnIndex, ExampleIndex)


OPENING = Lock()
# SQLite's words for failures that pass, and what is to be done.
PASSING = {
    "database is locked": "by a program that writes it: run the same command again when that is done",
    "database or disk is full": "where sorts keep temporary files: make room, then run the same command again",
}


@dataclass(frozen=True)
class OfflineArtifacts:
    """What the offline flows made of one database; examples are shared by all databases."""

    database: Database
    profiles: Artifact
    summaries: Artifact
    cells: Artifact
    bands: Artifact
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
        cells=_open_cells(offline, profiles),
        columns=ColumnIndex(read_table(offline.columns)),
        examples=_open_examples(offline.examples),
    )


def _open_cells(offline: OfflineArtifacts, profiles: tuple[Profile, ...]) -> CellIndex:
    """Map the cell index: what no lookup needs is never read."""
    texts = mapped_texts(map_file(offline.cells), "value", "end")
    return CellIndex(texts, profiles, mapped_bands(map_file(offline.bands)))


@lru_cache(maxsize=2)
def _open_examples(examples: Artifact) -> ExampleIndex:
    """Read the example index."""
    return ExampleIndex(read_table(examples), search=partial(_open_nearest, examples))


def _open_nearest(examples: Artifact, vectors: np.ndarray) -> Nearest:
    """What searches them; a graph, which takes long to build, lies beside their file once it was built."""
    path = Path(examples.path).with_name(f"{Path(examples.path).stem}.{examples.sha256[:12]}.faiss")
    if is_remote(examples.path) or not uses_graph(len(vectors)):
        return nearest(vectors)
    if path.is_file():
        return FaissGraph(vectors, np.fromfile(path, np.uint8))
    built = FaissGraph(vectors)
    replace_file(path, lambda name: built.content().tofile(name))
    return built


def refuse_passing(db_id: str, errors: Iterable[str]) -> None:
    """Raise UserError where a statement failed for want of a lock or of disk space: that is no result to keep."""
    for error in errors:
        for words, remedy in PASSING.items():
            if words in error:
                raise UserError(f"{db_id}: {words} {remedy}")
