"""Find columns whose description is near a question."""

from collections.abc import Sequence
from functools import cached_property

import pyarrow as pa

from nl2sql.contracts import arrow_schema
from nl2sql.indexes.embedding import Embed, embed
from nl2sql.indexes.nearest import Nearest, nearest, vector_array, vectors_of
from nl2sql.rows import ColumnHit, ColumnVector, Summary


def index_columns(summaries: Sequence[Summary], embed: Embed = embed) -> pa.Table:
    """Embed the SHORT summary of every column: an artifact of kind `columns`, in the order of the summaries."""
    schema = arrow_schema(ColumnVector)
    texts = [s.short for s in summaries]
    arrays = [
        pa.array([s.db_id for s in summaries], pa.string()),
        pa.array([s.table for s in summaries], pa.string()),
        pa.array([s.column for s in summaries], pa.string()),
        pa.array(texts, pa.string()),
        vector_array(embed(texts), schema.field("vector").type),
    ]
    return pa.table(arrays, schema=schema)


class ColumnIndex:
    """The columns of one database, searched by meaning. Nothing is built before the first search."""

    def __init__(self, table: pa.Table, embed: Embed = embed) -> None:
        self._table = table
        self._embed = embed

    @cached_property
    def _nearest(self) -> Nearest:
        return nearest(vectors_of(self._table["vector"]))

    @cached_property
    def _names(self) -> list[tuple[str, str]]:
        return list(zip(self._table["table"].to_pylist(), self._table["column"].to_pylist(), strict=True))

    def search(self, texts: Sequence[str], limit: int = 20) -> list[list[ColumnHit]]:
        """For each text the columns whose summaries are nearest, best first; scores are cosines."""
        if not len(self._table) or not texts:
            return [[] for _ in texts]
        scores, rows = self._nearest.search(self._embed(texts), limit)
        return [
            [
                ColumnHit(table, column, float(score))
                for score, (table, column) in ((s, self._names[r]) for s, r in zip(*pair, strict=True))
            ]
            for pair in zip(scores, rows, strict=True)
        ]
