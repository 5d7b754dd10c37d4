"""Local models from the demo's train questions to a run: data, 4-bit QLoRA, candidates that are right, selections."""

import json
from pathlib import Path

import pytest

from flows.admission_steps import local_changes
from flows.local_limits import local_folders
from flows.model_settings import with_local_models
from flows.options import load_preset
from nl2sql.contracts import CONTRACTS
from nl2sql.models.admissions import Admission, add_admission
from nl2sql.models.chat import Prompt, Request
from nl2sql.models.local import local_model_for
from nl2sql.models.local_models import resolve_local
from nl2sql.models.model_lock import overlaps, read_log
from nl2sql.rows import Candidate, ModelCall
from tasks.artifact_store import Artifact, read_rows
from tests.taught_model import DATABASE, DEMO, HELD

pytestmark = [pytest.mark.usefixtures("server", "own_lock"), pytest.mark.xdist_group("prefect")]
TOKENS = 288  # of the longest chat: one that shows a part of the schema
ASKS = {"generator_b": "You write the SQLite query", "selector": "You judge"}  # how the chats of a role's task begin
PRESET = """
margin = 1.0
fix_attempts = 1

[roles]
fix = {{ model = "generator_b", context_tokens = 400, max_tokens = 48 }}
compare = {{ model = "selector", context_tokens = 400 }}

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
context_tokens = 200
max_tokens = 48

[[lineup]]
name = "untrained"
model = "local:{base}"
prompts = ["local"]
schema_format = "markdown"
views = ["s1", "s2"]
temperatures = [0.0]
context_tokens = 200
max_tokens = 48
"""


@pytest.fixture
def own_lock(tmp_path, monkeypatch):
    """Tests do not wait for the models of whoever uses this machine."""
    monkeypatch.setenv("NL2SQL_LOCK_FOLDER", str(tmp_path / "lock"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def held_in(folder: Path, role: str) -> Path:
    """The chats of a role's own task, judged by the same ones: what is to be seen is whether they are learnt."""
    parts = [(folder / role / f"{part}.jsonl").read_text().splitlines() for part in ("train", "valid")]
    chats = [
        line for part in parts for line in part if json.loads(line)["messages"][0]["content"].startswith(ASKS[role])
    ]
    target = folder / "held_in" / role
    target.mkdir(parents=True)
    for part in ("train", "valid"):
        (target / f"{part}.jsonl").write_text("\n".join(chats))
    return target


def reproduced(model: str, chats: Path, artifacts: Path) -> int:
    """How many of the chats a model answers as it was taught, to the letter."""
    folders = local_folders(str(artifacts))
    rows = [json.loads(line)["messages"] for line in (chats / "train.jsonl").read_text().splitlines()]
    prompts = [Prompt("generate/local", system["content"], "", user["content"]) for system, user, _ in rows]
    name, local = resolve_local(model, folders), local_model_for(folders)
    replies = local.ask([Request(name, prompt, max_tokens=48) for prompt in prompts])
    local.close()
    return sum(reply.text.strip() == row[-1]["content"] for reply, row in zip(replies, rows, strict=True))


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
    """Note comparisons that went well: `admit` has a test of its own, and held-in answers say nothing of dev's."""
    for change in local_changes(with_local_models(load_preset(str(preset)), str(artifacts))):
        noted = Admission(change.use, change.model, "none", "demo", 3, 0, 0, 1.0, "before", "after", 0.0)
        add_admission(local_folders(str(artifacts)).adapters, noted)


def test_from_training_questions_to_a_run_with_local_models(nl2sql, taught_model, tmp_path):
    artifacts, data, base = tmp_path / "artifacts", tmp_path / "data", taught_model / "4bit"
    preset = tmp_path / "mine.toml"
    preset.write_text(PRESET.format(base=base))
    asked = [DEMO, "--database", DATABASE, "--limit", HELD, "--artifacts", artifacts, "--json"]
    evaluate = ["evaluate", *asked, "--split", "train", "--preset", preset]
    refused = nl2sql(*evaluate)
    assert refused.exit_code == 1, refused.output
    assert "nl2sql train" in refused.stdout + refused.stderr

    made = said(nl2sql("traindata", *asked, "--output", data, "--tokens", TOKENS, "--tokenizer", base, "--test", 0))
    assert made["roles"]["selector"]["train"] > 0
    train = ["--base", base, "--length", TOKENS, "--batch", 2, "--accumulation", 1, "--no-checkpointing"]
    train += ["--rank", 16, "--learning-rate", 0.0002, "--evaluations", 1, "--artifacts", artifacts, "--json"]
    taught = held_in(data, "generator_b")
    generator = said(nl2sql("train", "generator_b", "--data", taught, "--epochs", 14, *train))
    selector = said(nl2sql("train", "selector", "--data", held_in(data, "selector"), "--epochs", 1, *train))
    for adapter, share in ((generator, 0.1), (selector, 0.9)):
        assert adapter["best_valid_loss"] < share * adapter["first_valid_loss"]
        assert 0 < adapter["peak_bytes"] <= adapter["planned_bytes"]
    assert reproduced("generator_b", taught, artifacts) >= 8
    assert reproduced(str(base), taught, artifacts) == 0
    assert "has not been compared" in nl2sql(*evaluate).stderr

    admit(preset, artifacts)
    first = said(nl2sql(*evaluate))
    calls = rows_of(artifacts, "model_calls", ModelCall)
    asked_of = {(c.role, c.prompt, c.model.split("@")[0]) for c in calls}
    assert asked_of >= {
        ("generate", "generate/local", "local:generator_b"),
        ("generate", "generate/local", f"local:{base}"),
        ("fix", "fix/local", "local:generator_b"),
        ("compare", "compare/letter", "local:selector"),
    }
    assert first["generators"]["B1"]["correct"] >= 1  # questions that its first candidate answers as the gold does
    assert first["generators"]["untrained"]["correct"] == 0
    golds = {json.loads(line)["messages"][-1]["content"] for line in (taught / "train.jsonl").read_text().splitlines()}
    wrote = rows_of(artifacts, "candidates", Candidate)
    # Five where this was written; another processor rounds otherwise.
    assert {c.question_id for c in wrote if c.generator == "B1" and c.sql in golds}
    assert not [c for c in wrote if c.generator == "untrained" and c.sql in golds]
    assert sum(c.dollars for c in calls) == first["cost"] == 0

    log = read_log(tmp_path / "lock")
    assert {entry["role"] for entry in log} >= {"train", "generate", "compare"}
    assert overlaps(log) == []
    second = said(nl2sql(*evaluate))
    assert second["reused"] == second["artifacts"] == first["artifacts"]
    assert len(read_log(tmp_path / "lock")) <= len(log) + 1  # no model was loaded again; the last one may have left
    local_model_for(local_folders(str(artifacts))).close()
    assert overlaps(read_log(tmp_path / "lock")) == []
