from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from nl2sql.benchmarks import load_benchmark
from nl2sql.indexes.cells import CellIndex, index_cells
from nl2sql.online.context import DatabaseContext
from nl2sql.profiling.profile_database import profile_database
from nl2sql.profiling.summarise_fields import summarise_fields
from nl2sql.rows import ColumnHit, ColumnName, Database, ExampleHit, Grounding, Profile, Repair
from nl2sql.schema import schema_from_profiles

DEMO = Path(__file__).parents[3] / "datasets" / "demo"


class NoColumns:
    """A database whose columns were not embedded: prompts show what grounding found."""

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


class NoCells:
    """A database none of whose values was indexed."""

    def lookup(self, texts: Sequence[str], limit: int = 10) -> list[list]:
        return [[] for _ in texts]


def context_from(profiles: Sequence[Profile], summaries=(), cells=None, database=None) -> DatabaseContext:
    known = database or Database(profiles[0].db_id if profiles else "", "", "", 0, "", "", "")
    schema = replace(schema_from_profiles(profiles), db_id=known.db_id)
    indexes = cells or NoCells(), NoColumns(), NoExamples()
    return DatabaseContext(known, schema, tuple(profiles), tuple(summaries), *indexes)


@pytest.fixture(scope="session")
def make_context():
    return context_from


def make_profile(table: str, column: str, **known) -> Profile:
    zeros = ("position", "primary_key", "nulls", "integers", "reals", "blobs", "shortest", "longest")
    blank = ("shape", "date_format", "expanded_name", "description", "value_description")
    given = {
        "db_id": "shop",
        "is_view": False,
        "declared_type": "TEXT",
        "references": (),
        "joins": (),
        "rows": 9,
        "distinct": 9,
        "texts": 9,
        "minimum": None,
        "maximum": None,
        "top_values": (),
        "top_counts": (),
        "numeric_fraction": 0.0,
        **dict.fromkeys(zeros, 0),
        **dict.fromkeys(blank, ""),
        **known,
    }
    return Profile(table=table, column=column, **given)


@pytest.fixture(scope="session", name="make_profile")
def make_profile_fixture():
    return make_profile


@pytest.fixture(scope="session")
def archive():
    """The demo's film archive, as profiling and indexing find it."""
    database = load_benchmark(DEMO, databases=["film_archive"]).databases[0]
    profiles = profile_database(database)
    cells = CellIndex(index_cells(database, profiles), profiles)
    return context_from(profiles, summarise_fields(profiles), cells, database)


@pytest.fixture(scope="session")
def hospital():
    """The demo's database with the densest text: codes, digits, short names."""
    database = load_benchmark(DEMO, databases=["regional_hospital"]).databases[0]
    return context_from(profile_database(database), (), None, database)


@pytest.fixture(scope="session")
def question():
    found = load_benchmark(DEMO, databases=["film_archive"]).questions
    return next(q for q in found if "The Lamplighter" in q.question)


@pytest.fixture(scope="session")
def grounding(archive, question):
    """What a model would find, without an embedding to load."""
    literals = ("The Lamplighter", "DIR")
    cells = [c for found in archive.cells.lookup(literals, 3) for c in found]
    examples = [
        ExampleHit(q.question_id, q.db_id, q.question, q.evidence, q.gold_sql, 0.9)
        for q in load_benchmark(DEMO).examples[:3]
    ]
    hits = (ColumnHit("person", "name", 0.61), ColumnHit("film", "title", 0.58))
    return Grounding(
        question.question_id, question.db_id, ("directed",), literals, "", tuple(cells), hits, tuple(examples)
    )


LINKED = ("film.film_id", "film.title", "credit.film_id", "credit.person_id", "credit.role", "person.person_id")


@pytest.fixture(scope="session")
def linked():
    return [ColumnName(*name.split(".")) for name in (*LINKED, "person.name")]


def make_repair(sql, outcome="ok", **known) -> Repair:
    given = {"question_id": "q", "db_id": "film_archive", "candidate_id": "A/1", "generator": "A", "sql": sql}
    given |= {"sql_before": sql, "actions": (), "outcome": outcome, "outcome_before": outcome, "error": ""}
    given |= {"row_count": 0, "column_count": 1, "seconds": 0.0, "result_digest": "", "preview": ""}
    return Repair(**(given | known))


@pytest.fixture(scope="session", name="make_repair")
def make_repair_fixture():
    return make_repair
