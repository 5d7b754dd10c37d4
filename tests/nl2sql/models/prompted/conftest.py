import json
import sqlite3
import zlib
from dataclasses import dataclass, field

import numpy as np
import pytest

from nl2sql.indexes.cells import CellIndex, index_cells
from nl2sql.indexes.columns import ColumnIndex, index_columns
from nl2sql.indexes.examples import ExampleIndex, index_examples
from nl2sql.models.generator import Asked
from nl2sql.models.scripted import Scripted
from nl2sql.models.session import Session
from nl2sql.online.context import DatabaseContext
from nl2sql.online.ground_questions import ground_questions
from nl2sql.online.link_schema import link_schema
from nl2sql.profiling.profile_database import profile_database
from nl2sql.profiling.summarise_fields import summarise_fields
from nl2sql.rows import EMBEDDING_WIDTH, Database, Question
from nl2sql.schema import schema_from_profiles

HARBOUR = """
CREATE TABLE port (port_id INTEGER PRIMARY KEY, port_name TEXT, country TEXT, 水深 REAL);
CREATE TABLE ship (ship_id INTEGER PRIMARY KEY, ship_name TEXT, kind TEXT, tonnage REAL,
    home INTEGER REFERENCES port(port_id));
CREATE TABLE voyage (voyage_id INTEGER PRIMARY KEY, ship INTEGER REFERENCES ship(ship_id),
    goal INTEGER REFERENCES port(port_id), sailed TEXT, "cargo type" TEXT, profit REAL);
INSERT INTO port VALUES (1, 'Lübeck', 'DE', 9.5), (2, '大连', 'CN', 17.0), (3, 'Porto', 'PT', 11.0);
INSERT INTO ship VALUES (1, 'Aurora', 'T', 900, 1), (2, 'Borealis', 'C', 1200, 2), (3, 'Corona', 'T', 300, 3);
INSERT INTO voyage VALUES (1, 1, 2, '2020-05-01', 'oil', 10.5), (2, 2, 1, '2021-06-01', 'grain', 22.0),
    (3, 3, 1, '2021-07-01', 'oil', NULL);
"""
TRAINING = (
    ("t1", "shop", "How many orders were made in 2020?", "SELECT COUNT(*) FROM orders WHERE year = 2020"),
    ("t2", "club", "Which members are called Ann?", "SELECT id FROM member WHERE first_name = 'Ann'"),
    ("t3", "zoo", "List the names of all animals.", "SELECT name FROM animal"),
)


def hashed_words(texts):
    """Embeds a text as the set of its words: real vectors, without a model to load."""
    vectors = np.zeros((len(texts), EMBEDDING_WIDTH), np.float32)
    for row, text in enumerate(texts):
        for word in text.casefold().replace("_", " ").split():
            vectors[row, zlib.crc32(word.encode()) % EMBEDDING_WIDTH] = 1.0
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


@dataclass
class Counted(Scripted):
    """A scripted model that also keeps how many requests each ask brought."""

    rounds: list[int] = field(default_factory=list)

    def ask(self, requests):
        self.rounds.append(len(requests))
        return super().ask(requests)


@pytest.fixture(scope="session")
def build_context(tmp_path_factory):
    def build(script, db_id="harbour"):
        path = tmp_path_factory.mktemp("databases") / f"{db_id}.sqlite"
        connection = sqlite3.connect(path)
        connection.executescript(script)
        connection.close()
        database = Database(db_id, str(path), "", path.stat().st_size, "", "", "")
        profiles = profile_database(database)
        summaries = summarise_fields(profiles)
        examples = index_examples([Question(i, d, q, "", sql, "", "train") for i, d, q, sql in TRAINING], hashed_words)
        return DatabaseContext(
            database,
            schema_from_profiles(profiles),
            tuple(profiles),
            tuple(summaries),
            CellIndex(index_cells(database, profiles), profiles),
            ColumnIndex(index_columns(summaries, hashed_words), hashed_words),
            ExampleIndex(examples, hashed_words),
        )

    return build


@pytest.fixture(scope="session")
def harbour(build_context):
    return build_context(HARBOUR)


@pytest.fixture(scope="session")
def wide(build_context):
    """One table of 2,000 columns, of which the last is called like nothing else."""
    names = [f"metric_{i}" for i in range(1999)] + ["blood pressure"]
    columns = ", ".join(f'"{name}" REAL' for name in names)
    return build_context(f"CREATE TABLE wide ({columns}); INSERT INTO wide DEFAULT VALUES;", "wide")


@pytest.fixture(scope="session")
def ask():
    def ask(text, evidence="", question_id="q", db_id="harbour"):
        return Question(question_id, db_id, text, evidence, "", "", "dev")

    return ask


@pytest.fixture(scope="session")
def know():
    """Questions with what the rules know of them."""

    def know(questions, context):
        groundings = ground_questions(questions, context)
        linkings = link_schema(questions, groundings, context)
        return [Asked(*rows) for rows in zip(questions, groundings, linkings, strict=True)]

    return know


@pytest.fixture(scope="session")
def start():
    """A session with a scripted model; answers that are no text are sent as JSON."""

    def start(answer, budget=None, **options):
        def say(request):
            said = answer(request)
            return json.dumps(said, ensure_ascii=False) if isinstance(said, dict | list) else said

        return Session(Counted(say), budget=budget, **options)

    return start
