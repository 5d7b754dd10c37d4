import json
import shutil

import pytest

from nl2sql.errors import UserError
from nl2sql.training.training_split import assign_parts, load_training


def entry(number, db_id, sql="SELECT COUNT(*) FROM animal"):
    return {"question_id": number, "db_id": db_id, "question": f"Question {number}?", "evidence": "", "SQL": sql}


@pytest.fixture
def bird(zoo, tmp_path):
    """A benchmark in BIRD's layout, with a train split whose databases may be there or not."""

    def make(train=(), dev=None, train_databases=()):
        for folder, names in (("dev_databases", ["dev_zoo"]), ("train_databases", train_databases)):
            for name in names:
                place = tmp_path / folder / name / f"{name}.sqlite"
                place.parent.mkdir(parents=True)
                shutil.copy(zoo.path, place)
        (tmp_path / "dev.json").write_text(json.dumps(dev or [entry(1, "dev_zoo")]))
        (tmp_path / "train.json").write_text(json.dumps(list(train)))
        return str(tmp_path)

    return make


def test_questions_with_and_without_their_database(bird):
    split = load_training(bird([entry(1, "zoo"), entry(2, "gone")], train_databases=["zoo"]))
    assert [(q.question_id, q.db_id) for q in split.questions] == [("1", "zoo")]
    assert [(q.question_id, q.db_id) for q in split.homeless] == [("train/2", "gone")]
    assert [q.db_id for q in split.dev] == ["dev_zoo"]
    assert split.empty_is_wrong


def test_without_any_database_all_are_homeless(bird):
    split = load_training(bird([entry(1, "zoo"), entry(2, "gone"), entry(2, "gone")]))
    assert (len(split.questions), len(split.homeless)) == (0, 2)  # the second 2 is the same question


def test_only_the_databases_asked_for(bird):
    path = bird([entry(1, "zoo"), entry(2, "gone")], train_databases=["zoo"])
    assert [q.db_id for q in load_training(path, ["zoo"]).homeless] == []
    assert [q.db_id for q in load_training(path, ["gone"]).homeless] == ["gone"]


@pytest.mark.parametrize("train", [[], [entry(1, "zoo", sql="")], [entry(1, "zoo", sql=None)]])
def test_an_empty_training_split_is_said_in_one_line(bird, train):
    with pytest.raises(UserError, match=r"no training questions with SQL: they are read from train\.json"):
        load_training(bird(train))


def test_a_folder_that_is_no_benchmark_is_said(tmp_path):
    with pytest.raises(UserError, match="not a benchmark"):
        load_training(str(tmp_path))


def questions_of(ask, sizes):
    return [ask(f"{db}/{i}", "?", "SELECT 1", "", db) for db, size in sizes.items() for i in range(size)]


def test_parts_share_no_database_and_have_about_their_shares(ask):
    questions = questions_of(ask, {f"db{n}": 10 + n for n in range(40)})
    parts = assign_parts(questions, {"valid": 0.1, "test": 0.1}, seed=3)
    by_part = {p: {q.db_id for q in questions if parts[q.question_id] == p} for p in ("train", "valid", "test")}
    assert sum(map(len, by_part.values())) == len(set().union(*by_part.values())) == 40
    shares = [sum(parts[q.question_id] == p for q in questions) / len(questions) for p in ("valid", "test")]
    assert all(0.06 < share <= 0.1 for share in shares)
    assert parts == assign_parts(questions, {"valid": 0.1, "test": 0.1}, seed=3)
    assert parts != assign_parts(questions, {"valid": 0.1, "test": 0.1}, seed=4)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"a": 5, "b": 90, "c": 5}, {"train": 1, "valid": 1, "test": 1}),
        ({"a": 50, "b": 51}, {"train": 1, "valid": 1}),
    ],
)
def test_few_databases_give_each_part_one(ask, sizes, expected):
    questions = questions_of(ask, sizes)
    parts = assign_parts(questions, {"valid": 0.1, "test": 0.1})
    found = {p: len({q.db_id for q in questions if parts[q.question_id] == p}) for p in set(parts.values())}
    assert found == expected
    assert parts["b/0"] == "train"  # the largest is never held out


def test_the_questions_of_a_single_database_are_drawn(ask):
    parts = assign_parts(questions_of(ask, {"a": 400}), {"valid": 0.1, "test": 0.2})
    counts = [list(parts.values()).count(p) for p in ("valid", "test")]
    assert 20 < counts[0] < 55 < counts[1] < 110


def test_no_share_no_part(ask):
    assert set(assign_parts(questions_of(ask, {"a": 5, "b": 9}), {"valid": 0, "test": 0}).values()) == {"train"}
