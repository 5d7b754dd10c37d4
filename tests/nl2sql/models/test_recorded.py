import sqlite3
from dataclasses import dataclass

import pytest

from nl2sql.models.generator import Asked, Generator
from nl2sql.models.recorded import record, unused
from nl2sql.online.context import DatabaseContext
from nl2sql.rows import Database, Grounding, Linking, Question
from nl2sql.schema import read_schema


@dataclass(frozen=True)
class Line:
    question_id: str
    db_id: str
    sql: str
    model: str


class NoSearch:
    def lookup(self, texts, limit=10):
        return [[] for _ in texts]

    def search(self, texts, limit=10, **_):
        return [[] for _ in texts]


@pytest.fixture(scope="module")
def context():
    schema = read_schema(sqlite3.connect(":memory:"), "shop")
    nothing = NoSearch()
    return DatabaseContext(Database("shop", "", "", 0, "", "", ""), schema, (), (), nothing, nothing, nothing)


def asked(question_id="7", db_id="shop"):
    return Question(question_id, db_id, "How many?", "", "", "", "dev")


def replay(lines, context, question=None):
    question = question or asked()
    grounding = Grounding(question.question_id, question.db_id, (), (), "", (), (), ())
    linking = Linking(question.question_id, question.db_id, (), 0, "")
    generator: Generator = record(lines)
    return generator.generate([Asked(question, grounding, linking)], context)[0]


def test_each_model_becomes_a_generator_of_its_own(context):
    lines = [Line("7", "shop", f"SELECT {i}", f"system {i}") for i in range(43)]
    found = replay(lines, context)
    assert [c.sql for c in found] == [f"SELECT {i}" for i in range(43)]
    assert found[2].generator == "recorded:system 2"
    assert found[2].model == "system 2"
    assert found[2].candidate_id == "recorded:system 2/1"


def test_a_second_line_of_a_model_is_its_second_sample_even_with_equal_sql(context):
    lines = [Line("7", "shop", "SELECT 1", "a"), Line("7", "shop", "SELECT 2", "b"), Line("7", "shop", "SELECT 1", "a")]
    found = replay(lines, context)
    assert [(c.generator, c.sample) for c in found] == [("recorded:a", 1), ("recorded:b", 1), ("recorded:a", 2)]
    assert len({c.candidate_id for c in found}) == 3


def test_stages_of_a_system_keep_ids_apart(context):
    lines = [Line("7", "shop", "SELECT 1", "RSL/a"), Line("7", "shop", "SELECT 1", "RSL/a/1")]
    assert [c.candidate_id for c in replay(lines, context)] == ["recorded:RSL/a/1", "recorded:RSL/a/1/1"]


def test_sql_for_another_database_is_left_out_and_counted(context):
    lines = [Line("7", "zoo", "SELECT 1", "a"), Line("7", "SHOP", "SELECT 2", "b"), Line("7", "", "SELECT 3", "c")]
    assert [c.sql for c in replay(lines, context)] == ["SELECT 2", "SELECT 3"]
    assert unused(record(lines), [asked()])["other_database"] == 1


def test_a_question_without_predictions_has_no_candidates(context):
    lines = [Line("8", "shop", "SELECT 1", "a")]
    assert replay(lines, context) == []
    assert unused(record(lines), [asked()]) == {
        "unknown_question": 1,
        "other_database": 0,
        "question_without_prediction": 1,
    }


def test_ids_that_a_file_holds_as_numbers_meet_those_that_are_text(context):
    lines = [Line(7, "shop", "SELECT 1", "")]  # type: ignore[arg-type]
    (candidate,) = replay(lines, context)
    assert candidate.generator == "recorded:unnamed"
    assert candidate.question_id == "7"


def test_blank_sql_stays_as_the_failure_that_it_is(context):
    assert [c.sql for c in replay([Line("7", "shop", " ", "a")], context)] == [" "]
