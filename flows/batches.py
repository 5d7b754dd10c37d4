"""Questions in batches of one database each: the unit of the online tasks."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nl2sql.benchmarks import Benchmark
from nl2sql.rows import Question


@dataclass(frozen=True)
class Batch:
    """Some questions of one database; `number` counts the database's batches from 0."""

    db_id: str
    number: int
    questions: tuple[Question, ...]

    @property
    def blind(self) -> tuple[Question, ...]:
        """The questions without their gold SQL: what the answering steps may see."""
        return tuple(replace(q, gold_sql="", difficulty="") for q in self.questions)


def batches_of(benchmark: Benchmark, limit: int | None, size: int) -> list[Batch]:
    """The first `limit` questions (None: all) by database, in batches of at most `size`."""
    by_database: dict[str, list[Question]] = defaultdict(list)
    for question in benchmark.questions[:limit]:
        by_database[question.db_id].append(question)
    return [
        Batch(db_id, number, tuple(chunk))
        for db_id, questions in by_database.items()
        for number, chunk in enumerate(_chunks(questions, size))
    ]


def _chunks(questions: Sequence[Question], size: int) -> list[Sequence[Question]]:
    return [questions[i : i + size] for i in range(0, len(questions), size)]
