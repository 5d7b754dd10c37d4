import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest

from nl2sql.benchmarks import load_benchmark
from nl2sql.execution import execute, execute_many
from nl2sql.normalise_style import normalise_style
from nl2sql.profiling.profile_database import profile_database
from nl2sql.rows import Database
from nl2sql.schema import Schema, schema_from_profiles
from tests.nl2sql.training.conftest import SCRIPT

ROOT = Path(__file__).parents[2]
SAME = [
    "SELECT T1.name FROM animal AS T1 JOIN keeper AS T2 ON T1.keeper_id = T2.id WHERE T2.age > 30",
    "select a.NAME from Animal a inner join Keeper k on a.keeper_id=k.id where k.age>30",
    "SELECT animal.name AS n FROM animal INNER JOIN keeper ON animal.keeper_id = keeper.id WHERE age > 30 -- all",
    "SELECT `x`.`name` FROM animal AS x\n  JOIN keeper AS y ON x.keeper_id = y.id\nWHERE y.[age] > 30",
]


@dataclass(frozen=True)
class Zoo:
    path: str
    schema: Schema


@pytest.fixture(scope="module")
def zoo(tmp_path_factory) -> Zoo:
    path = str(tmp_path_factory.mktemp("zoo") / "zoo.sqlite")
    connection = sqlite3.connect(path)
    connection.executescript(SCRIPT)
    connection.close()
    database = Database("zoo", path, "", Path(path).stat().st_size, "", "", "")
    return Zoo(path, schema_from_profiles(profile_database(database)))


@pytest.mark.parametrize("sql", SAME)
def test_one_style_for_one_statement(zoo, sql):
    assert normalise_style(sql, zoo.schema) == SAME[0]


def test_a_single_table_stands_bare(zoo):
    sql = "SELECT a.Name FROM animal AS a WHERE a.species IN (SELECT b.species FROM animal AS b WHERE b.weight > 100)"
    plain = "SELECT name FROM animal WHERE species IN (SELECT species FROM animal WHERE weight > 100)"
    assert normalise_style(sql, zoo.schema) == plain


def test_correlated_queries_keep_their_tables_apart(zoo):
    sql = 'SELECT name FROM keeper k WHERE age = (SELECT MAX(age) FROM keeper WHERE "home town" = k."home town")'
    normal = normalise_style(sql, zoo.schema)
    assert normal is not None
    assert execute(zoo.path, normal).digest == execute(zoo.path, sql).digest


def test_double_quoted_strings_become_strings(zoo):
    assert normalise_style('SELECT id FROM animal WHERE species = "lion"', zoo.schema) == (
        "SELECT id FROM animal WHERE species = 'lion'"
    )
    assert normalise_style('SELECT "home town" FROM keeper', zoo.schema) == 'SELECT "home town" FROM keeper'


@pytest.mark.parametrize("sql", ["", "SELECT (", "DELETE FROM animal", "SELECT 1; SELECT 2", "(" * 5000])
def test_what_is_no_query_has_no_style(zoo, sql):
    assert normalise_style(sql, zoo.schema) is None


@pytest.mark.parametrize(("dataset", "split"), [("datasets/demo", "train"), ("../shared/data/bird", "dev")])
def test_golds_mean_the_same_in_normal_style(dataset, split):
    if not (ROOT / dataset).is_dir():
        pytest.skip(f"{dataset} is not on this machine")
    benchmark = load_benchmark(ROOT / dataset, split)
    for database in benchmark.databases:
        schema = schema_from_profiles(profile_database(database))
        golds = [q.gold_sql for q in benchmark.questions if q.db_id == database.db_id]
        normal = [normalise_style(sql, schema) or "" for sql in golds]
        before = execute_many([(database.path, sql) for sql in golds])
        after = execute_many([(database.path, sql) for sql in normal])
        assert [r.digest for r in after] == [r.digest for r in before]
        assert [normalise_style(sql, schema) for sql in normal] == normal
