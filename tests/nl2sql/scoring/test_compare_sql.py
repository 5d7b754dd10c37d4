"""How a wrong statement differs from the gold, in words."""

import sqlite3
from pathlib import Path

import pytest

from nl2sql.execution import open_read_only
from nl2sql.rows import Question, Repair, Selection
from nl2sql.schema import Schema, read_schema
from nl2sql.scoring.compare_sql import SAID, compare_sql
from nl2sql.scoring.score_answers import score_answers

TABLES = """
    CREATE TABLE event (id INTEGER PRIMARY KEY, name TEXT, type TEXT, status TEXT, day TEXT);
    CREATE TABLE budget (id INTEGER PRIMARY KEY, event_id INTEGER, owner INTEGER, amount REAL);
    INSERT INTO event VALUES (1, 'Fair', 'Game', 'Open', '2020-01-01');
"""
SAME = "the same tables, columns, joins and values"


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "club.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(TABLES)
    connection.close()
    return str(path)


@pytest.fixture
def schema(database: str) -> Schema:
    return read_schema(open_read_only(database), "club")


@pytest.mark.parametrize(
    ("sql", "gold", "said"),
    [
        (
            "SELECT name FROM event WHERE status = 'Closed'",
            "SELECT name FROM event WHERE STATUS = 'Open'",
            "compares event.status with 'Closed' where the gold has 'Open'",
        ),
        (
            "SELECT name FROM event",
            "SELECT e.name FROM event e WHERE e.type = 'Game'",
            "gold also asks for event.type = 'Game'",
        ),
        (
            "SELECT name FROM event WHERE id > 5",
            "SELECT name FROM event WHERE 5 <= id",
            "compares event.id with > 5 where the gold has >= 5",
        ),
        ("SELECT name FROM event", "SELECT name, type FROM event", "gold also returns event.type"),
        ("SELECT COUNT(id) FROM event", "SELECT COUNT(DISTINCT id) FROM event", "gold also has DISTINCT"),
        (
            "SELECT name FROM event JOIN budget ON event.id = budget.owner WHERE amount > 1",
            "SELECT T1.name FROM event T1, budget T2 WHERE T1.id = T2.event_id AND T2.amount > 1.0",
            "joins by budget.owner = event.id where the gold has budget.event_id = event.id",
        ),
        (
            "SELECT name FROM event WHERE id IN (SELECT event_id FROM budget WHERE amount = 2)",
            "SELECT name FROM event JOIN budget ON event.id = event_id WHERE amount = 1",
            "compares budget.amount with 2 where the gold has 1",
        ),
        ("SELECT name FROM event", "SELECT name FROM event JOIN budget USING (id)", "gold also reads table budget"),
        ("SELECT SUM(amount) FROM budget", "SELECT AVG(amount) FROM budget", "gold also returns AVG(budget.amount)"),
        (
            "SELECT name FROM event WHERE strftime('%Y', day) = '2019'",
            "SELECT name FROM event WHERE day LIKE '2019%'",
            "gold also asks for event.day LIKE '2019%'",
        ),
        ('SELECT name FROM event WHERE type = "Game"', "SELECT name FROM event WHERE type = 'Game'", SAME),
        ("SELECT name FROM event WHERE id IN (2, 1)", "SELECT name FROM event WHERE id = 1 OR id = 2", SAME),
        ("SELECT id, name FROM event", "SELECT name, id FROM event", SAME),
        (
            "SELECT name FROM event WHERE NOT status = 'Open'",
            "SELECT name FROM event WHERE status = 'Open'",
            "NOT = 'Open'",
        ),
    ],
)
def test_differences(schema: Schema, sql: str, gold: str, said: str) -> None:
    assert said in compare_sql(sql, gold, schema)


def test_what_both_have_is_not_told(schema: Schema) -> None:
    said = compare_sql(
        "SELECT name FROM event WHERE type = 'Game' AND status = 'x'",
        "SELECT name FROM event WHERE type = 'Game' AND status = 'Open'",
        schema,
    )
    assert said == "compares event.status with 'x' where the gold has 'Open'"


@pytest.mark.parametrize(
    "sql", ["", "nonsense", "DROP TABLE event", "SELECT nobody FROM event", "SELECT 1 FROM x", "("]
)
def test_what_cannot_be_read_is_not_compared(schema: Schema, sql: str) -> None:
    assert compare_sql(sql, "SELECT name FROM event", schema) == ""
    assert compare_sql("SELECT name FROM event", sql, schema) == ""


def test_many_differences_are_cut(schema: Schema) -> None:
    said = compare_sql(
        "SELECT DISTINCT name FROM event WHERE id = 1 AND type = 'a' AND status = 'b' GROUP BY day LIMIT 2",
        "SELECT AVG(amount) FROM budget WHERE owner = 3 ORDER BY id",
        schema,
    )
    assert said.count(";") == SAID
    assert "; and " in said


def test_only_the_wrong_selected_answer_is_explained(database: str) -> None:
    question = Question("q", "club", "?", "", "SELECT name FROM event WHERE type = 'Game'", "", "dev")
    wrong = "SELECT name FROM event WHERE type = 'game'"
    repair = Repair("q", "club", "a/1", "a", wrong, wrong, (), "empty", "empty", "", 0, 1, 0.0, "", "{}")
    selection = Selection("q", "club", "a/1", wrong, "single", 1.0, (), "a/1", wrong, 0)
    details = {v.system: v.detail for v in score_answers([question], [repair], [selection], database)}
    assert details["selected"].endswith("; compares event.type with 'game' where the gold has 'Game'")
    assert details["candidate"] == details["vote"] == "no rows where the gold has 1 row"
