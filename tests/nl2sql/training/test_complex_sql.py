import sqlite3

import pytest

from nl2sql.execution import execute
from nl2sql.training.complex_sql import prove_equal, rewrite_complex, thinned_copies

EXPECTED = [
    (
        "SELECT name FROM animal ORDER BY weight DESC LIMIT 1",
        "WITH ranked AS (SELECT name, ROW_NUMBER() OVER (ORDER BY weight DESC) AS place FROM animal)"
        " SELECT name FROM ranked WHERE place = 1",
    ),
    (
        "SELECT species FROM animal GROUP BY species HAVING COUNT(*) > 1",
        "WITH grouped AS (SELECT species, COUNT(*) AS condition_1 FROM animal GROUP BY species)"
        " SELECT species FROM grouped WHERE condition_1 > 1",
    ),
    (
        "SELECT name FROM keeper WHERE id IN (SELECT keeper_id FROM animal)",
        "WITH part_1 AS (SELECT keeper_id FROM animal) SELECT name FROM keeper WHERE id IN (SELECT * FROM part_1)",
    ),
    (
        "SELECT name FROM keeper UNION SELECT name FROM animal",
        "WITH first_part AS (SELECT name FROM keeper), second_part AS (SELECT name FROM animal)"
        " SELECT * FROM first_part UNION SELECT * FROM second_part",
    ),
    (
        "SELECT T1.name FROM animal AS T1 JOIN keeper AS T2 ON T1.keeper_id = T2.id WHERE T2.age > 30",
        "WITH chosen_keeper AS (SELECT id, age FROM keeper WHERE age > 30)"
        " SELECT T1.name FROM animal AS T1 JOIN chosen_keeper AS T2 ON T1.keeper_id = T2.id",
    ),
]


@pytest.mark.parametrize(("sql", "rewritten"), EXPECTED)
def test_rewriting_gives_the_same(zoo, tmp_path, sql, rewritten):
    assert rewritten in [e.sql for e in rewrite_complex(sql, zoo.facts)]
    paths = [zoo.path, *thinned_copies(zoo.path, tmp_path)]
    assert prove_equal([sql], [rewritten], paths) == [True]


def test_extremes_become_ranks(zoo):
    sql = "SELECT name FROM animal WHERE weight = (SELECT MAX(weight) FROM animal)"
    (ranked, *_) = [e.sql for e in rewrite_complex(sql, zoo.facts) if e.name == "window: rank"]
    assert "RANK() OVER (ORDER BY weight DESC)" in ranked
    assert execute(zoo.path, ranked).rows == execute(zoo.path, sql).rows


WRONG = [
    ("SELECT name FROM animal WHERE weight > 9", "SELECT name FROM animal WHERE weight >= 9"),
    ("SELECT species FROM animal", "SELECT DISTINCT species FROM animal"),  # equal as sets, not as rows
    ("SELECT name FROM keeper ORDER BY age", "SELECT name FROM keeper ORDER BY name DESC"),  # another order
    ("SELECT name FROM keeper WHERE 0", "SELECT name FROM animal WHERE 0"),  # nothing proves nothing
    ("SELECT name FROM keeper", "SELECT nme FROM keeper"),
]


@pytest.mark.parametrize(("sql", "other"), WRONG)
def test_what_differs_is_not_proved(zoo, sql, other):
    assert prove_equal([sql], [other], [zoo.path]) == [False]


def test_chance_is_found_out_on_copies(zoo, tmp_path):
    """Three otters and three others today: only a database with other rows tells the two apart."""
    pair = (
        ["SELECT COUNT(*) FROM animal WHERE species = 'otter'"],
        ["SELECT COUNT(*) FROM animal WHERE species <> 'otter'"],
    )
    assert prove_equal(*pair, [zoo.path]) == [True]
    assert prove_equal(*pair, [zoo.path, *thinned_copies(zoo.path, tmp_path, copies=6)]) == [False]


def test_copies_have_fewer_rows_and_the_database_all(zoo, tmp_path):
    before = execute(zoo.path, "SELECT COUNT(*) FROM animal").rows
    counts = {
        execute(p, "SELECT (SELECT COUNT(*) FROM animal) + (SELECT COUNT(*) FROM keeper)").rows[0][0]
        for p in thinned_copies(zoo.path, tmp_path, copies=4)
    }
    assert max(counts) < 10
    assert execute(zoo.path, "SELECT COUNT(*) FROM animal").rows == before == ((6,),)


def test_a_trigger_keeps_no_table_whole(tmp_path):
    path = tmp_path / "guarded.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE t (x); INSERT INTO t VALUES (1), (2), (3);"
        "CREATE TRIGGER keep BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'no'); END;"
    )
    connection.close()
    (copy,) = thinned_copies(path, tmp_path, copies=1)
    assert execute(copy, "SELECT COUNT(*) < 3 FROM t").rows == ((1,),)
