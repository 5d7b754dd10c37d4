"""The commands that score, export and validate, as a user runs them."""

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flows.cli import main
from nl2sql.scoring.export import NO_ANSWER
from nl2sql.scoring.predictions import SEPARATOR

ANSWERS = {
    "0": ("SELECT 3", "zoo"),
    "1": ("SELECT id, name FROM keeper", "zoo"),
    "2": ("", "zoo"),
    "3": ("SELECT price\nFROM item -- all\nWHERE name = 'lamp';", "shop"),
    "4": ("SELECT COUNT(*) FROM item", "shop"),
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # scoring keeps what it judged under artifacts/


def nl2sql(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], env={"COLUMNS": "100"})


def last_json(result: Result) -> dict:
    return json.loads(result.stdout.splitlines()[-1])


@pytest.fixture
def run_folder(tmp_path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    entries = {key: f"{sql}{SEPARATOR}{db_id}" for key, (sql, db_id) in ANSWERS.items()}
    (folder / "predictions.json").write_text(json.dumps(entries))
    return folder


@pytest.mark.parametrize("file_format", ["bird", "spider"])
def test_an_exported_run_is_valid(file_format, run_folder, tiny, tmp_path):
    output = tmp_path / "submission"
    exported = nl2sql("export", run_folder, "--format", file_format, "--output", output, "--json")
    assert exported.exit_code == 0, exported.output
    assert last_json(exported)["unanswered"] == ["2"]
    text = output.read_text()
    assert NO_ANSWER in text
    assert "SELECT price FROM item WHERE name = 'lamp'" in text
    validated = nl2sql("validate", output, tiny, "--json")
    assert (validated.exit_code, last_json(validated)["valid"]) == (0, True)
    assert last_json(validated)["format"] == file_format


def test_a_faulty_file_is_refused_with_reasons(run_folder, tiny):
    result = nl2sql("validate", run_folder / "predictions.json", tiny, "--json")
    assert result.exit_code == 1
    assert {(f["where"], f["kind"]) for f in last_json(result)["faults"]} == {
        ("key '2'", "blank"),
        ("key '3'", "line_break"),
    }


def test_a_part_of_the_benchmark_is_checked_alone(run_folder, tiny):
    result = nl2sql("validate", run_folder / "predictions.json", tiny, "--database", "shop", "--json")
    assert {f["kind"] for f in last_json(result)["faults"]} >= {"unknown"}


def test_a_folder_without_predictions_is_a_users_mistake(tmp_path):
    result = nl2sql("export", tmp_path, "--format", "bird", "--output", tmp_path / "out.json")
    assert result.exit_code == 1
    assert "predictions.json" in result.stderr
    assert "Traceback" not in result.output


def test_an_unknown_part_is_wrong_usage(tiny):
    result = nl2sql("ablate", tiny, "--without", "linking,luck")
    assert result.exit_code == 2
    assert "'luck' is no part" in result.stderr


def test_score_by_metric_and_group(run_folder, tiny):
    options = ("--metric", "soft-f1", "--metric", "r-ves", "--rounds", "2", "--by", "database", "--by", "feature")
    result = nl2sql("score", tiny, run_folder / "predictions.json", *options, "--json")
    assert result.exit_code == 0, result.output
    assert "EX % by database" in result.stdout
    assert "Soft-F1 % by feature" in result.stdout
    (figures,) = last_json(result)["models"].values()
    assert (figures["n"], figures["correct"], figures["execution_accuracy"]) == (5, 3, 60.0)
    assert figures["soft_f1"] > 60
    assert 0 < figures["r_ves"] <= 67.1
    assert figures["by"]["database"]["shop"]["execution_accuracy"] == 100
    assert figures["by"]["difficulty"]["simple"]["n"] == 5
    assert figures["by"]["feature"]["aggregation"]["correct"] == 2


def test_columns_in_another_order(tiny, tmp_path):
    questions = json.loads((tiny / "dev.json").read_text())
    questions[1]["SQL"] = "SELECT name, id FROM keeper"
    (tiny / "dev.json").write_text(json.dumps(questions))
    line = {"question_id": 1, "sql": ANSWERS["1"][0]}
    (tmp_path / "lines.jsonl").write_text(json.dumps(line))
    plain, loose = (
        last_json(nl2sql("score", tiny, tmp_path / "lines.jsonl", "--json", *options))["models"]["lines"]["correct"]
        for options in ((), ("--any-column-order",))
    )
    assert (plain, loose) == (0, 1)
    both = nl2sql("score", tiny, tmp_path / "lines.jsonl", "--any-column-order", "--strict-parity")
    assert both.exit_code == 2


def scored(*words: str | Path) -> dict:
    result = nl2sql("score", *words, "--json")
    assert result.exit_code == 0, result.output
    return last_json(result) | {"shown": result.stdout, "told": result.stderr}


def test_corrected_gold_is_scored_beside_the_first(run_folder, tiny, tmp_path):
    corrected = [
        {"question_id": "1", "SQL": ANSWERS["1"][0], "db_id": "zoo"},  # the prediction is right by this gold
        {"question_id": 4, "sql": "SELECT 99"},  # and wrong by this
        {"question_id": 0, "SQL": "SELECT 1 + 2"},  # another text, the same verdict
        {"question_id": 77, "SQL": "SELECT 1"},
    ]
    (tmp_path / "gold.json").write_text(json.dumps(corrected))
    options = ("--corrected-gold", tmp_path / "gold.json", "--artifacts", tmp_path / "own")
    told = scored(tiny, run_folder / "predictions.json", *options)
    (figures,) = told["models"].values()
    assert (figures["correct"], figures["corrected"]["correct"]) == (3, 3)
    assert {k: figures["corrected"][k] for k in ("changed", "now_right", "now_wrong")} == {
        "changed": 2, "now_right": 1, "now_wrong": 1
    }  # fmt: skip
    assert told["corrected_gold"] == {"golds_changed": 3, "questions_changed": 2}
    assert "1 corrections of questions that are not in the benchmark: left out (77)" in told["told"]
    assert "2 (+1 -1)" in told["shown"]


def test_a_file_without_corrections_is_refused_before_anything_is_scored(run_folder, tiny, tmp_path):
    (tmp_path / "gold.json").write_text('[{"question_id": 1}]')
    result = nl2sql(
        "score", tiny, run_folder / "predictions.json", "--corrected-gold", tmp_path / "gold.json",
        "--artifacts", tmp_path / "own",
    )  # fmt: skip
    assert result.exit_code == 1
    assert "holds no corrected gold" in result.stderr
    assert not (tmp_path / "own").exists()


def test_judgements_are_kept_until_the_database_changes(run_folder, tiny, tmp_path):
    words = (tiny, run_folder / "predictions.json", "--artifacts", tmp_path / "own")
    first = scored(*words)
    kept = {p: p.read_bytes() for p in (tmp_path / "own" / "judgements").glob("*.parquet")}
    assert len(kept) == 2
    assert scored(*words)["models"] == first["models"]
    assert {p: p.read_bytes() for p in kept} == kept
    with sqlite3.connect(tiny / "dev_databases" / "zoo" / "zoo.sqlite") as connection:
        connection.execute("INSERT INTO animal VALUES (4, 'Kim', 'emu', 1)")
    connection.close()
    again = scored(*words)
    assert next(iter(again["models"].values()))["correct"] == 2


def test_a_folder_that_cannot_be_written_does_not_stop_scoring(run_folder, tiny, tmp_path):
    (tmp_path / "file").write_text("")
    told = scored(tiny, run_folder / "predictions.json", "--artifacts", tmp_path / "file")
    assert next(iter(told["models"].values()))["correct"] == 3
    assert "judgements are not kept" in told["told"]
