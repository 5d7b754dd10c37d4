import sqlite3

import pytest

from nl2sql.contracts import check, to_table
from nl2sql.online.context import DatabaseContext
from nl2sql.rows import CellMatch, ColumnName, Database, Grounding, Link, Linking, Question, Recall
from nl2sql.schema import read_schema
from nl2sql.scoring.recall import measure_recall, summarise_recall
from nl2sql.sql_usage import UnreadableSQL, read_usage

SCRIPT = """
CREATE TABLE Singer (Id INTEGER PRIMARY KEY, Name TEXT, Country TEXT);
CREATE TABLE concert (id INTEGER PRIMARY KEY, Title TEXT, singer_id INTEGER REFERENCES Singer(Id));
CREATE TABLE "my table 😀" ("a b" TEXT, "order" INTEGER);
CREATE VIEW french AS SELECT Name FROM Singer WHERE Country = 'France';
"""


def schema():
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCRIPT)
    return read_schema(connection, "music")


SCHEMA = schema()


def used(sql):
    return {f"{c.table}.{c.column}" for c in read_usage(sql, SCHEMA).columns}


def compared(sql):
    return {(c.column, c.value) for c in read_usage(sql, SCHEMA).cells}


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT NAME FROM singer", {"Singer.Name"}),
        ("SELECT COUNT(*) FROM singer", set()),
        ("SELECT * FROM concert", {"concert.id", "concert.Title", "concert.singer_id"}),
        ("SELECT T1.* FROM concert AS T1 JOIN Singer T2 ON T1.singer_id = T2.id",
         {"concert.id", "concert.Title", "concert.singer_id", "Singer.Id"}),
        ("SELECT title FROM concert NATURAL JOIN singer", {"concert.Title", "concert.id", "Singer.Id"}),
        ("SELECT title FROM concert JOIN singer USING (id)", {"concert.Title", "concert.id", "Singer.Id"}),
        ("WITH c AS (SELECT name AS n FROM singer) SELECT n z FROM c ORDER BY z", {"Singer.Name"}),
        ("SELECT x.n FROM (SELECT name n, country FROM singer) x", {"Singer.Name", "Singer.Country"}),
        ("SELECT name FROM singer WHERE id NOT IN (SELECT singer_id FROM concert)",
         {"Singer.Name", "Singer.Id", "concert.singer_id"}),
        ("SELECT name FROM singer s WHERE EXISTS (SELECT 1 FROM concert WHERE singer_id = s.id)",
         {"Singer.Name", "Singer.Id", "concert.singer_id"}),
        ("SELECT country, COUNT(*) AS n FROM singer GROUP BY 1 HAVING n > 2 ORDER BY n", {"Singer.Country"}),
        ("SELECT name FROM singer UNION SELECT title FROM concert ORDER BY name", {"Singer.Name", "concert.Title"}),
        ('SELECT "A B" FROM "My Table 😀" WHERE [order] > 1', {"my table 😀.a b", "my table 😀.order"}),
        ("SELECT Name, country FROM singer ORDER BY country DESC", {"Singer.Name", "Singer.Country"}),
        ("SELECT country, COUNT(*) FROM singer GROUP BY country ORDER BY COUNT(*)", {"Singer.Country"}),
        ("SELECT name FROM french", {"french.Name"}),
        ("SELECT MAX(id), rowid FROM singer", {"Singer.Id"}),
    ],
)  # fmt: skip
def test_columns_that_a_statement_reads(sql, columns):
    assert used(sql) == columns


