"""What the online steps know of one database: everything here was computed offline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nl2sql.rows import CellMatch, ColumnHit, Database, ExampleHit, Profile, Summary
from nl2sql.schema import Schema


class CellLookup(Protocol):
    """The cell index of one database."""

    def lookup(self, texts: Sequence[str], limit: int = 10) -> list[list[CellMatch]]:
        """Give, for each text, the cells that it may mean, best first."""
        ...


class ColumnSearch(Protocol):
    """The column vectors of one database."""

    def search(self, texts: Sequence[str], limit: int = 20) -> list[list[ColumnHit]]:
        """Give, for each text, the columns whose summaries are nearest, best first."""
        ...


class ExampleSearch(Protocol):
    """Training questions of all databases."""

    def search(
        self,
        skeletons: Sequence[str],
        limit: int = 8,
        exclude_databases: Sequence[str] = (),
        exclude_questions: Sequence[str] = (),
    ) -> list[list[ExampleHit]]:
        """Give, for each masked question, the nearest examples, best first."""
        ...


@dataclass(frozen=True)
class DatabaseContext:
    """One database as the online steps see it."""

    database: Database
    schema: Schema
    profiles: tuple[Profile, ...]
    summaries: tuple[Summary, ...]
    cells: CellLookup
    columns: ColumnSearch
    examples: ExampleSearch
