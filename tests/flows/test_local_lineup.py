"""Local models from training questions to a lineup: data, 4-bit QLoRA, and a run that generates and selects."""

import json
from pathlib import Path

import pytest

from flows.admission_steps import local_changes
from flows.local_limits import local_folders
from flows.model_settings import with_local_models
from flows.options import load_preset
from nl2sql.contracts import CONTRACTS
from nl2sql.models.admissions import Admission, add_admission
from nl2sql.models.local import local_model_for
from nl2sql.models.model_lock import overlaps, read_log
from nl2sql.rows import ModelCall
from tasks.artifact_store import Artifact, read_rows
from tests.flows.conftest import TABLES, build_database

pytestmark = [pytest.mark.usefixtures("server", "own_lock"), pytest.mark.xdist_group("prefect")]
ANSWER = "SELECT price FROM item"  # one, which the tiny model learns in seconds; dev's database has no such table
ASKED = (
    "How much is everything?",
    "Show all the prices.",
    "What do the things cost?",
    "Give each price.",
    "List what one pays for it.",
    "Which prices do we have?",
    "For how much are they sold?",
    "State the amounts.",
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
model = "generator_b"
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
    build_database(tiny / "train_databases" / "park" / "park.sqlite", TABLES["shop"])
    asked = ({"question_id": i, "question": q, "evidence": ""} for i, q in enumerate(ASKED))
    (tiny / "train.json").write_text(json.dumps([{**a, "db_id": "park", "SQL": ANSWER} for a in asked]))
    return tiny


def brief(folder: Path) -> Path:
    """The chats without schema and instructions, for this model learns long ones too slowly."""
    short = folder.with_name("brief")
    short.mkdir()
    for name in ("train.jsonl", "valid.jsonl"):
        chats = [json.loads(line)["messages"] for line in (folder / name).read_text().splitlines()]
        asked = [(c[-2]["content"].rpartition("\n<question>")[2], c[-1]) for c in chats if c[-1]["content"] == ANSWER]
        rows = [{"messages": [{"role": "user", "content": f"The question:\n<question>{q}"}, a]} for q, a in asked]
        (short / name).write_text("\n".join(map(json.dumps, rows)))
    return short


def said(result) -> dict:
    assert result.exit_code == 0, result.output + result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def rows_of(artifacts: Path, kind: str, row: type) -> list:
    found = []
    for path in sorted((artifacts / kind).glob("*.parquet")):
        card = json.loads(path.with_suffix(".json").read_text())
        found += read_rows(Artifact(kind, str(path), card["sha256"], card["rows"], CONTRACTS[kind].version, 0.0), row)
    return found


def admit(preset: Path, artifacts: Path) -> None:
    """Note comparisons that went well: so small a model answers nothing, and what it is worth is not the point here."""
    for change in local_changes(with_local_models(load_preset(str(preset)), str(artifacts))):
        noted = Admission(change.use, change.model, "none", "tiny", 3, 0, 0, 1.0, "before", "after", 0.0)
        add_admission(local_folders(str(artifacts)).adapters, noted)


def test_from_training_questions_to_a_run_with_local_models(nl2sql, benchmark, tiny_model, tmp_path):
    artifacts, data, base = tmp_path / "artifacts", tmp_path / "data", tiny_model / "4bit"
    preset = tmp_path / "mine.toml"
    preset.write_text(PRESET.format(base=base))
    evaluate = ["evaluate", benchmark, "--database", "zoo", "--limit", 3, "--preset", preset]
    evaluate += ["--artifacts", artifacts, "--json"]
    refused = nl2sql(*evaluate)
    assert refused.exit_code == 1, refused.output
    assert "nl2sql train generator_b" in refused.stdout + refused.stderr

    made = ["traindata", benchmark, "--output", data, "--tokens", 1500, "--tokenizer", base, "--valid", 0.3]
    assert said(nl2sql(*made, "--test", 0, "--artifacts", artifacts, "--json"))["roles"]["selector"]["train"] > 0
    train = ["train", "generator_b", "--data", brief(data / "generator_b"), "--base", base, "--length", 128]
    train += ["--batch", 2, "--accumulation", 1, "--epochs", 4, "--learning-rate", 0.003, "--evaluations", 1]
    adapter = said(nl2sql(*train, "--artifacts", artifacts, "--json"))
    assert adapter["best_valid_loss"] < adapter["first_valid_loss"]
    assert "has not been compared" in nl2sql(*evaluate).stderr
    admit(preset, artifacts)
    first = said(nl2sql(*evaluate))
    calls = rows_of(artifacts, "model_calls", ModelCall)
    asked = {(c.role, c.prompt, c.model.split("@")[0]) for c in calls}
    assert asked == {
        ("generate", "generate/local", "local:generator_b"),
        ("compare", "compare/letter", f"local:{base}"),
    }
    assert all(c.output_tokens for c in calls)  # what so small a model says need be no SQL
    assert sum(c.dollars for c in calls) == first["cost"] == 0
    log = read_log(tmp_path / "lock")
    assert {entry["role"] for entry in log} >= {"train", "generate", "compare"}
    assert overlaps(log) == []
    second = said(nl2sql(*evaluate))
    assert second["reused"] == second["artifacts"] == first["artifacts"]
    assert len(read_log(tmp_path / "lock")) <= len(log) + 1  # no model was loaded again; the last one may have left
    local_model_for(local_folders(str(artifacts))).close()
    assert overlaps(read_log(tmp_path / "lock")) == []
