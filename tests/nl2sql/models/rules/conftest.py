import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from nl2sql.benchmarks import describe_database
from nl2sql.indexes.cells import CellIndex, index_cells
from nl2sql.models.generator import Asked
from nl2sql.models.rules import Rules
from nl2sql.online.context import DatabaseContext
from nl2sql.online.ground_questions import ground_questions
from nl2sql.profiling.profile_database import profile_database
from nl2sql.rows import Candidate, ColumnHit, ExampleHit, Linking, Question
from nl2sql.schema import schema_from_profiles

GOLDEN = Path(__file__).parent / "golden"


class NoColumns:
    """A database whose columns were not embedded: the rules read names, not vectors."""

    def search(self, texts: Sequence[str], limit: int = 20) -> list[list[ColumnHit]]:
        return [[] for _ in texts]


class NoExamples:
    """No training questions."""

    def search(
        self,
        skeletons: Sequence[str],
        limit: int = 8,
        exclude_databases: Sequence[str] = (),
        exclude_questions: Sequence[str] = (),
    ) -> list[list[ExampleHit]]:
        return [[] for _ in skeletons]


def build_context(path: Path, script: str) -> DatabaseContext:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()
    return open_context(path)


def open_context(path: Path) -> DatabaseContext:
    database = describe_database(path.stem, path)
    profiles = profile_database(database)
    cells = CellIndex(index_cells(database, profiles))
    return DatabaseContext(
        database, schema_from_profiles(profiles), tuple(profiles), (), cells, NoColumns(), NoExamples()
    )


def ask(context: DatabaseContext, question: str, evidence: str = "", rules: Rules | None = None) -> list[Candidate]:
    row = Question("q", context.database.db_id, question, evidence, "", "", "dev")
    grounding = ground_questions([row], context)[0]
    linking = Linking("q", context.database.db_id, (), 0, "")
    return (rules or Rules()).generate([Asked(row, grounding, linking)], context)[0]


@pytest.fixture(scope="session")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> DatabaseContext:
    folder = tmp_path_factory.mktemp("rules")
    return build_context(folder / "harbour.sqlite", (GOLDEN / "harbour.schema.sql").read_text())


@pytest.fixture(scope="session")
def make_context(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], DatabaseContext]:
    def make(script: str) -> DatabaseContext:
        return build_context(tmp_path_factory.mktemp("rules") / "made.sqlite", script)

    return make


@pytest.fixture(scope="session")
def open_database() -> Callable[[Path], DatabaseContext]:
    return open_context


@pytest.fixture(scope="session")
def ask_rules() -> Callable[..., list[Candidate]]:
    return ask


@pytest.fixture(scope="session")
def golden_pairs() -> list[tuple[str, str, str]]:
    """(question, evidence, expected SQL)."""
    pairs = []
    for block in (GOLDEN / "harbour.sql").read_text().split("\n\n")[1:]:
        asked, sql = block.strip().split("\n", 1)
        question, _, evidence = asked.removeprefix("-- ").partition(" | ")
        pairs.append((question, evidence, sql.rstrip(";")))
    return pairs
