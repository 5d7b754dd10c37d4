"""The command line: help, wrong usage, malformed datasets, `score`, and `evaluate` with all that it leaves behind."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from flows.cli import main

COMMANDS = tuple(main.commands)


def as_json(result: Result) -> dict:
    """The last line of standard output."""
    return json.loads(result.stdout.splitlines()[-1])


def refusal(result: Result) -> str:
    """The one line of a run that failed before it began."""
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    (line,) = result.stderr.splitlines()
    return line


# --- help and usage -------------------------------------------------------------------------------------------------


def test_help_of_the_command_lists_its_commands_and_exit_codes(nl2sql):
    shown = " ".join(nl2sql("--help").stdout.split())
    assert {"profile", "index", "evaluate", "ask", "score"} <= set(COMMANDS)
    assert all(f" {name} " in shown for name in COMMANDS)
    assert "Exit codes: 0 fine, 1 failed, 2 wrong usage" in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_documents_its_json(nl2sql, command):
    result = nl2sql(command, "--help")
    assert result.exit_code == 0
    assert "JSON: {" in " ".join(result.stdout.split())
    for option in ("--artifacts", "--json", "--verbose"):
        assert option in result.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("ask",),
        ("ask", "no such file", "How many?"),
        ("ask", ".", "How many?"),
        ("score", ".", "no such file"),
        ("evaluate", ".", "--limit", "0"),
        ("evaluate", ".", "--split", "test"),
        ("evaluate", ".", "--preset", "nonsense"),
        ("evaluate", ".", "--preset", "../presets/offline"),
        ("evaluate", ".", "--batch-size", "many"),
        ("evaluate", ".", "--timeout", "-1"),
        ("evaluate", ".", "--timeout", "nan"),
        ("evaluate", ".", "--timeout", "inf"),
        ("profile", ".", "--nonsense"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_says_so_as_json_too(nl2sql, words):
    result = nl2sql(*words, "--json")
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    (line,) = result.stdout.splitlines()
    assert json.loads(line)["error"] in " ".join(result.stderr.split())


def test_an_unknown_preset_names_those_that_exist(nl2sql):
    assert "offline" in nl2sql("evaluate", ".", "--preset", "nonsense").stderr


# --- datasets that are none -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["profile", "index", "evaluate"])
def test_a_folder_without_a_benchmark_is_said_to_be_none(nl2sql, tmp_path, command):
    assert "not a benchmark that is known" in refusal(nl2sql(command, tmp_path))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not JSON at line 1"),
        (b'[{"db_id": "zoo", ', "not JSON at line 1"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{}", "should hold a JSON list of questions"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[7]", "entry 0 should be an object"),
        (b'[{"db_id": "zoo"}]', "entry 0 has no text 'question'"),
        (b'[{"db_id": ["zoo"], "question": "?"}]', "entry 0 has no text 'db_id'"),
        (b"[]", "the question file is empty"),
        (b'[{"db_id": "../../zoo", "question": "?"}]', "the database is missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_malformed_question_file_is_named_with_its_fault(nl2sql, tiny, content, complaint):
    (tiny / "dev.json").write_bytes(content)
    for command in ("evaluate", "profile"):
        line = refusal(nl2sql(command, tiny))
        assert complaint in line
        assert "dev" in line


def test_places_that_cannot_be_written_are_refused_before_anything_runs(nl2sql, tiny, tmp_path):
    (tmp_path / "file").touch()
    assert "cannot write" in refusal(nl2sql("evaluate", tiny, "--artifacts", tmp_path / "file" / "artifacts"))
    line = refusal(nl2sql("evaluate", tiny, "--output", tmp_path / "file" / "report"))
    assert "cannot write" in line
    assert "--output" in line


def test_an_unknown_database_names_those_that_exist(nl2sql, tiny):
    line = refusal(nl2sql("evaluate", tiny, "--database", "farm"))
    assert "'farm'" in line
    assert "shop, zoo" in line


def test_one_file_has_no_questions_to_evaluate(nl2sql, database):
    assert "nl2sql ask" in refusal(nl2sql("evaluate", database()))


# --- score ----------------------------------------------------------------------------------------------------------


def lines(path: Path, *items: object) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return path


def test_score_ranks_the_models_of_a_file(nl2sql, tiny, tmp_path):
    right = json.loads((tiny / "dev.json").read_text())
    good = [{"question_id": q["question_id"], "sql": q["SQL"], "model": "[bold]good"} for q in right]
    bad = [{"question_id": q["question_id"], "sql": "SELECT nothing", "model": "bad\ud800"} for q in right]
    result = nl2sql("score", tiny, lines(tmp_path / "p.jsonl", *bad, *good), "--json")
    assert result.exit_code == 0
    models = as_json(result)["models"]
    good_score = models["[bold]good"]
    assert (good_score["n"], good_score["correct"], good_score["execution_accuracy"]) == (5, 5, 100.0)
    assert [m["correct"] for m in models.values()] == [5, 0]  # best first
    assert "[bold]good" in result.stdout


def test_score_reports_what_is_wrong_with_a_file_and_scores_the_rest(nl2sql, tiny, tmp_path):
    path = lines(
        tmp_path / "p.jsonl",
        {"question_id": 0, "sql": "SELECT COUNT(*) FROM animal"},
        {"question_id": 0, "sql": "SELECT 1"},
        {"question_id": 99, "sql": "SELECT 1"},
        {"question_id": 1, "sql": None},
        {"question_id": 2, "sql": "SELECT '\ud800'"},
        {"question_id": 3, "sql": "SELECT 1\0"},
        ["not", "an", "object"],
    )
    path.write_bytes(path.read_bytes() + b'{"question_id": 4, "sql": "cut o\n\xff\xfe\n')
    result = nl2sql("score", tiny, path, "--json")
    assert result.exit_code == 0
    assert as_json(result)["models"]["p"]["correct"] == 1
    notes = result.stderr.splitlines()
    assert all(note.startswith("nl2sql: note: ") for note in notes)
    for said in ("is not JSON", "99", "more than once", "NoneType", "no question_id or no sql"):
        assert any(said in note for note in notes)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00\xff\x00", b"[1, 2]", b"{}", b'{"0": ', b"[" * 100_000])
def test_score_refuses_a_file_without_predictions(nl2sql, tiny, tmp_path, content):
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    assert "holds no prediction" in refusal(nl2sql("score", tiny, path))


# --- evaluate -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("server")
@pytest.mark.xdist_group("prefect")
def test_evaluate_prints_a_table_and_leaves_a_report_and_predictions(nl2sql, tiny, tmp_path):
    output = tmp_path / "report"
    result = nl2sql("evaluate", tiny, "--json", "--output", output, "--artifacts", tmp_path / "own")
    assert result.exit_code == 0, result.output
    for figure in ("execution accuracy", "upper bound", "majority vote", "strict recall", "keyless rules baseline"):
        assert figure in result.stdout
    found = as_json(result)
    headline = {"n", "execution_accuracy", "upper_bound", "majority_vote", "by_difficulty", "linking", "cell_recall"}
    assert headline | {"fixed", "broken", "unanimous", "seconds", "run_id", "report"} <= found.keys()
    linking = {"strict_recall", "recall", "precision", "columns_kept", "columns_total"}
    assert linking <= found["linking"].keys()
    assert found["n"] == 5
    assert found["failed_tasks"] == []
    assert found["execution_accuracy"] <= found["upper_bound"] <= 100
    assert (found["report"], (output / "report.html").is_file()) == (str(output / "report.html"), True)
    scored = as_json(nl2sql("score", tiny, output / "predictions.json", "--json"))
    assert scored["models"]["predictions"]["n"] == 5
    assert scored["models"]["predictions"]["execution_accuracy"] == found["execution_accuracy"]


@pytest.mark.usefixtures("server")
@pytest.mark.xdist_group("prefect")
def test_evaluate_takes_a_part_of_the_questions_and_recorded_predictions(nl2sql, tiny, tmp_path):
    own = ("--artifacts", tmp_path / "own", "--json")
    recorded = lines(
        tmp_path / "recorded.jsonl",
        {"question_id": 3, "sql": "SELECT price FROM item WHERE name = 'lamp'", "model": "some"},
        {"question_id": 4, "sql": "SELECT 0", "model": "some"},
        {"question_id": 99, "sql": "SELECT 0", "model": "some"},
        {"question_id": 0, "sql": "SELECT 3", "model": "some"},  # of the other database: left out on purpose
    )
    with open(recorded, "a") as file:
        file.write("{broken\n")
    result = nl2sql("evaluate", tiny, "--database", "shop", "--predictions", recorded, *own)
    assert result.exit_code == 0, result.output
    notes = [line for line in result.stderr.splitlines() if line.startswith("nl2sql: note: ")]
    assert [n for n in notes if "is not JSON" in n]
    assert [n for n in notes if n.endswith("1 x unknown question")]
    assert len(notes) == 2
    found = as_json(result)
    assert (found["n"], found["execution_accuracy"]) == (2, 50.0)
    assert found["by_database"].keys() == {"shop"}
    assert "recorded" in result.stdout
    assert Path(found["report"]).is_relative_to(tmp_path / "own" / "runs")
    assert as_json(nl2sql("evaluate", tiny, "--limit", "1", *own))["n"] == 1


@pytest.mark.usefixtures("server")
@pytest.mark.xdist_group("prefect")
def test_evaluate_with_a_broken_database_answers_the_others_and_fails(nl2sql, tiny, tmp_path, database):
    rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
    whole = database(
        f"CREATE TABLE item (name TEXT, price REAL); {rows} INSERT INTO item SELECT 'item ' || i, i FROM n;"
    )
    content = whole.read_bytes()
    broken = tiny / "dev_databases" / "shop" / "shop.sqlite"
    broken.write_bytes(content[:8192] + b"\xa5" * (len(content) - 8192))  # opens, and cannot be read to the end
    result = nl2sql("evaluate", tiny, "--json", "--artifacts", tmp_path / "own")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    failures = [line for line in result.stderr.splitlines() if line.startswith("nl2sql: failed: ")]
    assert len(failures) == 1
    assert "profile_database of shop" in failures[0]
    assert "cannot be read to the end" in failures[0]
    assert "run the same command again" in result.stderr
    found = as_json(result)
    assert found["by_database"]["zoo"]["execution_accuracy"] > 0
    assert found["n"] == 5  # unanswered questions count
    assert found["failed_tasks"]


@pytest.mark.usefixtures("server")
@pytest.mark.xdist_group("prefect")
def test_evaluate_leaves_out_a_missing_database_and_says_so(nl2sql, tiny, tmp_path):
    (tiny / "dev_databases" / "shop" / "shop.sqlite").unlink()
    result = nl2sql("evaluate", tiny, "--json", "--artifacts", tmp_path / "own")
    assert result.exit_code == 0, result.output
    assert "the database is missing: its questions are left out" in result.stderr
    assert as_json(result)["n"] == 3
