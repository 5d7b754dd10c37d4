"""`nl2sql train` and `nl2sql models` over a real Prefect server and a tiny model."""

import json
import shutil
from pathlib import Path

import pytest

pytestmark = [pytest.mark.usefixtures("server", "own_lock"), pytest.mark.xdist_group("prefect")]
CHAT = {
    "messages": [
        {"role": "user", "content": "How many?"},
        {"role": "assistant", "content": "SELECT COUNT(*) FROM animal"},
    ]
}


@pytest.fixture
def own_lock(tmp_path, monkeypatch):
    """Tests do not wait for the models of whoever uses this machine, nor list them."""
    monkeypatch.setenv("NL2SQL_LOCK_FOLDER", str(tmp_path / "lock"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def data(tmp_path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("train", "valid"):
        (folder / f"{name}.jsonl").write_text("\n".join([json.dumps(CHAT)] * 4))
    return folder


def last_json(result) -> dict:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


def test_train_makes_an_adapter_once_and_models_lists_it(nl2sql, tiny_model, data, tmp_path):
    artifacts = tmp_path / "artifacts"
    told = ["train", "selector", "--data", data, "--base", tiny_model / "4bit", "--length", "64", "--accumulation", "1"]
    told += ["--epochs", "1", "--evaluations", "1", "--artifacts", artifacts, "--json"]
    first = nl2sql(*told)
    made = last_json(first)
    assert made["role"] == "selector"
    assert made["best_valid_loss"] < made["first_valid_loss"]
    assert made["asked_as"].startswith(f"local:{made['name']}@")
    assert "validation loss" in first.stderr
    assert "<svg" in Path(made["report"]).read_text()
    one_at_a_time()
    assert last_json(nl2sql(*told))["seconds"] == made["seconds"]  # found, not trained again
    listed = last_json(nl2sql("models", "--artifacts", artifacts, "--json"))
    assert [(m["name"], m["fits"], m["problem"]) for m in listed["models"]] == [(made["name"], True, "")]
    assert listed["holder"] is None
    shutil.rmtree(made["path"])
    again = last_json(nl2sql(*told))
    assert again["weights_digest"] == made["weights_digest"]
    assert Path(again["path"]).is_dir()


def one_at_a_time() -> None:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        found = client.read_global_concurrency_limit_by_name("tag:mlx")
    assert (found.limit, found.active) == (1, True)


def test_mistakes_are_one_line(nl2sql, tiny_model, data, tmp_path):
    artifacts = tmp_path / "artifacts"
    absent = nl2sql("train", "selector", "--data", data, "--artifacts", artifacts, "--json")
    assert absent.exit_code == 1
    assert "is not on this machine, and nothing is downloaded" in json.loads(absent.stdout.splitlines()[-1])["error"]
    (data / "train.jsonl").write_text("")
    empty = nl2sql("train", "selector", "--data", data, "--base", tiny_model / "fp32", "--artifacts", artifacts)
    assert empty.exit_code == 1
    assert len([line for line in empty.stderr.splitlines() if "holds no chats" in line]) == 1
    assert nl2sql("train", "poet", "--data", data).exit_code == 2
    nothing = nl2sql("models", "--artifacts", artifacts)
    assert "no local model yet" in nothing.stdout
