import sqlite3
import zlib
from pathlib import Path

import numpy as np
import pytest

from nl2sql.indexes.cells import CellIndex, index_cells
from nl2sql.indexes.columns import ColumnIndex, index_columns
from nl2sql.indexes.examples import ExampleIndex, index_examples
from nl2sql.online.context import DatabaseContext
from nl2sql.profiling.profile_database import profile_database
from nl2sql.profiling.summarise_fields import summarise_fields
from nl2sql.rows import EMBEDDING_WIDTH, Database, Question
from nl2sql.schema import schema_from_profiles

CLUB = """
CREATE TABLE member (id TEXT PRIMARY KEY, first_name TEXT, last_name TEXT, position TEXT, sex TEXT, zip INTEGER);
CREATE TABLE event (event_id TEXT PRIMARY KEY, event_name TEXT, event_date TEXT, type TEXT, location TEXT);
CREATE TABLE attendance (
    link_to_event TEXT REFERENCES event(event_id), link_to_member TEXT REFERENCES member(id)
);
CREATE TABLE city (code INTEGER PRIMARY KEY, name TEXT, country TEXT);
CREATE TABLE supplier (supplier_id INTEGER PRIMARY KEY, company TEXT, iban TEXT, rating REAL);
INSERT INTO member VALUES
    ('recA1b2C3d4E5', 'Ann', 'Allen', 'Vice President', 'F', 100), ('recF6g7H8i9J0', 'Bob', 'Moss', 'Member', 'M', 101);
INSERT INTO event VALUES
    ('recQ1w2E3r4T5', 'Women''s Soccer', '2019-09-10', 'Game', '900 E. Washington St.'),
    ('recY6u7I8o9P0', 'October Meeting', '2019-10-08', 'Meeting', 'Hall');
INSERT INTO attendance VALUES ('recQ1w2E3r4T5', 'recA1b2C3d4E5'), ('recY6u7I8o9P0', 'recF6g7H8i9J0');
INSERT INTO city VALUES (100, 'Allen', 'France'), (101, 'Zürich', 'Schweiz'), (102, '北京', '中国');
INSERT INTO supplier VALUES (1, 'Acme', 'FR76', 4.5), (2, 'Beta', 'DE12', 3.0);
"""
TRAINING = (
    ("1", "shop", "How many orders were made in 2020?", "SELECT COUNT(*) FROM orders WHERE year = 2020"),
    ("2", "club", "Which members attended the Women's Soccer?", "SELECT first_name FROM member"),
    ("3", "zoo", "List the names of all animals.", "SELECT name FROM animal"),
)


def hashed_words(texts):
    """Embeds a text as the set of its words: real vectors, without a model to load."""
    vectors = np.zeros((len(texts), EMBEDDING_WIDTH), np.float32)
    for row, text in enumerate(texts):
        for word in text.casefold().replace("_", " ").split():
            vectors[row, zlib.crc32(word.encode()) % EMBEDDING_WIDTH] = 1.0
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def context_of(database, examples=(), embed=hashed_words):
    profiles = profile_database(database)
    summaries = summarise_fields(profiles)
    return DatabaseContext(
        database,
        schema_from_profiles(profiles),
        tuple(profiles),
        tuple(summaries),
        CellIndex(index_cells(database, profiles), profiles),
        ColumnIndex(index_columns(summaries, embed), embed),
        ExampleIndex(index_examples(examples, embed), embed),
    )


@pytest.fixture(scope="session")
def build_context(tmp_path_factory):
    def build(script, db_id="club"):
        path = tmp_path_factory.mktemp("databases") / f"{db_id}.sqlite"
        connection = sqlite3.connect(path)
        connection.executescript(script)
        connection.close()
        database = Database(db_id, str(path), "", path.stat().st_size, "", "", "")
        training = [Question(i, db, text, "", sql, "", "train") for i, db, text, sql in TRAINING]
        return context_of(database, training)

    return build


@pytest.fixture(scope="session")
def club(build_context):
    return build_context(CLUB)


@pytest.fixture(scope="session")
def real_context():
    """Contexts of the real databases beside the repository; skips where they are not."""

    def build(path, descriptions=""):
        file = Path(__file__).parents[4] / "shared" / "data" / path
        if not file.exists():
            pytest.skip(f"real data is not there: ../shared/data/{path}")
        database = Database(file.stem, str(file), "", file.stat().st_size, descriptions, "", "")
        return context_of(database)

    return build


def ask(text, evidence="", question_id="q", gold_sql=""):
    return Question(question_id, "club", text, evidence, gold_sql, "", "dev")


@pytest.fixture(scope="session", name="ask")
def ask_fixture():
    return ask
