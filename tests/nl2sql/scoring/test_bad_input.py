"""Predictions that should not be: each is a wrong answer with a reason, nothing is written and scoring goes on."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from nl2sql.benchmarks import describe_database
from nl2sql.rows import Database, Question
from nl2sql.scoring.execution_accuracy import SCORING_LIMITS, Scores, score_predictions
from nl2sql.scoring.predictions import load_predictions
from nl2sql.scoring.validate_submission import validate_submission

LIMITS = replace(SCORING_LIMITS, seconds=0.5)
GOLD = "SELECT id FROM item"
QUESTION = Question("0", "shop", "?", "", GOLD, "simple", "dev")
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT"
BAD_SQL = [
    ("", "no_sql"),
    (" \r\n\t", "no_sql"),
    ("-- nothing", "no_sql"),
    ("/* nothing", "no_sql"),
    (";;", "no_sql"),
    ("SELECT id FROM item; SELECT id FROM item", "several_statements"),
    ("SELECT id FROM item; DROP TABLE item", "several_statements"),
    ("SELEC id FROM item", "syntax"),
    ("SELECT id FROM item WHERE (", "syntax"),
    ("SELECT id FROM item\0 -- rest", "error"),
    ("SELECT id FROM nobody", "error"),
    ("PRAGMA journal_mode = WAL", "forbidden"),
    ("PRAGMA user_version = 7", "forbidden"),
    ("PRAGMA wal_checkpoint(TRUNCATE)", "forbidden"),
    ("ATTACH 'other.sqlite' AS other", "forbidden"),
    ("DETACH main", "forbidden"),
    ("INSERT INTO item VALUES (3, 'x')", "forbidden"),
    ("WITH x AS (SELECT 1) INSERT INTO item SELECT 4, 'y' FROM x", "forbidden"),
    ("UPDATE item SET id = 0 RETURNING id", "forbidden"),
    ("DELETE FROM item", "forbidden"),
    ("REPLACE INTO item VALUES (1, 'z')", "forbidden"),
    ("DROP TABLE item", "forbidden"),
    ("CREATE TABLE other (x)", "forbidden"),
    ("CREATE TEMP TABLE other (x)", "forbidden"),
    ("ALTER TABLE item RENAME TO thing", "forbidden"),
    ("CREATE INDEX other ON item (id)", "forbidden"),
    ("ANALYZE", "forbidden"),
    ("VACUUM INTO 'other.sqlite'", "forbidden"),
    ("BEGIN EXCLUSIVE", "forbidden"),
    (f"{ENDLESS} sum(x) FROM c", "timeout"),
    (f"{ENDLESS} x FROM c LIMIT 10000000", "timeout"),
    ("SELECT zeroblob(2000000000)", "too_large"),
    ("SELECT x'00ff00'", "values"),
    ("SELECT zeroblob(3000000)", "values"),
    ("SELECT '\ud800' FROM item", "error"),
    ("SELECT '猫🐈' FROM item", "values"),
    ("SELECT " + "1+" * 5000 + "1", "error"),
    ("SELECT '" + "x" * 1_100_000 + "'", "error"),
]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    path = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE item (id, name); INSERT INTO item VALUES (1, 'pen'), (2, 'ink')")
    return describe_database("shop", path)


@pytest.fixture
def untouched(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the database, in which nothing may change."""
    folder = Path(database.path).parent
    monkeypatch.chdir(folder)

    def digest() -> tuple[str, set[str]]:
        names = {p.name for p in folder.iterdir() if p.suffix not in (".json", ".jsonl")}
        return hashlib.sha256(Path(database.path).read_bytes()).hexdigest(), names

    before = digest()
    yield folder
    assert digest() == before


@pytest.fixture
def scored(database: Database, untouched: Path) -> Callable[[bytes, int], Scores]:
    def score(content: bytes, questions: int = 1) -> Scores:
        (untouched / "answers.jsonl").write_bytes(content)
        asked = [replace(QUESTION, question_id=str(i)) for i in range(questions)]
        return score_predictions(load_predictions(untouched / "answers.jsonl"), asked, [database], LIMITS)

    return score


