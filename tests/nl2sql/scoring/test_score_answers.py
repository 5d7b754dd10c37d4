"""Verdicts on what a run wrote."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from nl2sql.contracts import check, to_table
from nl2sql.execution import execute
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


def test_a_result_that_is_known_to_be_the_golds_is_not_asked_for_again(database: str) -> None:
    digest = execute(database, "SELECT id FROM item").digest
    other = execute(database, "SELECT 9").digest
    known = [
        replace(REPAIR, sql="SELECT gone FROM item", result_digest=digest),
        replace(REPAIR, candidate_id="b/1", sql="SELECT id, id FROM item", result_digest=other),
    ]
    verdicts = score_answers([QUESTION], known, [], database)
    assert [(v.candidate_id, v.correct, v.reason) for v in verdicts] == [
        ("a/1", True, ""),
        ("b/1", False, "extra_column"),
    ]
    repeated = replace(known[0], row_count=3)
    assert score_answers([QUESTION], [repeated], [], database)[0].detail.startswith("3 rows where the gold has 2")
    twice = replace(
        QUESTION, question_id="q2", gold_sql="SELECT 1"
    )  # the same statement, wrong elsewhere: it is executed
    both = score_answers([QUESTION, twice], [known[0], replace(known[0], question_id="q2")], [], database)
    assert {v.reason for v in both} == {"error"}


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
