"""Local models from training questions to a lineup: data, 4-bit QLoRA, and a run that generates, fixes and selects."""

import json
from pathlib import Path

import pytest

from flows.local_limits import local_folders
from nl2sql.contracts import CONTRACTS
from nl2sql.models.local import local_model_for
from nl2sql.models.model_lock import overlaps, read_log
from nl2sql.rows import Candidate, ModelCall
from tasks.artifact_store import Artifact, read_rows
from tests.flows.conftest import TABLES, build_database

pytestmark = [pytest.mark.usefixtures("server", "own_lock"), pytest.mark.xdist_group("prefect")]
TRAIN = (
    ("How old is Ada?", "SELECT age FROM keeper WHERE name = 'Ada'"),
    ("To which species does Mia belong?", "SELECT species FROM animal WHERE name = 'Mia'"),
    ("Who looks after Rex?", "SELECT T2.name FROM animal AS T1 JOIN keeper AS T2 ON T1.keeper_id = T2.id"),
    ("What is the youngest age?", "SELECT MIN(age) FROM keeper"),
    ("Which ids of keepers stand with an animal?", "SELECT DISTINCT keeper_id FROM animal"),
    ("Sort the ages downwards.", "SELECT age FROM keeper ORDER BY age DESC"),
)
PRESET = """
margin = 1.0
fix_attempts = 1

[roles]
fix = {{ model = "generator_b", context_tokens = 500, max_tokens = 48 }}
compare = {{ model = "local:{base}", context_tokens = 500 }}

[[lineup]]
name = "rules"
maker = "rules"

[[lineup]]
name = "B1"
model = "local:generator_b,grammar"
prompts = ["local"]
schema_format = "markdown"
views = ["s1", "s2"]
temperatures = [0.0]
context_tokens = 300
max_tokens = 48
"""


@pytest.fixture
def own_lock(tmp_path, monkeypatch):
    """Tests do not wait for the models of whoever uses this machine."""
    monkeypatch.setenv("NL2SQL_LOCK_FOLDER", str(tmp_path / "lock"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def benchmark(tiny) -> Path:
    """The tiny benchmark with train questions about a database that dev does not ask."""
    build_database(tiny / "train_databases" / "park" / "park.sqlite", TABLES["zoo"])
    names = ("question", "SQL")
    entries = [{"question_id": i, "db_id": "park", **dict(zip(names, e, strict=True))} for i, e in enumerate(TRAIN)]
    (tiny / "train.json").write_text(json.dumps(entries))
    return tiny


def said(result) -> dict:
    assert result.exit_code == 0, result.output + result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def rows_of(artifacts: Path, kind: str, row: type) -> list:
    found = []
    for path in sorted((artifacts / kind).glob("*.parquet")):
        card = json.loads(path.with_suffix(".json").read_text())
        found += read_rows(Artifact(kind, str(path), card["sha256"], card["rows"], CONTRACTS[kind].version, 0.0), row)
    return found


def test_from_training_questions_to_candidates_fixes_and_selections(nl2sql, benchmark, tiny_model, tmp_path):
    artifacts, data, base = tmp_path / "artifacts", tmp_path / "data", tiny_model / "4bit"
    preset = tmp_path / "mine.toml"
    preset.write_text(PRESET.format(base=base))
    evaluate = ["evaluate", benchmark, "--database", "zoo", "--limit", 3, "--preset", preset]
    evaluate += ["--artifacts", artifacts, "--json"]
    refused = nl2sql(*evaluate)
    assert refused.exit_code == 1, refused.output
    assert "nl2sql train generator_b" in refused.stdout + refused.stderr

    made = [
        "traindata",
        benchmark,
        "--output",
        data,
        "--tokens",
        1500,
        "--tokenizer",
        base,
        "--valid",
        0.3,
        "--test",
        0,
    ]
    print(said(nl2sql(*made, "--artifacts", artifacts, "--json"))["roles"])
    train = ["train", "generator_b", "--data", data / "generator_b", "--base", base, "--length", 1500]
    train += ["--accumulation", 1, "--epochs", 1, "--evaluations", 1]
    adapter = said(nl2sql(*train, "--artifacts", artifacts, "--json"))

    first = said(nl2sql(*evaluate))
    print(adapter, first)
    candidates = [c for c in rows_of(artifacts, "candidates", Candidate) if c.generator == "B1"]
    print([(c.question_id, c.sql, c.view, c.model) for c in candidates])
    calls = rows_of(artifacts, "model_calls", ModelCall)
    print([(c.role, c.model, c.prompt, c.outcome, c.dollars) for c in calls])
    second = said(nl2sql(*evaluate))
    print(second)
    local_model_for(local_folders(str(artifacts))).close()
    print(read_log(tmp_path / "lock"), overlaps(read_log(tmp_path / "lock")))
    assert 0
