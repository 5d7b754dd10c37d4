"""Find training questions that ask in the same way, whatever they ask about."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa

from nl2sql.contracts import arrow_schema
from nl2sql.indexes.embedding import Embed, embed
from nl2sql.indexes.nearest import Nearest, Search, nearest, vector_array, vectors_of
from nl2sql.rows import Example, ExampleHit, Question
from nl2sql.skeletons import mask_question, sql_names, sql_skeleton

TEXT_FIELDS = ("question_id", "db_id", "question", "evidence", "sql", "skeleton", "sql_skeleton")


def index_examples(questions: Sequence[Question], embed: Embed = embed) -> pa.Table:
    """Mask and embed training questions: an artifact of kind `examples`, in their order.

    Questions without a gold query are left out, and so are later ones that repeat an id.
    """
    kept: dict[str, Question] = {}
    for question in questions:
        if question.gold_sql.strip():
            kept.setdefault(question.question_id, question)
    rows = [_texts(question) for question in kept.values()]
    schema = arrow_schema(Example)
    columns = list(zip(*rows, strict=True)) or [() for _ in TEXT_FIELDS]
    arrays = [pa.array(column, pa.string()) for column in columns]
    vectors = embed([row[TEXT_FIELDS.index("skeleton")] for row in rows])
    return pa.table([*arrays, vector_array(vectors, schema.field("vector").type)], schema=schema)


def _texts(question: Question) -> tuple[str, ...]:
    names = sql_names(question.gold_sql)
    skeleton = mask_question(question.question, names.literals, names.columns)
    return (
        question.question_id,
        question.db_id,
        question.question,
        question.evidence,
        question.gold_sql,
        skeleton,
        sql_skeleton(question.gold_sql),
    )


class ExampleIndex:
    """Training questions of all databases. Nothing is built before the first search."""

    def __init__(self, table: pa.Table, embed: Embed = embed, search: Search = nearest) -> None:
        """Keep the table; `search` makes of its vectors what finds the nearest."""
        self._table = table
        self._embed = embed
        self._search = search

    @cached_property
    def _nearest(self) -> Nearest:
        return self._search(vectors_of(self._table["vector"]))

    def search(
        self,
        skeletons: Sequence[str],
        limit: int = 8,
        exclude_databases: Sequence[str] = (),
        exclude_questions: Sequence[str] = (),
    ) -> list[list[ExampleHit]]:
        """For each masked question the nearest examples, best first; scores are cosines.

        `exclude_questions` holds ids or the questions' own words: a question never serves as its own example.
        """
        if not len(self._table) or not skeletons:
            return [[] for _ in skeletons]
        allowed = self._allowed(exclude_databases, exclude_questions)
        scores, rows = self._nearest.search(self._embed(skeletons), limit, allowed)
        return [self._hits(*pair) for pair in zip(scores, rows, strict=True)]

    def _allowed(self, databases: Sequence[str], questions: Sequence[str]) -> np.ndarray | None:
        if not databases and not questions:
            return None
        banned = np.isin(self._texts("db_id"), list(databases))
        for field in ("question_id", "question"):
            banned |= np.isin(self._texts(field), list(questions))
        return ~banned

    def _texts(self, field: str) -> np.ndarray:
        return np.asarray(self._table[field].to_pylist(), dtype=object)

    def _hits(self, scores: np.ndarray, rows: np.ndarray) -> list[ExampleHit]:
        fields = ("question_id", "db_id", "question", "evidence", "sql")
        found = self._table.select(list(fields)).take(pa.array(rows)).to_pylist()
        return [ExampleHit(**row, score=float(score)) for row, score in zip(found, scores, strict=True)]
