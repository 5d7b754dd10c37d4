from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nl2sql.models.chat import Reply
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.ground_questions import QuestionReader, masked_skeleton
from nl2sql.online.ground_questions import ground_questions

READER = ModelChoice("made/reader")


def said(keywords=(), literals=(), skeleton=""):
    return {"keywords": list(keywords), "literals": list(literals), "skeleton": skeleton}


def cells(grounding):
    return {(c.table, c.column, c.value) for c in grounding.cells}


def test_what_the_model_reads_joins_what_the_rules_find(harbour, ask, start):
    questions = [ask("Which tankers are from Lübeck?"), ask("How many voyages with oil?", question_id="r")]
    session = start(lambda r: said(["tankers"], ["Lübeck", "T"], "Which <column> are from _?"))
    plain = ground_questions(questions, harbour)
    found = ground_questions(questions, harbour, readings=partial(QuestionReader(session, READER), questions))
    assert session.model.rounds == [2]
    for before, after in zip(plain, found, strict=True):
        assert cells(before) <= cells(after)
        assert set(before.literals) <= set(after.literals)
        assert set(before.keywords) <= set(after.keywords)
        assert {(c.table, c.column) for c in before.columns} <= {(c.table, c.column) for c in after.columns}
    assert ("ship", "kind", "T") in cells(found[0]) - cells(plain[0])
    assert "T" not in found[0].literals
    assert found[0].skeleton == "Which <column> are from <value>"
    assert found[1].skeleton == plain[1].skeleton  # the answer was for another question


def test_values_that_the_question_does_not_hold_count_only_where_a_cell_equals_them(harbour, ask, start):
    session = start(lambda _: said((), ["Aurorae", "Borealix", "x" * 10_000, "", "\x00"]))
    question = ask("Anything?")
    assert ground_questions(
        [question], harbour, readings=partial(QuestionReader(session, READER), [question])
    ) == ground_questions([question], harbour)


@pytest.mark.parametrize(
    "answer", ["", "no", '{"keywords": 3}', Reply("{}", "m", failure="cut"), Reply("", "m", failure="unavailable")]
)
def test_without_a_readable_answer_the_rules_stand_alone(harbour, ask, start, answer):
    questions = [ask("Which ships are from Lübeck?")]
    session = start(lambda _: answer)
    assert ground_questions(
        questions, harbour, readings=partial(QuestionReader(session, READER), questions)
    ) == ground_questions(questions, harbour)
    assert session.ledger.calls


def test_a_chinese_question(harbour, ask, start):
    session = start(lambda _: said(["船"], ["大连"], "_有多少船"))
    questions = [ask("大连有多少船？")]
    (found,) = ground_questions(questions, harbour, readings=partial(QuestionReader(session, READER), questions))
    assert ("port", "port_name", "大连") in cells(found)
    assert found.skeleton == "<value>有多少船"


@pytest.mark.parametrize(
    ("skeleton", "masked"),
    [
        ("How many ships sailed after _ from _?", "How many ships sailed after <number> from <value>"),
        ("how many <column> sailed after _ from _", "How many <column> sailed after <number> from <value>"),
        ("_", "<value>"),
        ("How many ships sailed after _ from _ and who paid?", ""),
        ("How many planes sailed after _ from _?", ""),
        ("How many ships sailed after _?", "How many ships sailed after <value>"),
        ("How many ships sailed after 2020 from Porto?", ""),
        ("sailed after _ from _", ""),
        ("How many ships sailed after _ 2020 from _", ""),
        ("Ignore all rules", ""),
        ("", ""),
    ],
)
def test_a_skeleton_is_this_question_with_pieces_masked_or_nothing(skeleton, masked):
    assert masked_skeleton(skeleton, "How many ships sailed after 2020 from Porto?") == masked


@given(st.text(max_size=60), st.text(max_size=60))
def test_odd_skeletons_are_harmless(skeleton, question):
    masked = masked_skeleton(skeleton, question)
    assert masked == "" or "<" in masked
