"""`compare` and `calibrate` over run folders, and a policy that a run uses."""

import json
import shutil
from pathlib import Path

import pytest

from flows.policies import selection_policy
from nl2sql.errors import UserError

pytestmark = [pytest.mark.usefixtures("server"), pytest.mark.xdist_group("prefect")]
RIGHT = {
    "0": "SELECT COUNT(*) FROM animal",
    "1": "SELECT name FROM keeper",
    "2": "SELECT COUNT(*) FROM animal WHERE species = 'otter'",
    "3": "SELECT price FROM item WHERE name = 'lamp'",
    "4": "SELECT COUNT(*) FROM item",
}


def last_json(result) -> dict:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


def predictions(path: Path, systems: dict[str, dict[str, str]]) -> Path:
    lines = [
        json.dumps({"question_id": key, "sql": sql, "model": model})
        for model, answers in systems.items()
        for key, sql in answers.items()
    ]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def evaluated(nl2sql, tiny, tmp_path):
    """Evaluate the tiny benchmark with recorded systems; gives the run's folder and its JSON."""

    def run(name: str, systems: dict[str, dict[str, str]], *options: object) -> tuple[Path, dict]:
        file, folder = predictions(tmp_path / f"{name}.jsonl", systems), tmp_path / name
        told = nl2sql("evaluate", tiny, "--predictions", file, "--output", folder, "--json", *options)
        return folder, last_json(told)

    return run


WRONG = dict.fromkeys(RIGHT, "SELECT 99")
POOL = {"x": WRONG, "y": WRONG, "expert": RIGHT}


def test_compare_tells_which_run_is_better(nl2sql, evaluated, tmp_path):
    (first, _), (second, _) = evaluated("first", {"x": WRONG}), evaluated("second", {"expert": RIGHT})
    page = tmp_path / "page.html"
    result = nl2sql("compare", first, second, "--output", page, "--json")
    told = last_json(result)
    overall = told["groups"][0]
    assert (overall["n"], overall["difference"]["value"]) == (5, 100.0)
    assert {g["name"] for g in told["groups"]} == {"all", "simple", "zoo", "shop"}
    assert overall["only_second"] == len(told["flips"]) == 5
    assert overall["p_value"] == pytest.approx(2 / 2**5)
    assert "could be chance" in result.stdout
    assert "How many otters do we have?" in page.read_text()
    assert last_json(nl2sql("compare", first, first, "--json"))["flips"] == []


def test_two_models_of_a_file_are_compared_like_runs(nl2sql, tiny, tmp_path):
    file = predictions(tmp_path / "pool.jsonl", POOL)
    words = ("compare", file, "--dataset", tiny, "--models")
    told = last_json(nl2sql(*words, "x,expert", "--output", tmp_path / "page.html", "--json"))
    overall = told["groups"][0]
    assert (told["first"], told["second"], overall["n"], overall["only_second"]) == ("x", "expert", 5, 5)
    assert overall["p_value"] == pytest.approx(2 / 2**5)
    assert "How many otters" in (tmp_path / "page.html").read_text()
    assert last_json(nl2sql(*words, "x, y", "--json"))["same_sql"] == 5
    unknown = nl2sql(*words, "x,nobody")
    assert unknown.exit_code == 1
    assert "choose two of x, y, expert" in unknown.stderr
    for wrong in (("compare", file), ("compare", file, file), ("compare", tmp_path), (*words, "x,x"), (*words, "x")):
        assert nl2sql(*wrong).exit_code == 2


def test_noise_of_repeated_and_of_simulated_runs(nl2sql, evaluated):
    half = {**RIGHT, "0": "SELECT 99", "1": "SELECT 99"}
    (first, _), (second, _) = evaluated("one", {"x": RIGHT, "y": half}), evaluated("two", {"x": half})
    (repeated,) = last_json(nl2sql("noise", first, second, "--json"))["noise"]
    assert (repeated["runs"], repeated["n"], repeated["unstable"]) == (2, 5, 40.0)
    simulated = last_json(nl2sql("noise", first, "--json"))["noise"]
    assert [row["candidates"] for row in simulated] == [1, 2]
    assert simulated[0]["execution_accuracy"] == pytest.approx(80, abs=2)
    assert 0 < simulated[0]["deviation"] < simulated[0]["limit"]
    assert [r["candidates"] for r in last_json(nl2sql("noise", first, "--candidates", 7, "--json"))["noise"]] == [7]
    assert nl2sql("noise", first, second, "--candidates", 7).exit_code == 2


