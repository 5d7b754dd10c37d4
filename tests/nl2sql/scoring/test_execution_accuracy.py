"""Execution accuracy: the official evaluator's verdicts, and where the default reading departs from them."""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from nl2sql.benchmarks import describe_database, load_benchmark
from nl2sql.errors import UserError
from nl2sql.execution import ExecutionResult, Limits
from nl2sql.rows import Database, Question
from nl2sql.scoring.execution_accuracy import (
    SCORING_LIMITS,
    Judgement,
    Pair,
    Scores,
    judge,
    judge_pairs,
    official_reading,
    score_predictions,
)
from nl2sql.scoring.judgement_cache import judgements_from_table, judgements_to_table
from nl2sql.scoring.predictions import SEPARATOR, load_predictions

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
needs_data = pytest.mark.skipif(not (DATA / "predictions").is_dir(), reason=f"no recorded predictions in {DATA}")
QUESTION = Question("0", "shop", "?", "", "SELECT id FROM item", "simple", "dev")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    path = tmp_path / "shop.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE item (id INTEGER, name TEXT); INSERT INTO item VALUES (1, 'pen'), (2, 'ink');"
        "CREATE TABLE odd (name TEXT); INSERT INTO odd VALUES (CAST(x'ff41' AS TEXT));"
    )
    connection.close()
    return describe_database("shop", path)


def score(
    database: Database,
    golds: Sequence[str],
    predicted: Sequence[object],
    strict_parity: bool = False,
    limits: Limits = SCORING_LIMITS,
    any_column_order: bool = False,
    judged: dict[Pair, Judgement] | None = None,
) -> Scores:
    entries = {str(i): f"{sql}{SEPARATOR}shop" if isinstance(sql, str) else sql for i, sql in enumerate(predicted)}
    path = Path(database.path).with_name("system.json")
    path.write_text(json.dumps(entries))
    return score_predictions(
        load_predictions(path),
        [replace(QUESTION, question_id=str(i), gold_sql=sql) for i, sql in enumerate(golds)],
        [database],
        limits,
        strict_parity=strict_parity,
        any_column_order=any_column_order,
        judged=judged,
    )


def verdicts(scores: Scores) -> list[bool]:
    return [v.correct for v in scores.verdicts]


NOTHING = "SELECT id FROM item WHERE 0"
BOTH_READINGS = [
    ("SELECT id FROM item", "SELECT id FROM item ORDER BY id DESC", True),
    ("SELECT id FROM item", "SELECT id * 1.0 FROM item", True),
    ("SELECT id FROM item", "SELECT id FROM item UNION ALL SELECT 1", True),
    ("SELECT id FROM item", "SELECT CAST(id AS TEXT) FROM item", False),
    ("SELECT id, name FROM item", "SELECT name, id FROM item", False),
    ("SELECT 1.1 + 2.2", "SELECT 3.3", False),
    (NOTHING, "SELECT name, id FROM item WHERE 0", True),
    ("SELECT NULL", "SELECT nullif(2, 2)", True),
    ("SELECT 'pen'", 'SELECT "pen"', True),
    ('SELECT id FROM item WHERE name = "pen"', "SELECT 1", True),
    ("SELECT nobody", "SELECT nobody", False),
    ("SELECT id FROM item", "SELECT id FROM item; SELECT 1", False),
    ("SELECT id FROM item", "SELECT id FROM item\0", False),
    ("SELECT id FROM item", "SELECT id\r\nFROM item;", True),
    ("SELECT id FROM item", "", False),
    ("SELECT x'00ff'", "SELECT zeroblob(1) || x'ff'", False),
    ("SELECT x'00ff'", "SELECT unhex FROM (SELECT x'00ff' AS unhex)", True),
]


@pytest.mark.parametrize("strict_parity", [False, True])
def test_rules_of_both_readings(database: Database, strict_parity: bool) -> None:
    golds, predicted, expected = zip(*BOTH_READINGS, strict=True)
    scores = score(database, golds, predicted, strict_parity)
    assert verdicts(scores) == list(expected)
    assert not scores.differences
    assert scores.models["system"].n == len(BOTH_READINGS)
    assert scores.models["system"].correct == sum(expected)


@pytest.mark.parametrize(
    ("gold", "predicted", "default", "official", "difference"),
    [
        (NOTHING, "", False, True, "blank"),
        (NOTHING, "-- ?", False, True, "blank"),
        (NOTHING, None, False, True, "blank"),
        ("SELECT name FROM odd", "SELECT name FROM odd", True, False, "not_utf8"),
    ],
)
def test_where_the_readings_differ(
    database: Database, gold: str, predicted: object, default: bool, official: bool, difference: str
) -> None:
    ours, theirs = score(database, [gold], [predicted]), score(database, [gold], [predicted], strict_parity=True)
    assert (verdicts(ours), verdicts(theirs)) == ([default], [official])
    assert (dict(ours.differences), dict(theirs.differences)) == ({difference: 1}, {})


