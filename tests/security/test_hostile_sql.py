"""Statements that attack: each ends with an error or a limit, in time, and leaves the database file as it was.

tests/nl2sql/test_execution.py holds the plain ones (writing, ATTACH, VACUUM INTO, several statements, memory bombs).
"""

import hashlib
import sqlite3
import time
from pathlib import Path

import pytest

from nl2sql.execution import Limits, execute, execute_many
from nl2sql.read_only import LONGEST_VALUE, open_read_only

LIMITS = Limits(seconds=0.5, rows=100_000, bytes=16 * 2**20)
LATEST = 4.0  # seconds until the outcome: the limit, the child's grace, and a busy machine
COUNTING = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
LONG = "(SELECT replace(hex(zeroblob(500000)), '00', 'a') AS s)"

READING = {
    "a file": "SELECT readfile('/etc/passwd')",
    "a folder": "SELECT * FROM fsdir('/')",
    "a file by an editor": "SELECT edit('x', 'cat /etc/passwd')",
    "a file as a table": "SELECT * FROM csv('/etc/passwd')",
    "an archive": "SELECT * FROM zipfile('/etc/passwd')",
    "pages of the file": "SELECT data FROM sqlite_dbpage",
    "the path of the file": "SELECT file FROM pragma_database_list",
    "all functions": "SELECT name FROM pragma_function_list",
    "compile options": "SELECT * FROM pragma_compile_options",
    "settings": "SELECT * FROM pragma_trusted_schema",
    "the index of FTS": "SELECT * FROM fts5vocab('main', 'item', 'row')",
}
WRITING = {
    "the schema": "UPDATE sqlite_schema SET sql = 'CREATE TABLE item (x)'",
    "the schema by insertion": "INSERT INTO sqlite_master VALUES ('view', 'v', 'v', 0, 'CREATE VIEW v AS SELECT 1')",
    "a virtual table": "CREATE VIRTUAL TABLE v USING fts5(x)",
    "a temporary trigger": "CREATE TEMP TRIGGER t AFTER INSERT ON item BEGIN SELECT 1; END",
    "another file": "ATTACH 'file:/tmp/nl2sql-stolen?mode=rwc' AS x",
    "memory as a database": "ATTACH ':memory:' AS x",
    "writable schema": "PRAGMA writable_schema = RESET",
    "writable schema as a table": "SELECT * FROM pragma_writable_schema(1)",
    "temporary folder": "PRAGMA temp_store_directory = '/tmp'",
    "journal": "PRAGMA journal_mode = DELETE",
    "checkpoint": "PRAGMA wal_checkpoint(TRUNCATE)",
    "optimizer": "PRAGMA optimize",
    "memory limit": "PRAGMA soft_heap_limit = 0",
    "tokenizer": "SELECT fts3_tokenizer('simple', x'00')",
    "hidden behind a comment": "/* SELECT */ DELETE /**/ FROM item",
    "behind a second statement": "SELECT 1; DELETE FROM item",
    "behind a NUL": "SELECT 1\0; DELETE FROM item",
    "in a common table": "WITH a AS (SELECT 1) DELETE FROM item",
    "upsert": "INSERT INTO item VALUES (1, 'x') ON CONFLICT DO UPDATE SET name = 'y'",
    "release of nothing": "RELEASE x",
}
EXHAUSTING = {
    "endless union": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c) SELECT count(*) FROM c",
    "doubling text": "WITH RECURSIVE c(x) AS (SELECT 'x' UNION ALL SELECT x || x FROM c) SELECT length(x) FROM c",
    "endless list": COUNTING + "SELECT group_concat(x) FROM c",
    "endless JSON": COUNTING + "SELECT json_group_array(x) FROM c",
    "endless window": COUNTING + "SELECT sum(x) OVER (ORDER BY x DESC) FROM c",
    "endless distinct": COUNTING + "SELECT count(DISTINCT hex(randomblob(100))) FROM c",
    "cross join": "SELECT count(*) FROM "
    + ", ".join(f"({COUNTING} SELECT x FROM c LIMIT 5000) t{i}" for i in range(5)),
    "correlated": COUNTING + "SELECT (SELECT count(*) FROM c AS d WHERE d.x < c.x) FROM c",
    "wide printf": "SELECT printf('%.*c', 1000000000, 'x')",
    "quoted printf": "SELECT length(printf('%Q', hex(zeroblob(100000000))))",
    "zeroblob": "SELECT zeroblob(2147483647)",
    "replacement": "SELECT replace(replace(hex(zeroblob(9999)), '0', hex(zeroblob(9999))), '0', hex(zeroblob(9999)))",
    "search without end": "SELECT instr(hex(zeroblob(7000000)), hex(zeroblob(3000000)) || '1')",
    "LIKE": f"SELECT sum(s LIKE '{'%a' * 2000}%b') FROM {LONG}, ({COUNTING} SELECT x FROM c)",
    "GLOB": f"SELECT sum(s GLOB '{'*a' * 2000}*b') FROM {LONG}, ({COUNTING} SELECT x FROM c)",
    "many columns of a row": "SELECT " + ", ".join(["hex(zeroblob(4000000))"] * 50),
    "many rows": COUNTING + "SELECT x FROM c",
}


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("attacked") / "some.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO item VALUES (1, 'a')")
    connection.close()
    return path


@pytest.fixture(autouse=True)
def unharmed(database):
    """Whatever a test runs, the file is the same after it, nothing lies beside it, and the next query runs."""
    before = hashlib.sha256(database.read_bytes()).digest()
    yield
    assert hashlib.sha256(database.read_bytes()).digest() == before
    assert [p.name for p in database.parent.iterdir()] == [database.name]
    assert execute_many([(database, "SELECT name FROM item")])[0].rows == (("a",),)


@pytest.mark.parametrize("sql", [*READING.values(), *WRITING.values()], ids=[*READING, *WRITING])
def test_what_is_not_reading_this_database_is_refused(database, sql):
    here, in_a_child = execute(database, sql, LIMITS), execute_many([(database, sql)], LIMITS)[0]
    assert here.outcome == in_a_child.outcome == "error"
    assert here.error == in_a_child.error != ""


@pytest.mark.parametrize("sql", EXHAUSTING.values(), ids=EXHAUSTING)
def test_what_takes_for_ever_or_too_much_ends_in_time(database, sql):
    started = time.monotonic()
    (result,) = execute_many([(database, sql)], LIMITS, workers=1)
    assert result.outcome in ("timeout", "too_large"), (result.outcome, result.error)
    assert result.error
    assert time.monotonic() - started < LATEST


def test_no_value_is_longer_than_the_limit_whoever_reads(database):
    connection = open_read_only(database)
    try:
        with pytest.raises(sqlite3.DataError, match="too big"):
            connection.execute(f"SELECT zeroblob({LONGEST_VALUE + 1})").fetchone()
    finally:
        connection.close()


def test_an_attack_is_alone_with_its_error(database):
    statements = [*READING.values(), "SELECT name FROM item", *list(EXHAUSTING.values())[:2], "SELECT name FROM item"]
    results = execute_many([(database, sql) for sql in statements], LIMITS)
    assert [r.outcome for r in results if r.ran] == ["ok", "ok"]
