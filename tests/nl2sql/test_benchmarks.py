"""Layouts are recognised by what is there; what is missing or malformed is named."""

import json
import sqlite3
from pathlib import Path

import pytest

from nl2sql.benchmarks import describe_database, load_benchmark
from nl2sql.errors import UserError

SHARED = Path(__file__).parents[3] / "shared" / "data"
shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the real benchmarks are not on this machine")


def make_database(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT)")
        connection.execute("INSERT INTO item VALUES (1, 'lamp')")
    connection.close()
    return path


@pytest.fixture
def bird(tmp_path) -> Path:
    make_database(tmp_path / "dev_databases" / "shop" / "shop.sqlite")
    question = {"question_id": 7, "db_id": "shop", "question": "How many?", "SQL": "SELECT COUNT(*) FROM item"}
    (tmp_path / "dev.json").write_text(json.dumps([question]))
    return tmp_path


@pytest.fixture
def spider(tmp_path) -> Path:
    make_database(tmp_path / "database" / "shop" / "shop.sqlite")
    question = {"db_id": "shop", "question": "How many?", "query": "SELECT COUNT(*) FROM item"}
    (tmp_path / "dev.json").write_text(json.dumps([question, question]))
    return tmp_path


def rewrite(folder: Path, change) -> None:
    questions = json.loads((folder / "dev.json").read_text())
    change(questions)
    (folder / "dev.json").write_text(json.dumps(questions))


def test_bird_is_recognised(bird):
    benchmark = load_benchmark(bird)
    (question,) = benchmark.questions
    assert (benchmark.name, question.question_id, question.evidence) == ("BIRD", "7", "")
    assert question.gold_sql.startswith("SELECT")
    assert benchmark.empty_is_wrong


def test_mini_dev_is_recognised_and_a_folder_around_it_will_do(bird):
    (bird / "dev.json").rename(bird / "mini_dev_sqlite.json")
    assert load_benchmark(bird).name == "BIRD mini-dev"
    outer = bird.rename(bird.parent / "inner")
    (bird / "minidev").parent.mkdir()
    outer.rename(bird / "minidev")
    assert load_benchmark(bird).name == "BIRD mini-dev"


def test_spider_is_recognised_and_ids_are_places(spider):
    benchmark = load_benchmark(spider)
    assert benchmark.name == "Spider"
    assert [q.question_id for q in benchmark.questions] == ["0", "1"]
    assert not benchmark.empty_is_wrong


def test_a_bare_file_is_a_database_without_questions(tmp_path):
    benchmark = load_benchmark(make_database(tmp_path / "my shop #1?.db"))
    assert benchmark.questions == ()
    assert benchmark.databases[0].db_id == "my shop #1?"


def test_train_questions_serve_as_examples_under_ids_of_their_own(bird):
    (bird / "train.json").write_text((bird / "dev.json").read_text())
    benchmark = load_benchmark(bird)
    assert [e.question_id for e in benchmark.examples] == ["train/7"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{", "not JSON at line 1, column 3"),
        ('{"a": 1}', "should hold a JSON list"),
        ("[7]", "entry 0 should be an object"),
        ('[{"db_id": "shop"}]', "entry 0 has no text 'question'"),
        ('[{"question": "x", "db_id": 3}]', "entry 0 has no text 'db_id'"),
    ],
)
def test_a_malformed_question_file_is_named_with_the_place(bird, text, message):
    (bird / "dev.json").write_text(text)
    with pytest.raises(UserError, match=r"dev\.json.*" + message):
        load_benchmark(bird)


def test_a_question_file_that_is_not_utf8_says_where(bird):
    (bird / "dev.json").write_bytes(b'[{"question": "\xff"}]')
    with pytest.raises(UserError, match="not UTF-8 at byte 15"):
        load_benchmark(bird)


def test_a_byte_order_mark_is_fine(bird):
    (bird / "dev.json").write_bytes(b"\xef\xbb\xbf" + (bird / "dev.json").read_bytes())
    assert len(load_benchmark(bird).questions) == 1


def test_missing_halves_are_named(bird, tmp_path):
    (bird / "dev.json").rename(bird / "old.json")
    with pytest.raises(UserError, match=r"has dev_databases/ but not"):
        load_benchmark(bird)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UserError, match="not a benchmark that is known"):
        load_benchmark(empty)
    with pytest.raises(UserError, match="no such file or folder"):
        load_benchmark(tmp_path / "nowhere")


def test_repeated_ids_are_kept_apart_and_reported(bird):
    rewrite(bird, lambda questions: questions.append(dict(questions[0], question="Another?")))
    benchmark = load_benchmark(bird)
    assert [q.question_id for q in benchmark.questions] == ["7", "7#2"]
    assert "more than once" in benchmark.problems[0].what


def test_a_missing_database_is_reported_and_its_questions_left_out(bird):
    rewrite(bird, lambda questions: questions.append(dict(questions[0], question_id=8, db_id="gone")))
    benchmark = load_benchmark(bird)
    assert [q.question_id for q in benchmark.questions] == ["7"]
    assert "gone.sqlite" in benchmark.problems[0].where
    assert not (bird / "dev_databases" / "gone").exists()


def test_a_corrupt_database_is_reported(bird):
    path = bird / "dev_databases" / "shop" / "shop.sqlite"
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4000)
    with pytest.raises(UserError, match=r"none of the 1 databases.*shop\.sqlite"):
        load_benchmark(bird)


def test_a_db_id_is_never_a_path(bird):
    make_database(bird / "outside" / "outside.sqlite")
    rewrite(bird, lambda questions: questions.append(dict(questions[0], question_id=8, db_id="../outside")))
    benchmark = load_benchmark(bird)
    assert [d.db_id for d in benchmark.databases] == ["shop"]


def test_an_unknown_database_lists_those_that_are_there(bird):
    with pytest.raises(UserError, match=r"no database 'shp'.*there are shop"):
        load_benchmark(bird, databases=["shp"])


def test_a_text_file_is_not_a_database(tmp_path):
    path = tmp_path / "notes.sqlite"
    path.write_text("hello")
    with pytest.raises(UserError, match="not an SQLite database"):
        load_benchmark(path)


def test_the_digest_notices_changes_of_the_data_and_of_the_descriptions(bird):
    path = bird / "dev_databases" / "shop" / "shop.sqlite"
    before = describe_database("shop", path)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("INSERT INTO item VALUES (2, 'desk')")
    connection.close()
    changed = describe_database("shop", path)
    assert changed.sha256 != before.sha256
    (path.parent / "database_description").mkdir()
    (path.parent / "database_description" / "item.csv").write_text("original_column_name\nid\n")
    assert describe_database("shop", path).description_sha256 != changed.description_sha256


@shared
def test_the_real_benchmarks_load():
    bird, spider = load_benchmark(SHARED / "bird"), load_benchmark(SHARED / "spider")
    assert (bird.name, len(bird.questions), len(bird.examples)) == ("BIRD", 287, 6601)
    assert (spider.name, len(spider.questions), len(spider.databases)) == ("Spider", 491, 10)
    assert not bird.problems
    assert not spider.problems
