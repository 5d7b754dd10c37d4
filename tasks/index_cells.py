"""Op 1 on disk: a database and its profiles in, the values that a question could name out."""

import pyarrow as pa

from nl2sql.indexes import cells
from nl2sql.rows import Database, Profile
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task


@artifact_task("cells", calls=[cells.index_cells])
def index_cells(database: Database, profiles: Artifact) -> pa.Table:
    """Collect distinct text values with their MinHash signatures."""
    return cells.index_cells(database, read_rows(profiles, Profile))
