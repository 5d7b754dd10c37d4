"""Metrics over all questions and by group."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from nl2sql.benchmarks import describe_database, load_benchmark
from nl2sql.rows import Database, Question
from nl2sql.scoring.execution_accuracy import ScoredPrediction, score_predictions
from nl2sql.scoring.measure_predictions import group_places, measure_predictions
from nl2sql.scoring.predictions import load_predictions

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
needs_data = pytest.mark.skipif(not (DATA / "predictions").is_dir(), reason=f"no recorded predictions in {DATA}")

QUESTIONS = (
    Question("1", "shop", "?", "", "SELECT id, name FROM item ORDER BY id", "simple", "dev"),
    Question("2", "shop", "?", "", "SELECT COUNT(*) FROM item JOIN item AS other", "", "dev"),
    Question("3", "shop", "?", "", "SELECT id FROM item WHERE id > 9", "simple", "dev"),
)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    path = tmp_path / "shop.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE item (id INTEGER, name TEXT); INSERT INTO item VALUES (1, 'a'), (2, 'b');")
    connection.close()
    return describe_database("shop", path)


def verdict(key: str, sql: str, correct: bool, model: str = "m") -> ScoredPrediction:
    return ScoredPrediction(key, "shop", model, sql, correct, "", "")


VERDICTS = (
    verdict("1", "SELECT name, id FROM item ORDER BY id", False),
    verdict("2", "SELECT 4", True),
    verdict("3", "SELECT nobody", False),
)


def test_soft_f1_forgives_column_order_and_fails_what_does_not_run(database: Database) -> None:
    measured = measure_predictions(VERDICTS, QUESTIONS, [database], ["soft-f1"])
    assert measured.values["soft_f1"] == [1.0, 1.0, 0.0]  # officially an error is wrong though the gold is empty
    assert measured.figures([0, 1, 2]) == {
        "n": 3,
        "correct": 1,
        "execution_accuracy": pytest.approx(33.33),
        "soft_f1": pytest.approx(66.67),
    }


def test_a_missing_prediction_and_a_broken_gold_score_nothing(database: Database) -> None:
    broken = replace(QUESTIONS[0], gold_sql="SELECT nobody FROM item")
    verdicts = [verdict("1", "", False), verdict("1", "SELECT nobody FROM item", False)]
    assert measure_predictions(verdicts, [broken], [database], ["soft-f1"]).values["soft_f1"] == [0.0, 0.0]


def test_r_ves_times_right_answers_only(database: Database) -> None:
    measured = measure_predictions(VERDICTS, QUESTIONS, [database], ["r-ves"], rounds=3)
    first, second, third = measured.values["r_ves"]
    assert first == third == 0
    assert second > 0
    assert 0 < measured.figures([0, 1, 2])["r_ves"] <= 111.9 / 3


def test_accuracy_alone_executes_nothing(database: Database) -> None:
    gone = replace(database, path="nowhere.sqlite")
    assert measure_predictions(VERDICTS, QUESTIONS, [gone]).figures([1]) == {
        "n": 1,
        "correct": 1,
        "execution_accuracy": 100.0,
    }


def test_no_verdicts() -> None:
    measured = measure_predictions([], [], [], ["soft-f1", "r-ves"])
    assert measured.figures([]) == {"n": 0, "correct": 0, "execution_accuracy": 0.0, "soft_f1": 0.0, "r_ves": 0.0}


def test_groups_of_two_systems() -> None:
    verdicts = [*VERDICTS, verdict("2", "SELECT 5", False, "other")]
    assert group_places(verdicts, QUESTIONS, "difficulty") == {
        "m": {"simple": [0, 2], "unknown": [1]},
        "other": {"unknown": [3]},
    }
    assert group_places(verdicts, QUESTIONS, "database") == {"m": {"shop": [0, 1, 2]}, "other": {"shop": [3]}}
    features = group_places(verdicts, QUESTIONS, "feature")["m"]
    assert features == {"order": [0], "join": [1], "aggregation": [1], "none": [2]}
    with pytest.raises(ValueError, match="difficulty"):
        group_places(verdicts, QUESTIONS, "weekday")


@needs_data
def test_recorded_systems_are_timed_against_their_gold(tmp_path: Path) -> None:
    benchmark = load_benchmark(DATA / "bird", databases=("superhero",))
    names = ("Alpha-SQL", "ChatGPT-turbo-nokg")
    lines = (DATA / "predictions" / "bird_dev.jsonl").read_text().splitlines()
    recorded = (line for line in lines if json.loads(line)["model"] in names)
    (tmp_path / "two.jsonl").write_text("\n".join(recorded))
    questions = benchmark.questions[:25]
    scores = score_predictions(load_predictions(tmp_path / "two.jsonl"), questions, benchmark.databases)
    metrics = ("ex", "r-ves")
    measured = measure_predictions(scores.verdicts, questions, benchmark.databases, metrics, rounds=3)
    by_model = {m: [i for i, v in enumerate(scores.verdicts) if v.generator == m] for m in names}
    figures = {m: measured.figures(places) for m, places in by_model.items()}
    for m in names:
        right = figures[m]["execution_accuracy"]
        assert 0.5 * right <= figures[m]["r_ves"] <= 1.119 * right  # every reward lies between 0.25 and 1.25
    assert figures["Alpha-SQL"]["r_ves"] > figures["ChatGPT-turbo-nokg"]["r_ves"]
    ratios = measured.values["r_ves"]
    assert all((ratio > 0) == v.correct for ratio, v in zip(ratios, scores.verdicts, strict=True))
