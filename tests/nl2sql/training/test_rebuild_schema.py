from collections import defaultdict
from pathlib import Path

import pytest

from nl2sql.benchmarks import load_benchmark
from nl2sql.profiling.profile_database import profile_database
from nl2sql.rows import ColumnName
from nl2sql.schema import schema_from_profiles
from nl2sql.sql_usage import UnreadableSQL, read_usage
from nl2sql.training.rebuild_schema import rebuild_schema

ROOT = Path(__file__).parents[3]


def names(*queries: str) -> set[tuple[str, str]]:
    return {(c.table, c.column) for c in rebuild_schema("db", queries).column_names}


def test_columns_with_a_table_and_columns_of_the_only_table():
    assert names("SELECT a.x, b.y FROM a JOIN b ON a.id = b.a_id") == {
        ("a", "x"),
        ("b", "y"),
        ("a", "id"),
        ("b", "a_id"),
    }
    assert names("SELECT x FROM a WHERE z > 1") == {("a", "x"), ("a", "z")}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT x FROM a JOIN b ON a.id = b.id",  # whose is x?
        'SELECT id FROM a WHERE id = "some text"',  # a string, if a has no such column
        "SELECT a.id FROM a JOIN (SELECT id, COUNT(*) AS x FROM b GROUP BY id) AS c ON a.id = c.id WHERE c.x > 1",
        "SELECT id AS x FROM a ORDER BY x",
    ],
)
def test_what_is_uncertain_is_left_out(query):
    assert not {column for _, column in names(query)} & {"x", "some text"}


def test_names_are_spelled_as_they_are_most_often_and_joins_are_marked():
    schema = rebuild_schema(
        "db",
        [
            "SELECT Name FROM Singer",
            "SELECT name FROM singer",
            "SELECT T1.Name FROM Singer AS T1 JOIN Song AS T2 ON T1.Id = T2.SingerId",
        ],
    )
    assert schema.column("SINGER", "NAME") == ColumnName("Singer", "Name")
    (join,) = schema.foreign_keys
    assert (join.table, join.column, join.to_table, join.to_column, join.declared) == (
        "Singer",
        "Id",
        "Song",
        "SingerId",
        False,
    )


def test_what_cannot_be_read_is_passed_over():
    assert names("SELECT (", "", "谁", "(" * 5000, "DROP TABLE a", "SELECT x FROM a") == {("a", "x")}


@pytest.mark.parametrize(
    ("dataset", "split"), [("datasets/demo", "train"), ("../shared/data/bird", "dev"), ("../shared/data/spider", "dev")]
)
def test_every_rebuilt_column_is_the_databases(dataset, split):
    """Measured where the databases are here: nothing is invented, and nearly all that the golds use is found."""
    if not (ROOT / dataset).is_dir():
        pytest.skip(f"{dataset} is not on this machine")
    benchmark = load_benchmark(ROOT / dataset, split)
    golds = defaultdict(list)
    for question in benchmark.questions:
        golds[question.db_id].append(question.gold_sql)
    found = total = 0
    for database in benchmark.databases:
        real = schema_from_profiles(profile_database(database))
        rebuilt = rebuild_schema(database.db_id, golds[database.db_id])
        assert [c for c in rebuilt.column_names if real.column(c.table, c.column) is None] == []
        used = {c for sql in golds[database.db_id] for c in columns_of(sql, real)}
        found += sum(rebuilt.column(c.table, c.column) is not None for c in used)
        total += len(used)
    assert found / total > 0.95


def columns_of(sql, schema):
    try:
        return read_usage(sql, schema).columns
    except UnreadableSQL:
        return ()
