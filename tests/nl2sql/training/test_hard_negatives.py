from collections import Counter

import pytest

from nl2sql.execution import execute, execute_many
from nl2sql.training.hard_negatives import RULES, edit_results, really_wrong

EXPECTED = [
    ("SELECT name FROM animal WHERE weight > 9", "changed comparison", "SELECT name FROM animal WHERE weight >= 9"),
    ("SELECT name FROM animal WHERE species = 'lion'", "dropped condition", "SELECT name FROM animal"),
    ("SELECT COUNT(DISTINCT species) FROM animal", "changed distinct", "SELECT COUNT(species) FROM animal"),
    ("SELECT MAX(weight) FROM animal", "other aggregate", "SELECT MIN(weight) FROM animal"),
    (
        "SELECT id FROM animal ORDER BY weight LIMIT 1",
        "other order",
        "SELECT id FROM animal ORDER BY weight DESC LIMIT 1",
    ),
    (
        "SELECT name FROM animal WHERE id = 1 AND weight > 2",
        "and for or",
        "SELECT name FROM animal WHERE id = 1 OR weight > 2",
    ),
]


@pytest.mark.parametrize(("sql", "name", "edited"), EXPECTED, ids=[e[1] for e in EXPECTED])
def test_each_kind_of_edit(zoo, sql, name, edited):
    assert edited in [e.sql for e in edit_results(sql, zoo.facts) if e.name == name]


def test_a_swapped_column_is_of_the_same_table_and_kind(zoo):
    swapped = [e.sql for e in edit_results("SELECT species FROM animal", zoo.facts) if e.name == "column swap"]
    assert swapped == ["SELECT name FROM animal"]  # not weight, which is a number, and not keeper's name


def test_a_join_condition_is_lost_and_the_statement_still_runs(zoo):
    edits = [e for e in edit_results(zoo.questions[1].gold_sql, zoo.facts) if e.name == "lost join condition"]
    crossed = next(e for e in edits if "CROSS JOIN" in e.sql)
    assert execute(zoo.path, crossed.sql).row_count == 6


def test_most_edits_run_and_are_wrong(zoo):
    golds = [q.gold_sql for q in zoo.questions]
    pairs = [(sql, edit) for sql in golds for edit in edit_results(sql, zoo.facts)]
    results = execute_many([(zoo.path, e.sql) for _, e in pairs])
    gold = dict(zip(golds, execute_many([(zoo.path, sql) for sql in golds]), strict=True))
    wrong = sum(really_wrong(r, gold[sql]) for (sql, _), r in zip(pairs, results, strict=True))
    assert wrong / len(pairs) > 0.7
    assert set(Counter(e.name for _, e in pairs)) <= {name for name, _ in RULES}


def test_a_result_that_fails_or_is_the_same_is_not_wrong(zoo):
    gold = execute(zoo.path, "SELECT name FROM keeper")
    assert not really_wrong(execute(zoo.path, "SELECT nme FROM keeper"), gold)
    assert not really_wrong(execute(zoo.path, "SELECT name FROM keeper ORDER BY age"), gold)
    assert really_wrong(execute(zoo.path, "SELECT name FROM keeper WHERE 0"), gold)


@pytest.mark.parametrize("sql", ["", "DROP TABLE animal", "SELECT (", "SELECT " + "(" * 4000, "\x00", "谁？"])
def test_what_is_no_query_has_no_edits(zoo, sql):
    assert edit_results(sql, zoo.facts) == []
