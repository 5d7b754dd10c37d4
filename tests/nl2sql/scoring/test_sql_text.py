"""SQL as text: counted and put on one line without changing what it means."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nl2sql.scoring.sql_text import count_statements, first_word, one_line, pieces


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("", 0),
        (" ;; -- nothing\n/* at all */;", 0),
        ("SELECT 1", 1),
        ("SELECT 1;", 1),
        ("SELECT 1; -- done", 1),
        ("SELECT ';'", 1),
        ('SELECT "a;b", [c;d], `e;f`', 1),
        ("SELECT 1 /* ; */ + 1", 1),
        ("SELECT 1; SELECT 2", 2),
        ("SELECT 'unfinished; SELECT 2", 1),
        ("SELECT 1 /* unfinished; SELECT 2", 1),
        ("SELECT 'it''s; fine'; DROP TABLE t;", 2),
    ],
)
def test_count_statements(sql: str, count: int) -> None:
    assert count_statements(sql) == count


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("SELECT a,\n\tb\r\nFROM t;\n", "SELECT a, b FROM t"),
        ("SELECT 1 -- the first\n+ 2", "SELECT 1 + 2"),
        ("SELECT 1 /* a\nb */ + 2 ; ; ", "SELECT 1 + 2"),
        ("SELECT 'two  spaces'", "SELECT 'two  spaces'"),
        ("SELECT 'a\nb'", "SELECT ('a' || char(10) || 'b')"),
        ("SELECT '\t'", "SELECT (char(9))"),
        ("SELECT 'unfinished\n", "SELECT 'unfinished"),
        ("SELECT '-- no comment'", "SELECT '-- no comment'"),
        ("SELECT ';'", "SELECT ';'"),
    ],
)
def test_one_line(sql: str, line: str) -> None:
    assert one_line(sql) == line


def test_first_word() -> None:
    assert first_word("/* x */ select a") == "SELECT"
    assert first_word("(SELECT 1)").startswith("(")
    assert first_word("-- only") == ""


@given(st.text(alphabet=" '\"`[]-/*;\n\t\rab%", max_size=40))
def test_pieces_lose_nothing(sql: str) -> None:
    assert "".join(text for _, text in pieces(sql)) == sql


@given(st.text(alphabet="ab'\n\t\r;-/*", max_size=20), st.sampled_from(["\n", "\t", " -- x;\n", "/* '\n */", "\r\n"]))
def test_one_line_keeps_the_value(value: str, gap: str) -> None:
    quoted = value.replace("'", "''")
    line = one_line(f"SELECT{gap}'{quoted}'{gap};")
    assert not set(line) & set("\t\n\r")
    assert sqlite3.connect(":memory:").execute(line).fetchall() == [(value,)]
