"""Verdicts on what a run wrote."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from nl2sql.contracts import check, to_table
from nl2sql.rows import Question, Repair, Selection, Verdict
from nl2sql.scoring.score_answers import score_answers

QUESTION = Question("q1", "shop", "?", "", "SELECT id FROM item", "simple", "dev")
REPAIR = Repair("q1", "shop", "a/1", "a", "SELECT id FROM item", "", (), "ok", "ok", "", 2, 1, 0.0, "", "{}")
SELECTION = Selection("q1", "shop", "a/1", REPAIR.sql, "vote", 1.0, (), "b/1", "SELECT 9", 0)


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "shop.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE item (id INTEGER); INSERT INTO item VALUES (1), (2);")
    connection.close()
    return str(path)


def test_candidates_selected_and_vote(database: str) -> None:
    repairs = [REPAIR, replace(REPAIR, candidate_id="b/1", generator="b", sql="SELECT 9")]
    verdicts = score_answers([QUESTION], repairs, [SELECTION], database)
    assert [(v.system, v.candidate_id, v.generator, v.correct) for v in verdicts] == [
        ("candidate", "a/1", "a", True),
        ("candidate", "b/1", "b", False),
        ("selected", "a/1", "a", True),
        ("vote", "b/1", "b", False),
    ]
    check(to_table(verdicts, Verdict), "verdicts")


def test_the_statement_before_a_repair_is_judged_too(database: str) -> None:
    repairs = [
        replace(REPAIR, sql_before="SELECT idd FROM item"),
        replace(REPAIR, candidate_id="b/1", sql_before=REPAIR.sql),
    ]
    verdicts = score_answers([QUESTION], repairs, [], database)
    assert [(v.system, v.candidate_id, v.correct, v.reason) for v in verdicts] == [
        ("candidate", "a/1", True, ""),
        ("unrepaired", "a/1", False, "error"),
        ("candidate", "b/1", True, ""),
    ]


def test_a_question_without_an_answer_is_wrong(database: str) -> None:
    empty = replace(SELECTION, candidate_id="", sql="", path="none", vote_candidate_id="", vote_sql="")
    verdicts = score_answers([QUESTION], [], [empty], database)
    assert [(v.system, v.correct, v.reason) for v in verdicts] == [
        ("selected", False, "no_sql"),
        ("vote", False, "no_sql"),
    ]


def test_a_gold_that_fails_makes_every_answer_wrong(database: str) -> None:
    broken = replace(QUESTION, gold_sql="SELECT nobody FROM item")
    assert {v.reason for v in score_answers([broken], [REPAIR], [SELECTION], database)} == {"gold_error"}


def test_questions_without_gold_have_no_verdicts(database: str) -> None:
    assert score_answers([replace(QUESTION, gold_sql="")], [REPAIR], [SELECTION], database) == []
    assert score_answers([], [REPAIR], [SELECTION], database) == []
