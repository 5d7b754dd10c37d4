import pytest

from nl2sql.contracts import check
from nl2sql.indexes.examples import ExampleIndex, index_examples
from nl2sql.rows import Question


def question(id_, db, text, sql="SELECT a FROM t WHERE b = 'x'"):
    return Question(id_, db, text, "", sql, "", "train")


@pytest.fixture
def index(letters):
    questions = [
        question("1", "zoo", "How many lions live in Berlin?"),
        question("2", "zoo", "List all keepers."),
        question("3", "shop", "How many shoes are sold in Paris?"),
        question("4", "shop", "No gold here", ""),
        question("1", "shop", "An id that was there before"),
    ]
    table = check(index_examples(questions, letters), "examples")
    assert table["question_id"].to_pylist() == ["1", "2", "3"]
    return ExampleIndex(table, letters)


def test_questions_are_masked_before_they_are_embedded(index):
    (hits,) = index.search(["How many lions live in <value>?"], limit=1)
    assert (hits[0].question_id, hits[0].sql) == ("1", "SELECT a FROM t WHERE b = 'x'")
    assert hits[0].score == pytest.approx(1, abs=1e-5)


def test_excluded_databases_and_questions_never_come_back(index):
    text = ["How many lions live in <value>?"]
    assert {h.db_id for h in index.search(text, 10, exclude_databases=["zoo"])[0]} == {"shop"}
    assert {h.question_id for h in index.search(text, 10, exclude_questions=["1"])[0]} == {"2", "3"}
    own_words = "How many lions live in Berlin?"
    assert {h.question_id for h in index.search(text, 10, exclude_questions=[own_words])[0]} == {"2", "3"}
    assert index.search(text, 10, exclude_databases=["zoo", "shop"]) == [[]]


def test_an_empty_index_and_no_questions(index, letters):
    empty = check(index_examples([], letters), "examples")
    assert ExampleIndex(empty, letters).search(["x"]) == [[]]
    assert index.search([]) == []
