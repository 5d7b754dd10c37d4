"""A small zoo with what training data stumbles over: Chinese, a NUL, quotes, a name with a space."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from nl2sql.benchmarks import describe_database
from nl2sql.profiling.profile_database import profile_database
from nl2sql.rows import Database, Question
from nl2sql.schema import Schema, schema_from_profiles
from nl2sql.sql_edits import Facts, facts_of
from nl2sql.training.augment_schema import Described, as_shown

SCRIPT = """
    CREATE TABLE keeper (id INTEGER PRIMARY KEY, name TEXT, age INTEGER, "home town" TEXT);
    CREATE TABLE animal (
        id INTEGER PRIMARY KEY, name TEXT, species TEXT, weight REAL, keeper_id INTEGER REFERENCES keeper (id)
    );
    CREATE TABLE visit (day TEXT, visitors INTEGER);
    INSERT INTO keeper VALUES (1, 'Ada', 40, 'Brno'), (2, 'Bo', 31, '北京'), (3, 'Cy', 40, 'Brno'), (4, 'Di', 28, NULL);
    INSERT INTO animal VALUES
        (1, 'Rex', 'lion', 180.5, 1), (2, 'Mia', 'otter', 9, 2), (3, 'Tom', 'otter', 11, 2),
        (4, '小虎', 'tiger', 200, 1), (5, 'O''Hara', 'lion', 170, 3), (6, 'a' || char(0) || 'b', 'otter', 8, 3);
    INSERT INTO visit VALUES ('2024-01-01', 10), ('2024-01-02', 30), ('2024-02-01', 20);
"""
QUESTIONS = (
    ("How many otters are there?", "SELECT COUNT(*) FROM animal WHERE species = 'otter'", ""),
    (
        "Which animals does Ada look after?",
        "SELECT T1.name FROM animal AS T1 INNER JOIN keeper AS T2 ON T1.keeper_id = T2.id WHERE T2.name = 'Ada'",
        "look after refers to keeper_id",
    ),
    ("谁来自北京？", "SELECT name FROM keeper WHERE \"home town\" = '北京'", '来自 refers to "home town"'),
    ("Who is the heaviest animal?", "SELECT name FROM animal ORDER BY weight DESC LIMIT 1", ""),
    ("Which species have two animals or more?", "SELECT species FROM animal GROUP BY species HAVING COUNT(*) >= 2", ""),
    ("Who has no animal?", "SELECT name FROM keeper WHERE id NOT IN (SELECT keeper_id FROM animal)", ""),
)


@dataclass(frozen=True)
class Zoo:
    """A database with all that is known of it, and questions about it."""

    database: Database
    described: Described
    questions: tuple[Question, ...]

    @property
    def path(self) -> str:
        return self.database.path

    @property
    def schema(self) -> Schema:
        return self.described.schema

    @property
    def facts(self) -> Facts:
        return facts_of(self.schema, self.described.profiles)

    @property
    def parts(self) -> dict[str, str]:
        return {q.question_id: "train" for q in self.questions}


def make_question(number: int, question: str, sql: str, evidence: str = "", db_id: str = "zoo") -> Question:
    return Question(str(number), db_id, question, evidence, sql, "simple", "train")


@pytest.fixture(scope="session")
def ask() -> Callable[..., Question]:
    return make_question


@pytest.fixture(scope="session")
def zoo(tmp_path_factory) -> Zoo:
    path = Path(tmp_path_factory.mktemp("zoo")) / "zoo.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(SCRIPT)
    connection.close()
    database = describe_database("zoo", path)
    profiles = tuple(profile_database(database))
    questions = tuple(make_question(i, *fields) for i, fields in enumerate(QUESTIONS))
    return Zoo(database, as_shown(schema_from_profiles(profiles), profiles, ()), questions)
