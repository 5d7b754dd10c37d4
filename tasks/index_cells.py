"""Op 1 on disk: a database and its profiles in, the values that a question could name out."""

import pyarrow as pa

from nl2sql.contracts import arrow_schema
from nl2sql.indexes import cells
from nl2sql.rows import Cell, Database, Profile
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task


@artifact_task("cells", calls=[cells.stream_cells], apart=False)
def index_cells(database: Database, profiles: Artifact) -> pa.RecordBatchReader:
    """Collect distinct text values, a bounded number at a time."""
    batches = cells.stream_cells(database, read_rows(profiles, Profile))
    return pa.RecordBatchReader.from_batches(arrow_schema(Cell), batches)
