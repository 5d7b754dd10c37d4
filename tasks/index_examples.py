"""Op 1 on disk: training questions in, their masked skeletons with embeddings out."""

import pyarrow as pa

from nl2sql.indexes import embedding, examples
from nl2sql.rows import Question
from tasks.artifact_store import Artifact, read_rows
from tasks.cached_task import artifact_task
from tasks.embedding_store import EmbeddingStore


@artifact_task("examples", calls=[examples.index_examples, embedding.embed])
def index_examples(questions: Artifact, kept: EmbeddingStore | None = None) -> pa.Table:
    """Mask training questions and embed them, but for those that a run before has embedded."""
    return examples.index_examples(read_rows(questions, Question), kept.embed if kept else embedding.embed)
