"""Op 1 on disk: summaries in, their embeddings out."""

import pyarrow as pa

from nl2sql.indexes import columns, embedding
from nl2sql.rows import Summary
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task
from tasks.embedding_store import EmbeddingStore


@artifact_task("columns", calls=[columns.index_columns, embedding.embed])
def index_columns(summaries: Artifact, kept: EmbeddingStore | None = None) -> pa.Table:
    """Embed the SHORT summary of every column, but for those that a run before has embedded."""
    return columns.index_columns(read_rows(summaries, Summary), kept.embed if kept else embedding.embed)
