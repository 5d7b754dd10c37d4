"""Database files made to harm whoever opens them, profiles them or trains on them."""

import hashlib
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nl2sql.benchmarks import describe_database, load_benchmark
from nl2sql.errors import UserError
from nl2sql.execution import Limits, execute_many
from nl2sql.profiling.profile_database import profile_database
from nl2sql.schema import quote
from nl2sql.training.complex_sql import thinned_copies
from tests.flows.conftest import build_benchmark

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
TABLES = "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO item VALUES (1, 'a'), (2, 'b');"
FUZZED = 40
# Profiles a file in a process of its own: a crash of SQLite would be a signal, a wrong type a traceback.
PROFILE = """
import sys
from pathlib import Path
from nl2sql.benchmarks import describe_database
from nl2sql.errors import UserError
from nl2sql.profiling.profile_database import profile_database
for path in map(Path, sys.argv[1:]):
    try:
        profile_database(describe_database(path.stem, path))
    except UserError as error:
        print(path.stem, error)
"""


@pytest.fixture
def make(tmp_path) -> Callable[[str], Path]:
    def build(script: str) -> Path:
        path = tmp_path / "hostile" / "hostile.sqlite"
        path.parent.mkdir()
        connection = sqlite3.connect(path)
        connection.executescript(script)
        connection.close()
        return path

    return build


def profiled(path: Path, view_seconds: float = 0.3) -> dict[str, int]:
    """Rows of each column, and that the file is as it was."""
    before = hashlib.sha256(path.read_bytes()).digest()
    rows = profile_database(describe_database(path.stem, path), view_seconds=view_seconds)
    assert hashlib.sha256(path.read_bytes()).digest() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    return {f"{p.table}.{p.column}": p.rows for p in rows}


