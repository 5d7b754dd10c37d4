import pytest

from nl2sql.execution import Limits, execute
from nl2sql.rows import ColumnName
from nl2sql.training.check_golds import check_golds, clean_sql, needed_columns

FAULTS = [
    ("SELECT name FROM keeper", True, ""),
    ("SELECT nme FROM keeper", True, "gold: error: no such column: nme"),
    ("SELECT name FROM keeper WHERE 0", True, "gold: empty"),
    ("SELECT name FROM keeper WHERE 0", False, ""),
    ("SELECT MAX(id) FROM keeper WHERE 0", True, "gold: all_null"),
    ("", True, "gold: is no query that can be read"),
    ("DELETE FROM keeper", True, "gold: is no query that can be read"),
    ('SELECT id FROM animal WHERE species = "lion"', True, ""),  # the official scripts take that for a string
]


@pytest.mark.parametrize(("sql", "empty_is_wrong", "fault"), FAULTS)
def test_faults(zoo, ask, sql, empty_is_wrong, fault):
    (gold,) = check_golds([ask(0, "?", sql)], zoo.schema, zoo.path, Limits(), empty_is_wrong)
    assert gold.fault == fault


def test_a_gold_that_does_not_end_is_a_fault(zoo, ask):
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
    (gold,) = check_golds([ask(0, "?", sql)], zoo.schema, zoo.path, Limits(seconds=0.2), True)
    assert gold.fault.startswith("gold: timeout")


def test_without_a_database_nothing_is_verified(zoo):
    golds = check_golds(zoo.questions, zoo.schema, "", Limits(), True)
    assert [(g.fault, g.verified) for g in golds] == [("", False)] * len(golds)


CLEANED = [
    ("SELECT name\n  FROM keeper ; ", "SELECT name FROM keeper"),
    ("SELECT name /* who */ FROM keeper -- all", "SELECT name FROM keeper"),
    ("SELECT id FROM keeper WHERE name = 'a  b'", "SELECT id FROM keeper WHERE name = 'a  b'"),
    ("SELECT name FROM keeper WHERE `home town` = '北京'", "SELECT name FROM keeper WHERE `home town` = '北京'"),
]


@pytest.mark.parametrize(("sql", "cleaned"), CLEANED)
def test_cleaning_changes_no_more_than_it_must(zoo, sql, cleaned):
    assert clean_sql(sql, zoo.schema) == cleaned
    assert execute(zoo.path, cleaned).digest == execute(zoo.path, sql).digest


def test_needed_columns_show_every_table(zoo):
    assert needed_columns("SELECT COUNT(*) FROM visit", zoo.schema) == (ColumnName("visit", "day"),)
    assert ColumnName("keeper", "home town") in needed_columns(zoo.questions[2].gold_sql, zoo.schema)
    assert needed_columns("SELECT nme FROM nowhere", zoo.schema) == zoo.schema.column_names