@pytest.mark.parametrize(
    ("sql", "cells"),
    [
        ("SELECT id FROM singer WHERE country = 'France'", {("Country", "France")}),
        ("SELECT id FROM singer WHERE 'France' <> country", {("Country", "France")}),
        ('SELECT id FROM singer WHERE country != "little lever"', {("Country", "little lever")}),
        ('SELECT id FROM singer WHERE country = "Name"', set()),
        ("SELECT id FROM singer WHERE country IN ('A', 'B', 3)", {("Country", "A"), ("Country", "B")}),
        ("SELECT id FROM singer WHERE country LIKE 'fra%' OR name LIKE 'Ann'", {("Name", "Ann")}),
        ("SELECT id FROM singer WHERE LOWER(TRIM(country)) = 'france'", {("Country", "france")}),
        ("SELECT SUM(CASE country WHEN 'X' THEN 1 ELSE 0 END), SUM(name = 'Y') FROM singer",
         {("Country", "X"), ("Name", "Y")}),
        ("SELECT id FROM singer WHERE name BETWEEN 'A' AND 'B' OR name > 'C' OR name = '' OR id = 3", set()),
        ("SELECT id FROM singer s WHERE s.name = 'It''s' AND strftime('%Y', name) = '2020'", {("Name", "It's")}),
    ],
)  # fmt: skip
def test_strings_that_a_statement_compares_columns_with(sql, cells):
    assert compared(sql) == cells


@pytest.mark.parametrize(
    "sql",
    ["SELEC x", "", "SELECT ghost FROM singer", "SELECT 1 FROM ghosts", "DELETE FROM singer", "SELECT (" * 3000],
)
def test_what_cannot_be_analysed_says_so(sql):
    with pytest.raises(UnreadableSQL):
        read_usage(sql, SCHEMA)


class Nothing:
    def lookup(self, texts, limit=10):
        return [[] for _ in texts]

    def search(self, texts, limit=10, **_):
        return [[] for _ in texts]


CONTEXT = DatabaseContext(Database("music", "", "", 0, "", "", ""), SCHEMA, (), (), Nothing(), Nothing(), Nothing())
GOLD = "SELECT name FROM singer WHERE country = 'France'"


def question(sql=GOLD):
    return Question("1", "music", "Who is French?", "", sql, "", "dev")


def grounding(*matches):
    return Grounding("1", "music", (), (), "", matches, (), ())


def linking(*names):
    links = tuple(Link("Singer", name, view, 1.0, ()) for view, name in names)
    return Linking("1", "music", links, 8, "")


def measure(sql, matches, names):
    recalls = measure_recall([question(sql)], [grounding(*matches)], [linking(*names)], CONTEXT)
    check(to_table(recalls, Recall), "recalls")
    return recalls[0]


def test_views_are_measured_apart():
    recall = measure(GOLD, [], [(1, "Name"), (2, "Country"), (2, "Id")])
    assert recall.missing_s1 == (ColumnName("Singer", "Country"),)
    assert recall.missing_s2 == ()
    assert (recall.kept_s1, recall.kept_s2, recall.columns_total) == (1, 3, 8)


@pytest.mark.parametrize(
    ("column", "value", "is_found"),
    [("Country", "France", True), ("Country", "FRANCE", True), ("Name", "France", False), ("Country", "Franc", False)],
)
def test_cell_counts_in_its_column_whatever_its_case(column, value, is_found):
    recall = measure(GOLD, [CellMatch("x", "Singer", column, value, 1.0, "exact")], [(1, "Name")])
    assert (recall.missing_cells == ()) is is_found
    assert len(recall.gold_cells) == 1


def test_broken_gold_is_an_error_and_counts_nowhere():
    recalls = [measure("SELECT ghost FROM singer", [], []), measure(GOLD, [], [(1, "Name"), (1, "Country")])]
    assert "no such column: ghost" in recalls[0].error
    summary = summarise_recall(recalls, view=1)
    assert (summary.questions, summary.errors, summary.strict_recall, summary.precision) == (1, 1, 1.0, 1.0)


def test_missing_grounding_or_gold_is_an_error():
    assert "grounding" in measure_recall([question()], [], [linking()], CONTEXT)[0].error
    assert "gold SQL" in measure_recall([question(" ")], [grounding()], [linking()], CONTEXT)[0].error


def test_nothing_measured_sums_up_to_zero():
    summary = summarise_recall([])
    assert (summary.strict_recall, summary.cell_recall, summary.kept_share) == (0.0, 0.0, 0.0)