def test_fuzzed_headers_and_pages_are_errors_or_read_and_never_crash(make, tmp_path):
    whole = bytearray(
        make(
            "CREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT, size REAL); CREATE INDEX i ON a (name);"
            "CREATE TABLE b (x, y, z) ; CREATE VIEW v AS SELECT name, x FROM a, b;"
            "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 300)"
            "  INSERT INTO a SELECT x, hex(x) || 'name', x * 1.5 FROM c; INSERT INTO b SELECT * FROM a;"
        ).read_bytes()
    )
    rng, files = random.Random(20261123), []
    for number in range(FUZZED):
        damaged = bytearray(whole)
        within = 100 if number % 3 == 0 else 4096 if number % 3 == 1 else len(damaged)
        for _ in range(rng.randint(1, 30)):
            damaged[rng.randrange(16 if number % 2 else 0, within)] = rng.randrange(256)
        if number % 10 == 0:
            del damaged[rng.randrange(len(damaged)) :]
        files.append(tmp_path / f"fuzzed{number}.sqlite")
        files[-1].write_bytes(damaged)
    run = subprocess.run([sys.executable, "-c", PROFILE, *map(str, files)], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.count("\n") > FUZZED // 4  # that the damage was felt
    results = execute_many([(path, "SELECT * FROM a, b WHERE name > 'x'") for path in files], Limits(seconds=1))
    assert {r.outcome for r in results} <= {"ok", "empty", "error", "timeout", "all_null"}


@pytest.mark.parametrize("kept", [0, 10, 99, 100, 511, 1024, 4095])
def test_a_truncated_file_is_an_error(make, kept):
    path = make(TABLES)
    path.write_bytes(path.read_bytes()[:kept])
    (result,) = execute_many([(path, "SELECT * FROM item")])
    assert result.outcome == "error"


@pytest.mark.parametrize(
    "definition",
    [
        f"{ENDLESS} SELECT x FROM c",
        f"{ENDLESS} SELECT count(*) AS x FROM c",
        "SELECT load_extension('evil') AS x",
        "SELECT readfile('/etc/passwd') AS x",
        "SELECT x FROM hostile",
        "SELECT fts3_tokenizer('simple', x'1122334455667788') AS x",
    ],
)
def test_a_hostile_view_takes_seconds_and_nothing_else(make, definition):
    path = make(f"{TABLES} CREATE VIEW hostile AS {definition};")
    started = time.monotonic()
    found = profiled(path)
    assert found["item.name"] == 2
    assert found.get("hostile.x", 0) == 0
    assert time.monotonic() - started < 5
    (result,) = execute_many([(path, "SELECT * FROM hostile")], Limits(seconds=0.3, rows=1000))
    assert result.outcome in ("error", "timeout", "too_large")


@pytest.mark.parametrize(
    "column",
    ["zeroblob(300000000)", "hex(zeroblob(200000000))"],
)
def test_a_generated_column_cannot_fill_the_memory(make, column):
    path = make(f"CREATE TABLE item (id INTEGER, big AS ({column})); INSERT INTO item (id) VALUES (1), (2);")
    with pytest.raises(UserError, match="too big"):
        profiled(path)


def test_a_view_cannot_fill_the_memory(make):
    path = make(f"{TABLES} CREATE VIEW hostile AS SELECT zeroblob(2000000000) AS x;")
    with pytest.raises(UserError, match="too big"):
        profiled(path)


def test_a_check_and_a_trigger_are_never_run(make):
    path = make(
        f"{TABLES} CREATE TABLE log (x);"
        "CREATE TABLE checked (x CHECK (x > (1 / 0) OR length(zeroblob(900000000)) > 0));"
        "CREATE TRIGGER t AFTER DELETE ON item BEGIN INSERT INTO log SELECT zeroblob(1000) FROM item; END;"
    )
    assert profiled(path) == {"item.id": 2, "item.name": 2, "log.x": 0, "checked.x": 0}


def test_triggers_do_not_run_in_the_copies_that_training_makes(make, tmp_path):
    path = make(
        f"{TABLES} CREATE TABLE log (x); CREATE TRIGGER t BEFORE DELETE ON item BEGIN"
        f" INSERT INTO log SELECT x FROM ({ENDLESS} SELECT x FROM c); END;".replace(
            f"({ENDLESS} SELECT x FROM c)", "(SELECT a.name AS x FROM item a, item b, item c)"
        )
    )
    (copy, *_) = thinned_copies(path, tmp_path, copies=1)
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT count(*) FROM log").fetchone() == (0,)
    connection.close()


def test_hostile_names_are_only_names(make):
    name = "x\"; DROP TABLE item; -- '`]<script>../../\u202e"
    path = make(f"{TABLES} CREATE TABLE {quote(name)} ({quote(name)});")
    assert profiled(path) == {"item.id": 2, "item.name": 2, f"{name}.{name}": 0}


def test_a_schema_that_was_tampered_with_is_an_error(make):
    path = make(TABLES)
    connection = sqlite3.connect(path)
    connection.executescript(
        "PRAGMA writable_schema = 1;"
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE item (id, name, ' || hex(zeroblob(1000)) WHERE name = 'item';"
    )
    connection.close()
    assert describe_database("hostile", path).error
    assert execute_many([(path, "SELECT * FROM item")])[0].outcome == "error"


@pytest.mark.parametrize("db_id", ["../../outside", "/etc", "..", ".", "zoo/../../outside", "zoo\0", "~"])
def test_a_db_id_is_a_name_and_never_a_path(tmp_path, db_id):
    tiny = build_benchmark(tmp_path / "a" / "tiny")
    outside = tmp_path / "a" / "outside" / "outside.sqlite"
    outside.parent.mkdir()
    (tiny / "dev_databases" / "zoo" / "zoo.sqlite").rename(outside)
    text = (tiny / "dev.json").read_text().replace('"zoo"', repr(db_id).replace("'", '"').replace("\\x00", "\\u0000"))
    (tiny / "dev.json").write_text(text)
    loaded = load_benchmark(tiny)
    assert {d.db_id for d in loaded.databases} == {"shop"}
    assert any("missing" in p.what for p in loaded.problems)
