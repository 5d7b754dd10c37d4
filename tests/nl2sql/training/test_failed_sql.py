import pytest

from nl2sql.execution import execute, execute_many
from nl2sql.training.failed_sql import edit_to_fail

JOINED = "SELECT T1.name FROM animal AS T1 INNER JOIN keeper AS T2 ON T1.keeper_id = T2.id WHERE T2.age > 30"
EXPECTED = [
    (JOINED, "column of another table", "no such column: T1.age"),
    (JOINED, "missing join", "no such column: T2.age"),
    (JOINED, "missing alias", "no such column"),
    (JOINED, "ambiguous column", "ambiguous column name: name"),
    (JOINED, "misspelt column", "no such column"),
    (JOINED, "misspelt table", "no such table"),
    ("SELECT species FROM animal GROUP BY species HAVING COUNT(*) > 1", "aggregate in where", "misuse of aggregate"),
    ("SELECT STRFTIME('%Y', day) FROM visit", "another dialect", "no such function: YEAR"),
    ('SELECT "home town" FROM keeper', "missing quotes", "no such column: home"),
    ("SELECT COUNT(*) FROM animal", "broken syntax", "syntax error"),
]


@pytest.mark.parametrize(("sql", "name", "error"), EXPECTED, ids=[e[1] for e in EXPECTED])
def test_each_kind_of_edit_fails_as_it_should(zoo, sql, name, error):
    edits = [e.sql for e in edit_to_fail(sql, zoo.facts) if e.name == name]
    assert any(error in execute(zoo.path, edited).error for edited in edits)


def test_nearly_all_edits_fail(zoo):
    edits = [e.sql for q in zoo.questions for e in edit_to_fail(q.gold_sql, zoo.facts)]
    outcomes = [r.outcome for r in execute_many([(zoo.path, sql) for sql in edits])]
    assert len(edits) > 30
    assert outcomes.count("error") / len(outcomes) > 0.9