def line(key: object, sql: object) -> bytes:
    return json.dumps({"question_id": key, "sql": sql}).encode()


@pytest.mark.parametrize(("sql", "reason"), BAD_SQL, ids=[repr(sql[:40]) for sql, _ in BAD_SQL])
def test_bad_sql_is_a_wrong_answer_and_the_next_is_scored(scored, sql, reason):
    scores = scored(line(0, sql) + b"\n" + line(1, GOLD), 2)
    assert [(v.correct, v.reason) for v in scores.verdicts] == [(False, reason), (True, "")]


@pytest.mark.parametrize(
    "gold", ["DROP TABLE item", "", "SELEC", "PRAGMA user_version = 7", f"{ENDLESS} sum(x) FROM c"], ids=repr
)
def test_a_bad_gold_makes_its_question_wrong_and_no_other(database, untouched, gold):
    (untouched / "answers.jsonl").write_bytes(line(0, GOLD) + b"\n" + line(1, GOLD))
    asked = [replace(QUESTION, gold_sql=gold), replace(QUESTION, question_id="1")]
    scores = score_predictions(load_predictions(untouched / "answers.jsonl"), asked, [database], LIMITS)
    assert [v.reason for v in scores.verdicts] == ["gold_error", ""]


@pytest.mark.parametrize(
    ("content", "right", "told"),
    [
        (line(0, GOLD) + b"\r\n" + line(1, "SELECT id\r\nFROM item") + b"\r\n", 2, ""),
        (b"\xef\xbb\xbf" + line(0, GOLD), 1, "1 questions without a prediction"),
        (line(0, GOLD) + b"\n" + line(0, "SELECT 1"), 1, "predicted more than once"),
        (line(0, GOLD) + b"\n" + line(99, GOLD) + b"\n" + line("x\0", GOLD), 1, "not in the benchmark"),
        (line(0, GOLD) + b'\n{"question_id": 1, "sql": "SELECT', 1, "is not JSON"),
        (line(0, GOLD) + b'\n{"question_id": 1, "sql": "SELECT \x00"}', 1, "is not JSON"),
        (line(0, GOLD) + b"\n" + line(1, GOLD) + b", " + line(0, GOLD), 1, "is not JSON"),
        (line(0, GOLD) + b"\n\xff\xfe" + line(1, GOLD), 1, "is not JSON"),
        (line(0, GOLD) + b"\n" + b"[" * 100_000, 1, "is not JSON"),
        (line(0, GOLD) + b"\n" + line(1, [GOLD]), 1, "not a string but list"),
        (line(0, GOLD) + b"\n" + line(None, GOLD), 1, "neither a number nor text"),
        (line(0, GOLD) + b"\n7\nnull\n[]\n{}", 1, "no question_id or no sql"),
    ],
    ids=[
        "CRLF",
        "mark",
        "repeated",
        "unknown",
        "cut",
        "NUL",
        "two",
        "bytes",
        "nested",
        "list",
        "null id",
        "no objects",
    ],
)
def test_bad_files_are_scored_as_far_as_they_go(scored, content, right, told):
    scores = scored(content, 2)
    problems = [*load_predictions(Path("answers.jsonl")).problems, *scores.problems]
    assert sum(v.correct for v in scores.verdicts) == right
    assert any(told in problem.what for problem in problems) == bool(told)


@pytest.mark.parametrize(("sql", "reason"), BAD_SQL, ids=[repr(sql[:40]) for sql, _ in BAD_SQL])
def test_validation_dies_of_nothing(sql, reason):
    content = json.dumps({"0": f"{sql}\t----- bird -----\tshop"}).encode()
    _, faults = validate_submission(content, [QUESTION])
    spider = sql.encode("utf-8", "replace")
    assert isinstance(validate_submission(spider, [QUESTION])[1], list)
    if reason in ("no_sql", "several_statements", "forbidden") and not sql.startswith("WITH"):
        assert faults