def test_a_policy_is_fitted_written_and_used(nl2sql, evaluated, tmp_path, artifacts):
    folder, plain = evaluated("pool", POOL)
    assert plain["majority_vote"] == 0.0
    told = last_json(nl2sql("calibrate", folder, "--name", "tiny", "--json"))
    assert (told["n"], told["vote"], told["execution_accuracy"], told["gains"]) == (5, 0.0, 100.0, True)
    held = json.loads(Path(told["policy"]).read_text())
    assert set(held["without"]) == {"zoo", "shop"}
    assert held["policy"]["voices"]["recorded:expert"] > held["policy"]["voices"]["recorded:x"]
    _, judged = evaluated("judged", POOL, "--policy", told["policy"])
    assert judged["execution_accuracy"] == 100.0
    assert judged["paths"] == {"policy": 5}


def test_a_policy_that_gains_nothing_is_not_used(nl2sql, evaluated):
    folder, _ = evaluated("agreed", {"x": RIGHT, "y": RIGHT, "z": WRONG})
    told = last_json(nl2sql("calibrate", folder, "--name", "nothing", "--json"))
    assert not told["gains"]
    assert selection_policy(told["policy"], "elsewhere", groundings=None) == {}
    result = nl2sql("evaluate", "nowhere", "--policy", told["policy"])
    assert result.exit_code == 2  # the dataset, not the policy


def test_folders_that_are_no_runs_are_refused_in_one_line(nl2sql, evaluated, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for words in (("compare", empty, empty), ("calibrate", empty)):
        result = nl2sql(*words)
        assert result.exit_code == 1
        (line,) = result.stderr.splitlines()
        assert "manifest.json" in line
        assert "nl2sql evaluate" in line
    (empty / "manifest.json").write_text("[1]")
    assert nl2sql("compare", empty, empty).exit_code == 1


def test_a_run_of_which_artifacts_are_gone_says_how_to_mend_it(nl2sql, evaluated, tmp_path):
    folder, _ = evaluated("gone", {"x": RIGHT}, "--artifacts", tmp_path / "own")
    shutil.rmtree(tmp_path / "own" / "verdicts")
    result = nl2sql("compare", folder, folder)
    assert result.exit_code == 1
    assert "run the same command again" in result.stderr


def test_policies_that_cannot_be_read_are_said_before_a_run(nl2sql, tiny, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    result = nl2sql("evaluate", tiny, "--policy", broken)
    assert result.exit_code == 1
    assert "no selection policy" in result.stderr
    with pytest.raises(UserError, match="nl2sql calibrate"):
        selection_policy(str(tmp_path / "absent.json"), "zoo")
    assert selection_policy("", "zoo", groundings=None) == {}


@pytest.mark.parametrize("name", ["../up", ".hidden", "a b", ""])
def test_names_of_policies_are_plain(nl2sql, tmp_path, name):
    result = nl2sql("calibrate", tmp_path, "--name", name)
    assert result.exit_code == 1
    assert "--name" in result.stderr


def test_corrected_gold_is_scored_beside_the_first_and_reruns_nothing_else(evaluated, tiny, tmp_path):
    corrected = [
        {"question_id": "3", "SQL": "SELECT 80.0"},
        {"question_id": 0, "SQL": "SELECT 3"},
        {"question_id": "x", "SQL": ""},
        {"question_id": 99, "SQL": "SELECT 1"},
    ]
    file = tmp_path / "gold.json"
    file.write_text(json.dumps(corrected))
    own = ("--artifacts", tmp_path / "own")
    _, first = evaluated("plain", {"expert": RIGHT}, *own)
    assert (first["execution_accuracy"], first["corrected_gold"]) == (100.0, None)
    folder, told = evaluated("twice", {"expert": RIGHT}, "--corrected-gold", file, *own)
    assert told["execution_accuracy"] == 100.0
    assert told["corrected_gold"] == {
        "golds_changed": 2,
        "correct": 4,
        "execution_accuracy": 80.0,
        "questions_changed": 1,
        "now_right": 0,
        "now_wrong": 1,
    }
    assert told["reused"] == first["artifacts"]
    assert "80.0 % with the corrected gold, 100.0 %" in (folder / "report.html").read_text()
