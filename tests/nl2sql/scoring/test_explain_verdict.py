"""Every reason for a wrong answer, from SQL that is wrong for it."""

import sqlite3
from pathlib import Path

import pytest

from nl2sql.execution import Limits, execute
from nl2sql.scoring.execution_accuracy import judge
from nl2sql.scoring.explain_verdict import REASONS, equal_in_any_column_order

LIMITS = Limits(seconds=1, rows=10_000, keep_rows=1000)
THREE = "SELECT id FROM t"
WIDE = "SELECT id, name, value FROM t"

CASES = [
    (THREE, "SELEC id FROM t", "syntax"),
    (THREE, "SELECT id FROM", "syntax"),
    (THREE, "SELECT 'id FROM t", "syntax"),
    (THREE, "SELECT nobody FROM t", "error"),
    (THREE, "DROP TABLE t", "forbidden"),
    (THREE, "SELECT 1; SELECT 2", "several_statements"),
    (THREE, "-- nothing", "no_sql"),
    (THREE, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT sum(x) FROM c", "timeout"),
    (THREE, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c", "too_large"),
    ("SELECT nobody FROM t", THREE, "gold_error"),
    ("SELECT nobody FROM t", "SELECT nobody FROM t", "gold_error"),
    (THREE, "SELECT id FROM t WHERE 0", "empty"),
    ("SELECT id FROM t WHERE 0", THREE, "more_rows"),
    (THREE, "SELECT id, name FROM t", "extra_column"),
    (THREE, "SELECT name, id FROM t", "extra_column"),
    ("SELECT id, name FROM t", "SELECT name FROM t", "missing_column"),
    ("SELECT id, name FROM t", "SELECT 5", "columns"),
    ("SELECT id, name FROM t", "SELECT name, id FROM t", "column_order"),
    (WIDE, "SELECT value, id, name FROM t", "column_order"),
    (THREE, "SELECT id FROM t UNION SELECT 9", "more_rows"),
    (THREE, "SELECT id FROM t WHERE id < 3", "fewer_rows"),
    (THREE, "SELECT CAST(id AS TEXT) FROM t", "types"),
    ("SELECT value FROM t", "SELECT CAST(value AS BLOB) FROM t", "types"),
    ("SELECT value FROM t", "SELECT ROUND(value, 1) FROM t", "rounding"),
    ("SELECT value FROM t", "SELECT CAST(value AS INTEGER) FROM t", "rounding"),
    ("SELECT name, value FROM t", "SELECT name, value + 1e-9 FROM t", "rounding"),
    ("SELECT name FROM t", "SELECT UPPER(name) FROM t", "letter_case"),
    (THREE, "SELECT id + 100 FROM t", "values"),
    ("SELECT 100", "SELECT 101", "values"),
    ("SELECT id, value FROM t", "SELECT id, value + 1 FROM t", "values"),
    (THREE, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 2000) SELECT x FROM c", "values"),
]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explain") / "t.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE t (id INTEGER, name TEXT, value REAL);"
        "INSERT INTO t VALUES (1, 'one', 1.256), (2, 'two', 2.557), (3, 'three', 3.658);"
    )
    connection.close()
    return path


@pytest.mark.parametrize(("gold", "sql", "reason"), CASES)
def test_reason(database: Path, gold: str, sql: str, reason: str) -> None:
    judgement = judge(execute(database, sql, LIMITS), execute(database, gold, LIMITS), LIMITS)
    assert (judgement.correct, judgement.reason) == (False, reason)
    assert judgement.detail


def test_every_reason_is_described() -> None:
    assert {reason for _, _, reason in CASES} | {"missing"} == set(REASONS)


@pytest.mark.parametrize(
    ("gold", "sql"),
    [
        (THREE, "SELECT id * 1.0 FROM t ORDER BY 1 DESC"),
        (THREE, "SELECT a.id FROM t a, t b"),
        ("SELECT id, name FROM t", "SELECT id AS other, name FROM t"),
        ("SELECT NULL", "SELECT nullif(1, 1)"),
        ("SELECT 1 WHERE 0", "SELECT id, name FROM t WHERE 0"),
    ],
)
def test_right(database: Path, gold: str, sql: str) -> None:
    judgement = judge(execute(database, sql, LIMITS), execute(database, gold, LIMITS), LIMITS)
    assert (judgement.correct, judgement.official, judgement.reason) == (True, True, "")


def test_many_columns_alike_do_not_take_for_ever(database: Path) -> None:
    gold = execute(database, "SELECT " + ", ".join(["1"] * 20) + ", 2", LIMITS)
    result = execute(database, "SELECT 2, " + ", ".join(["1"] * 20), LIMITS)
    assert judge(result, gold, LIMITS).reason in ("column_order", "values")


def test_any_column_order() -> None:
    assert equal_in_any_column_order([(1, 2), (3, 4)], [(4, 3), (2, 1)])
    assert not equal_in_any_column_order([(1, 2), (3, 4)], [(2, 3), (4, 1)])
    assert not equal_in_any_column_order([(1, 1)], [(1,)])
    assert not equal_in_any_column_order([], [(1,)])
    assert equal_in_any_column_order([], [])
