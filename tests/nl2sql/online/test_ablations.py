"""What stands in for a step that is switched off."""

from dataclasses import replace

from nl2sql.contracts import check, to_table
from nl2sql.online.ablations import keep_all_columns, take_first
from nl2sql.rows import Linking, Question, Repair, Selection
from nl2sql.schema import Column, Schema, Table

QUESTION = Question("1", "d", "?", "", "", "", "dev")
SCHEMA = Schema("d", (Table("t", (Column("a", "TEXT", 0), Column("b", "TEXT", 0)), False),), ())
FAILED = Repair("1", "d", "x/1", "x", "SELEC", "SELEC", (), "error", "error", "syntax", 0, 0, 0.0, "", "{}")
RAN = replace(FAILED, candidate_id="y/1", sql="SELECT 1", outcome="ok", result_digest="one")


def test_every_column_is_kept_alike() -> None:
    (linking,) = keep_all_columns([QUESTION], SCHEMA)
    assert [(link.column, link.view, link.score) for link in linking.links] == [("a", 1, 0.0), ("b", 1, 0.0)]
    assert linking.columns_total == 2
    check(to_table([linking], Linking), "linkings")


def test_the_first_candidate_is_taken_even_when_it_failed() -> None:
    (selection,) = take_first([QUESTION], [FAILED, RAN])
    assert (selection.candidate_id, selection.path) == ("x/1", "first")
    assert (selection.vote_candidate_id, selection.vote_sql) == ("y/1", "SELECT 1")
    check(to_table([selection], Selection), "selections")


def test_a_question_without_candidates_has_no_answer() -> None:
    (selection,) = take_first([QUESTION], [replace(RAN, question_id="2")])
    assert (selection.path, selection.sql, selection.vote_sql) == ("none", "", "")