def test_one_clock_for_both_statements_officially() -> None:
    result = ExecutionResult("ok", "", ("a",), ((1,),), 1, 20.0, "same", 1)
    judgement = judge(result, result, SCORING_LIMITS)
    assert (judgement.correct, judgement.official, judgement.difference) == (True, False, "shared_clock")
    assert official_reading(judgement).reason == "timeout"
    quick = replace(result, seconds=9.0)
    assert judge(result, quick, SCORING_LIMITS).official


def test_a_question_without_a_prediction_is_wrong(database: Database) -> None:
    scores = score(database, ["SELECT 1", "SELECT 2"], ["SELECT 1"])
    assert verdicts(scores) == [True, False]
    assert scores.verdicts[1].reason == "missing"
    assert score(database, ["SELECT 1", "SELECT 2"], ["SELECT 1"], strict_parity=True).models["system"].n == 1


def test_position_is_counted_as_a_difference(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "swapped.json"
    path.write_text(json.dumps({"1": f"SELECT 2{SEPARATOR}shop", "0": f"SELECT 1{SEPARATOR}shop"}))
    questions = [replace(QUESTION, question_id=str(i), gold_sql=f"SELECT {i + 1}") for i in range(2)]
    loaded = load_predictions(path)
    ours = score_predictions(loaded, questions, [database])
    assert (verdicts(ours), dict(ours.differences)) == ([True, True], {"position": 2})
    assert verdicts(score_predictions(loaded, questions, [database], strict_parity=True)) == [False, False]


def test_any_column_order_is_an_option(database: Database) -> None:
    golds, predicted = ["SELECT id, name FROM item"], ["SELECT name, id FROM item"]
    assert verdicts(score(database, golds, predicted)) == [False]
    assert verdicts(score(database, golds, predicted, any_column_order=True)) == [True]


def test_attacks_are_wrong_answers_and_leave_the_database_alone(database: Database) -> None:
    path = Path(database.path)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    attacks = [
        "INSERT INTO item VALUES (3, 'x')",
        "DROP TABLE item",
        "PRAGMA writable_schema = 1",
        f"ATTACH '{path.with_name('other')}' AS other",
        "SELECT load_extension('x')",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT sum(x) FROM c",
        "SELECT zeroblob(999999999)",
    ]
    limits = replace(SCORING_LIMITS, seconds=0.5)
    scores = score(database, ["SELECT id FROM item"] * len(attacks), attacks, limits=limits)
    assert not any(verdicts(scores))
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert not path.with_name("other").exists()


def test_equal_statements_run_once_and_known_judgements_not_at_all(database: Database) -> None:
    judged: dict[Pair, Judgement] = {}
    golds, predicted = ["SELECT 1"] * 5, ["SELECT 1", "SELECT 2", "SELECT 2", "SELECT 1", "nonsense"]
    first = score(database, golds, predicted, judged=judged)
    again = judgements_from_table(judgements_to_table(judged))
    second = score(database, golds, predicted, judged=again)
    assert (first.executed, second.executed) == (3, 0)
    assert first.verdicts == second.verdicts


def test_judgements_come_in_the_order_of_their_pairs_whatever_finishes_first(database: Database) -> None:
    slow = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 300000) SELECT count(*) FROM c"
    pairs = [("d", slow, "SELECT 1"), ("d", slow, slow), ("d", "SELECT 300000", slow), ("d", "SELECT 1", "SELECT 1")]
    judged, executed = judge_pairs(pairs, {"d": database.path})
    assert [(pair, j.correct) for pair, j in judged.items()] == list(zip(pairs, [False, True, True, True], strict=True))
    assert executed == 3


def test_a_timeout_is_tried_again(database: Database) -> None:
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT sum(x) FROM c"
    judged: dict[Pair, Judgement] = {}
    for _ in range(2):
        scores = score(database, ["SELECT 1"], [endless], limits=replace(SCORING_LIMITS, seconds=0.2), judged=judged)
        assert (scores.executed, scores.verdicts[0].reason) == (2, "timeout")


def test_a_database_that_is_not_there_is_the_users_mistake(database: Database) -> None:
    with pytest.raises(UserError, match="'shop'"):
        score(replace(database, db_id="other"), ["SELECT 1"], ["SELECT 1"])


@needs_data
def test_recorded_systems_have_their_published_scores(tmp_path: Path) -> None:
    benchmark = load_benchmark(DATA / "bird")
    names = ("Alpha-SQL", "ChatGPT-turbo-nokg")
    lines = (DATA / "predictions" / "bird_dev.jsonl").read_text().splitlines()
    path = tmp_path / "two.jsonl"
    path.write_text("\n".join(line for line in lines if json.loads(line)["model"] in names))
    for strict_parity in (False, True):
        scores = score_predictions(
            load_predictions(path), benchmark.questions, benchmark.databases, strict_parity=strict_parity
        )
        assert {name: (s.correct, s.n) for name, s in scores.models.items()} == {
            "Alpha-SQL": (245, 287),
            "ChatGPT-turbo-nokg": (93, 287),
        }
        assert not scores.problems
        assert not scores.differences
