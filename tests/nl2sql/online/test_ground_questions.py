import time

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc

from nl2sql.contracts import check, from_table, to_table
from nl2sql.online.find_literals import find_literals, read_document
from nl2sql.online.ground_questions import ground_questions
from nl2sql.rows import Grounding


def cells(context, question):
    return {(c.table, c.column, c.value) for c in ground_questions([question], context)[0].cells}


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("Who attended the 'Women's Soccer' event?", "Women's Soccer"),
        ('Who attended "October Meeting"?', "October Meeting"),
        ("Who was at “900 E. Washington St.”?", "900 E. Washington St."),
        ("The members' list of `` Little Lever '' please", "Little Lever"),
        ("Was Luisa de la Cruz there?", "Luisa de la Cruz"),
        ("How many cost more than 1,250.50 dollars?", "1250.50"),
        ("Who came on September 10th, 2019?", "September 10th, 2019"),
        ("Who bought part AB-1204/7?", "AB-1204/7"),
    ],
)
def test_literal_is_read_as_written(text, literal):
    assert literal in find_literals(text).literals


def test_possessive_apostrophes_quote_nothing():
    assert find_literals("the members' names and the events' dates").literals == ()


@pytest.mark.parametrize(
    ("evidence", "bound"),
    [
        ("medium refers to t_shirt_size = 'Medium' where x > 3", ("t_shirt_size", "Medium")),
        ("`Product Name` = 'Ann's Choice'", ("Product Name", "Ann's Choice")),
        ("state = New York; other", ("state", "New York")),
        ("position ! = 'Member'", ("position", "Member")),
    ],
)
def test_evidence_binds_values_to_columns(evidence, bound):
    assert bound in find_literals("", evidence).bound


def test_formula_is_no_value():
    assert find_literals("", "average = DIVIDE(SUM(cost), COUNT(id))").bound == ()


def test_noun_phrases_become_keywords_when_the_text_was_parsed():
    words = ["List", "the", "oldest", "members"]
    document = Doc(
        spacy.blank("en").vocab,
        words=words,
        heads=[0, 3, 3, 0],
        deps=["ROOT", "det", "amod", "dobj"],
        pos=["VERB", "DET", "ADJ", "NOUN"],
    )
    assert read_document(document).keywords == ("oldest members",)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("who is the vice president?", ("member", "position", "Vice President")),
        ("how many meetings were held?", ("event", "type", "Meeting")),
        ("events on 9/10/2019", ("event", "event_date", "2019-09-10")),
        ("Who came to the Octobre Meeting?", ("event", "event_name", "October Meeting")),
        ("How many female members?", ("member", "sex", "F")),
        ("the French cities", ("city", "country", "France")),
        ("people of zurich", ("city", "name", "Zürich")),
        ("北京有多少人？", ("city", "name", "北京")),
        ("events of recF6g7H8i9J0", ("attendance", "link_to_member", "recF6g7H8i9J0")),
    ],
)
def test_cell_is_found(club, ask, text, cell):
    assert cell in cells(club, ask(text))


def test_evidence_gives_a_value_that_no_index_holds(club, ask):
    found = ground_questions([ask("big ones", "big refers to iban = 'XX99'")], club)[0].cells
    match = next(c for c in found if c.value == "XX99")
    assert (match.table, match.column, match.method) == ("supplier", "iban", "evidence")


def test_fuzzy_neighbours_of_an_exact_cell_are_cut(club, ask):
    assert cells(club, ask("the 'Meeting' type")) == {("event", "type", "Meeting")}


def test_examples_leave_out_the_question_itself_and_its_database(club, ask):
    own = ask("How many orders were made in 2020?")
    same = ask("Which members attended the Women's Soccer?", question_id="other")
    groundings = ground_questions([own, same], club)
    assert {e.question_id for e in groundings[0].examples} == {"3"}
    assert all(e.db_id != "club" for g in groundings for e in g.examples)
    mixed = ground_questions([own, same], club, same_database_examples=True)
    assert {e.question_id for e in mixed[0].examples} == {"2", "3"}
    assert {e.question_id for e in mixed[1].examples} == {"1", "3"}


def test_batch_gives_what_single_questions_give(club, ask):
    questions = [ask("vice president?", question_id="1"), ask("", question_id="2"), ask("Zürich", question_id="3")]
    together = ground_questions(questions, club)
    assert [g.question_id for g in together] == ["1", "2", "3"]
    for question, grounding in zip(questions, together, strict=True):
        alone = ground_questions([question], club)[0]
        assert (alone.cells, alone.literals, alone.skeleton) == (
            grounding.cells,
            grounding.literals,
            grounding.skeleton,
        )


def test_each_index_is_asked_once_per_batch(club, ask):
    class Counting:
        calls = 0

        def __init__(self, inner):
            self.inner = inner

        def lookup(self, texts, limit=10):
            Counting.calls += 1
            return self.inner.lookup(texts, limit)

    context = type(club)(**{**vars(club), "cells": Counting(club.cells)})
    ground_questions([ask(f"question {i} on Zürich", question_id=str(i)) for i in range(20)], context)
    assert Counting.calls == 1


def test_empty_batch_and_empty_question(club, ask):
    assert ground_questions([], club) == []
    grounding = ground_questions([ask("")], club)[0]
    assert (grounding.literals, grounding.cells, grounding.columns) == ((), (), ())


def test_long_question_is_bounded_and_keeps_its_end(club, ask):
    text = "Some 'pasted' Text with Many Names 12 " * 3000 + " Who is the vice president?"
    start = time.perf_counter()
    grounding = ground_questions([ask(text, text)], club)[0]
    assert time.perf_counter() - start < 5
    assert len(grounding.literals) <= 60
    assert len(grounding.cells) <= 60


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=80), evidence=st.text(max_size=80))
def test_any_text_gives_a_grounding_that_keeps_its_contract(club, ask, text, evidence):
    groundings = ground_questions([ask(text, evidence)], club)
    table = check(to_table(groundings, Grounding), "groundings")
    assert len(from_table(table, Grounding)) == 1


def test_database_without_tables_grounds_to_nothing(build_context, ask):
    grounding = ground_questions([ask("Who is 'Ann'?")], build_context("", "empty"))[0]
    assert grounding.cells == grounding.columns == ()
