"""`nl2sql ask`: what a user sees, and that whatever is thrown at it ends in an answer or in one clear line."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from flows.ask_question import answer
from flows.options import Options
from nl2sql.benchmarks import load_benchmark
from nl2sql.indexes.columns import index_columns
from nl2sql.rows import EMBEDDING_WIDTH, Question, Summary
from tasks.artifact_store import ArtifactStore, Provenance, read_rows
from tasks.band_cells import EarlierBands, band_cells
from tasks.database_context import OfflineArtifacts
from tasks.index_cells import index_cells
from tasks.index_examples import index_examples
from tasks.profile_database import profile_database
from tasks.store_questions import store_questions
from tasks.summarise_fields import summarise_fields

HOW_MANY = "How many animals are there?"
COUNTED = "SELECT COUNT(*) FROM animal"


def answered(result: Result) -> dict:
    """The JSON of a run that went well."""
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return json.loads(result.stdout.splitlines()[-1])


def refusal(result: Result) -> str:
    """The one line of a run that could not answer: no traceback, nothing else."""
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    (line,) = result.stderr.splitlines()
    assert line.startswith("nl2sql: ")
    return line.removeprefix("nl2sql: ")


# --- what a user sees -----------------------------------------------------------------------------------------------


def test_an_answer_shows_sql_rows_confidence_label_and_what_was_matched(nl2sql, database):
    result = nl2sql("ask", database(), "How many otters do we have?")
    assert result.exit_code == 0
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert lines[0] == "SELECT COUNT(*) FROM animal WHERE species = 'otter'"
    assert lines[lines.index("1 row") - 2] == "2"
    assert any(line.startswith("confidence 0.") and "keyless rules baseline" in line for line in lines)
    assert "matched  'otters' = animal.species 'otter'" in lines
    assert any(line.startswith("linked   ") and "animal.species" in line for line in lines)


def test_the_last_line_with_json_is_the_answer(nl2sql, database):
    found = answered(nl2sql("ask", database(), "List the names of all keepers.", "--json"))
    assert found["sql"] == "SELECT name FROM keeper"
    assert (found["columns"], found["rows"], found["row_count"]) == (["name"], [["Ada"], ["Bo"]], 2)
    assert (found["outcome"], found["error"]) == ("ok", "")
    assert "keyless" in found["label"]
    assert 0 < found["confidence"] <= 1
    assert "keeper.name" in {link["column"] for link in found["linked"]}
    assert found["candidates"][0]["sql"] == found["sql"]


def test_explaining_shows_every_step_within_80_columns_and_cuts_no_sql(nl2sql, database):
    names = [f"a rather long name of a column number {i}" for i in range(6)]
    columns = ", ".join(f'"{name}" TEXT' for name in names)
    script = f"CREATE TABLE things ({columns}); INSERT INTO things VALUES (1, 2, 3, 4, 5, 6)"
    result = nl2sql("ask", database(script), f"List the {names[1]} of things where {names[4]} is 5", "--explain")
    assert result.exit_code == 0, result.output
    sql, *rest = result.stdout.splitlines()
    assert max(map(len, rest)) <= 80
    for step in ("grounding", "matched cells", "linking", "candidates", "selection"):
        assert any(line.startswith(step) and line.endswith("─") for line in rest)
    shown = " ".join(" ".join(rest).split())
    assert shown.count(sql) == 1  # among the candidates, wrapped but whole


def test_data_cannot_style_or_steer_the_terminal(nl2sql, database):
    script = """
        CREATE TABLE note (id INTEGER PRIMARY KEY, "[red]body" TEXT);
        INSERT INTO note VALUES (1, '[bold]x[/bold]'), (2, '[/]'), (3, char(27) || '[31mred' || char(10) || 'two');
    """
    result = nl2sql("ask", database(script), "List the [red]body of all notes", "--explain")
    assert result.exit_code == 0, result.output
    assert "[red]body" in result.stdout
    assert "[bold]x[/bold]" in result.stdout
    assert "[/]" in result.stdout
    assert "\x1b" not in result.stdout
    assert "␛[31mred␊two" in result.stdout


def test_long_and_wide_results_say_what_is_not_shown(nl2sql, database):
    columns = ", ".join(f"c{i} INTEGER" for i in range(30))
    values = ", ".join(["i"] * 30)
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)"
    path = database(f"CREATE TABLE wide ({columns}); {numbers} INSERT INTO wide SELECT {values} FROM n;")
    asked = "Show " + ", ".join(f"c{i}" for i in range(30)) + " of wide"
    result = nl2sql("ask", path, asked, "--json")
    found = answered(result)
    assert found["row_count"] == 1500
    assert len(found["rows"]) == 1000
    assert "1,500 rows, the first 20 shown" in result.stdout
    assert len(found["columns"]) > 8
    assert f"8 of {len(found['columns'])} columns shown" in result.stdout


def test_a_number_that_is_a_cell_of_a_number_column_is_not_quoted(nl2sql, database):
    result = nl2sql("ask", database(), "How many keepers are older than 31?", "--json")
    answer = json.loads(result.stdout.splitlines()[-1])
    assert answer["rows"] == [[1]]
    assert "'31'" not in answer["sql"]


def test_a_second_question_reuses_profile_and_indexes(nl2sql, database, tmp_path):
    path, own = database(), tmp_path / "own"
    answered(nl2sql("ask", path, HOW_MANY, "--json", "--artifacts", own))
    before = {file: file.stat().st_mtime_ns for file in own.glob("*/*.parquet")}
    start = time.perf_counter()
    answered(nl2sql("ask", path, "How many keepers are there?", "--json", "--artifacts", own))
    assert time.perf_counter() - start < 5
    after = {file: file.stat().st_mtime_ns for file in own.glob("*/*.parquet")}
    new = {file.parent.name for file in after.keys() - before.keys()}
    assert new == {"groundings", "linkings", "candidates", "repairs", "selections"}
    assert before.items() <= after.items()


def test_a_command_of_its_own_keeps_its_streams_apart(database, tmp_path):
    """A real process on a pipe whose encoding has no box characters."""
    path = database("CREATE TABLE cafe (name TEXT); INSERT INTO cafe VALUES ('Zoë ☕'), (CAST(x'ff61' AS TEXT));")
    command = [sys.executable, "-m", "flows.cli", "ask", str(path), "List the names of all cafes", "--json"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "80"}
    process = subprocess.run(
        [*command, "--artifacts", str(tmp_path / "own")],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    assert "Traceback" not in process.stderr
    found = json.loads(process.stdout.splitlines()[-1])
    assert found["rows"] == [["Zoë ☕"], ["\N{REPLACEMENT CHARACTER}a"]]


# --- databases that are none ----------------------------------------------------------------------------------------

ROWS = """
    CREATE TABLE animal (id INTEGER PRIMARY KEY, name TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
    INSERT INTO animal SELECT i, 'animal number ' || i FROM n;
"""


def damaged(path: Path, start: int, noise: bool) -> Path:
    """Keep the bytes before `start`; noise or nothing follows them."""
    content = path.read_bytes()
    path.write_bytes(content[:start] + (random.Random(7).randbytes(len(content) - start) if noise else b""))
    return path


@pytest.mark.parametrize(
    ("start", "noise", "complaint"),
    [
        (8192, True, "cannot be read to the end"),  # a good header and schema, then noise
        (100, True, "malformed"),  # a good header, then noise
        (0, True, "not an SQLite database"),
        (60, False, "malformed"),  # the file ends within its header
        (50_000, False, "malformed"),
    ],
)
def test_a_corrupt_file_is_named_with_its_fault(nl2sql, database, start, noise, complaint):
    path = damaged(database(ROWS, "broken.sqlite"), start, noise)
    line = refusal(nl2sql("ask", path, HOW_MANY))
    assert complaint in line
    assert "broken" in line


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"just some notes", "not an SQLite database"), (b"SQLite format 2\0", "not an SQLite database")],
)
def test_a_file_that_is_no_database_is_said_to_be_none(nl2sql, tmp_path, content, complaint):
    path = tmp_path / "notes.sqlite"
    path.write_bytes(content)
    assert complaint in refusal(nl2sql("ask", path, HOW_MANY))


def test_databases_without_tables_have_nothing_to_ask(nl2sql, database, tmp_path):
    (tmp_path / "zero.sqlite").touch()
    for path in (tmp_path / "zero.sqlite", database("CREATE TABLE t (a); DROP TABLE t;", "dropped.sqlite")):
        result = nl2sql("ask", path, HOW_MANY, "--json")
        line = refusal(result)
        assert line == f"{path}: has no tables to ask about"
        assert json.loads(result.stdout) == {"error": line}


def test_artifacts_below_a_file_cannot_be_written(nl2sql, database, tmp_path):
    (tmp_path / "file").touch()
    line = refusal(nl2sql("ask", database(), HOW_MANY, "--artifacts", tmp_path / "file" / "folder"))
    assert "cannot write" in line
    assert "--artifacts" in line


# --- databases that are odd -----------------------------------------------------------------------------------------


def test_a_table_of_numbers_and_blobs_is_answered(nl2sql, database):
    script = (
        "CREATE TABLE pic (id INTEGER, data BLOB, size REAL); INSERT INTO pic VALUES (1, x'00ff', 1.5), (2, x'', 9e999)"
    )
    path = database(script)
    assert answered(nl2sql("ask", path, "How many pics are there?", "--json"))["rows"] == [[2]]
    found = answered(nl2sql("ask", path, "List the data and size of all pics", "--json"))
    assert ["00ff", 1.5] in found["rows"]
    assert ["", "inf"] in found["rows"]


NAMES = """
    CREATE TABLE "order ""x"" [y] `z` 'q'" ("select" TEXT, "a b" TEXT, "" TEXT, "x""y" TEXT);
    INSERT INTO "order ""x"" [y] `z` 'q'" VALUES ('yes', 'red', 'nameless', 'it''s');
    CREATE TABLE "group" ("from" TEXT, "where" INTEGER);
    INSERT INTO "group" VALUES ('Paris', 1), ('Oslo', 2);
    CREATE TABLE "🦊" ("🐱 name" TEXT);
    INSERT INTO "🦊" VALUES ('Felix');
"""


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("What is the select of the order whose a b is 'red'?", [["yes"]]),
        ("List the 🐱 name of all 🦊", [["Felix"]]),
        ("How many groups have from 'Paris'?", [[1]]),
    ],
)
def test_names_with_quotes_spaces_keywords_and_emoji_are_answered(nl2sql, database, question, rows):
    assert answered(nl2sql("ask", database(NAMES), question, "--json"))["rows"] == rows


def test_text_that_is_not_utf8_and_text_with_nul_are_read(nl2sql, database):
    script = "CREATE TABLE t (name TEXT); INSERT INTO t VALUES (CAST(x'ff6162' AS TEXT)), (CAST(x'610062' AS TEXT))"
    result = nl2sql("ask", database(script), "List the name of all t", "--json")
    assert answered(result)["rows"] == [["\N{REPLACEMENT CHARACTER}ab"], ["a\0b"]]
    assert "a␀b" in result.stdout


def test_views_answer_and_broken_ones_do_not_disturb(nl2sql, database):
    views = """
        CREATE TABLE animal (id INTEGER PRIMARY KEY, name TEXT, kind TEXT);
        INSERT INTO animal VALUES (1, 'Rex', 'lion'), (2, 'Mia', 'bear');
        CREATE VIEW lioness AS SELECT name FROM animal WHERE kind = 'lion';
        CREATE VIEW broken AS SELECT * FROM gone;
        CREATE VIEW unknown AS SELECT no_such_function(1) AS x;
    """
    path = database(views)
    assert answered(nl2sql("ask", path, HOW_MANY, "--json"))["rows"] == [[2]]
    assert answered(nl2sql("ask", path, "How many lioness are there?", "--json"))["rows"] == [[1]]
    assert "no SQL" in refusal(nl2sql("ask", path, "How many broken are there?"))


def test_tables_without_rowid_and_generated_columns_are_answered(nl2sql, database):
    script = """
        CREATE TABLE fruit (code TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID;
        INSERT INTO fruit VALUES ('a', 'apple'), ('b', 'pear');
        CREATE TABLE box (size INTEGER, doubled INTEGER AS (size * 2) STORED, label TEXT AS ('box ' || size));
        INSERT INTO box (size) VALUES (1), (2);
    """
    path = database(script)
    assert answered(nl2sql("ask", path, "How many fruits are there?", "--json"))["rows"] == [[2]]
    assert answered(nl2sql("ask", path, "List the doubled of all boxes", "--json"))["rows"] == [[2], [4]]
    assert answered(nl2sql("ask", path, "List the label of all boxes", "--json"))["rows"] == [["box 1"], ["box 2"]]


def hashed(texts) -> np.ndarray:
    """A cheap stand-in for sentence vectors, for two thousand columns within a second."""
    vectors = np.zeros((len(texts), EMBEDDING_WIDTH), np.float32)
    vectors[np.arange(len(texts)), [sum(t.encode()) % EMBEDDING_WIDTH for t in texts]] = 1
    return vectors


def test_a_table_of_two_thousand_columns_is_answered(database, tmp_path):
    columns = ", ".join(f"c{i} TEXT" for i in range(2000))
    path = database(f"CREATE TABLE wide ({columns}); INSERT INTO wide (c0, c1, c1999) VALUES ('red', 'blue', 'green');")
    store = ArtifactStore(str(tmp_path / "own"))
    (found,) = load_benchmark(path).databases
    profiles = profile_database.run(store, database=found)
    summaries = summarise_fields.run(store, profiles=profiles)
    cells = index_cells.run(store, database=found, profiles=profiles)
    bands = band_cells.run(store, cells=cells, database_id=found.db_id, earlier=EarlierBands(store))
    examples = index_examples.run(store, questions=store_questions.run(store, questions=()))
    vectors = store.write("columns", "hashed", index_columns(read_rows(summaries, Summary), hashed), Provenance("test"))
    offline = OfflineArtifacts(found, profiles, summaries, cells, bands, vectors, examples)
    question = Question("1", found.db_id, "What is the c1999 where c0 is red?", "", "", "", "")
    result = answer(question, offline, store, Options(), None, lambda stage: None).result
    assert result.rows == (("green",),)


# --- odd questions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", ["", " \n\t "])
def test_an_empty_question_is_refused(nl2sql, database, question):
    assert "question is empty" in refusal(nl2sql("ask", database(), question))


@pytest.mark.parametrize("question", ["动物园里有多少只水獭？", "?!?", "zzz qqq", "a" * 100_000, "\x1b[31m zzz"])
def test_a_question_about_nothing_in_the_database_ends_in_one_line(nl2sql, database, question):
    result = nl2sql("ask", database(), question, "--json")
    line = refusal(result)
    assert line.startswith("no SQL for ")
    assert len(line) < 250
    assert "\x1b" not in result.output
    found = json.loads(result.stdout.splitlines()[-1])
    assert (found["sql"], found["error"]) == ("", line)


def test_explaining_helps_where_nothing_was_found(nl2sql, database):
    result = nl2sql("ask", database(), "zzz qqq", "--explain")
    refusal(result)
    assert "candidates: 0" in result.stdout


@pytest.mark.parametrize(
    "question",
    [
        "How many\0 animals\x07\x1b[31m are there?",
        "How many animals are there \udcff?",
        "'; DROP TABLE animal; -- how many animals are there?",
        "How many [bold]animals[/bold] are there? [/x]",
        "how many animals " * 6000,
    ],
    ids=["control characters", "not UTF-8", "SQL", "markup", "100 kB"],
)
def test_a_question_with_noise_is_answered(nl2sql, database, question):
    found = answered(nl2sql("ask", database(), question, "--json"))
    assert found["sql"].startswith("SELECT")
    assert found["row_count"] > 0


# --- odd places -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["with space.sqlite", "what?.sqlite", "ha#sh.sqlite", "100%25.sqlite", "ünï 数据.db", "a&mode=rwc", "[bold]'\".db"],
)
def test_a_database_is_found_under_any_name(nl2sql, database, name):
    path = database(name=name)
    assert answered(nl2sql("ask", path, HOW_MANY, "--json"))["rows"] == [[3]]
    assert [p.name for p in path.parent.iterdir()] == [name]


def test_a_database_in_wal_mode_in_a_read_only_folder_is_read_and_left_alone(nl2sql, database):
    path = database("PRAGMA journal_mode = WAL; CREATE TABLE animal (name TEXT); INSERT INTO animal VALUES ('Rex');")
    path.parent.chmod(0o555)
    try:
        assert answered(nl2sql("ask", path, HOW_MANY, "--json"))["rows"] == [[1]]
        assert [p.name for p in path.parent.iterdir()] == [path.name]
    finally:
        path.parent.chmod(0o755)


def test_what_a_writer_left_in_the_wal_is_answered_with(nl2sql, database, tmp_path):
    path = database("CREATE TABLE animal (name TEXT); INSERT INTO animal VALUES ('Rex');")
    writer = sqlite3.connect(path)
    writer.executescript("PRAGMA journal_mode = WAL; INSERT INTO animal VALUES ('Mia');")
    try:
        assert answered(nl2sql("ask", path, HOW_MANY, "--json"))["rows"] == [[2]]
        shutil.copytree(path.parent, tmp_path / "copied")  # as a crash leaves it
    finally:
        writer.close()
    assert answered(nl2sql("ask", tmp_path / "copied" / path.name, HOW_MANY, "--json"))["rows"] == [[2]]
