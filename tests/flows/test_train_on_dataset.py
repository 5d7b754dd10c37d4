"""Training on demand: from train questions to an adapter in one flow run, and again for nothing."""

import json
import shutil
from pathlib import Path

import pytest

from flows.generate_training_data import DataOptions
from flows.manifests import artifact, manifest_of, read_manifest
from flows.train_on_dataset import RecipeOptions, train_on_dataset
from nl2sql.training.rows import Adapter
from tasks.artifact_store import read_rows

pytestmark = [pytest.mark.usefixtures("server"), pytest.mark.xdist_group("prefect")]
TRAIN = (
    ("zoo", "How many animals are kept in the zoo?", "SELECT COUNT(*) FROM animal"),
    ("zoo", "Give the name of every keeper.", "SELECT name FROM keeper"),
    ("shop", "How much is the desk?", "SELECT price FROM item WHERE name = 'desk'"),
    ("shop", "What do we sell below 50?", "SELECT name FROM item WHERE price < 50"),
)


@pytest.fixture
def training(tiny) -> Path:
    databases = tiny / "dev_databases"
    shutil.copytree(databases, tiny / "train_databases")
    shutil.copytree(databases / "zoo", databases / "tower")
    (databases / "tower" / "zoo.sqlite").rename(databases / "tower" / "tower.sqlite")
    train = [{"question_id": i, "db_id": d, "question": q, "SQL": s} for i, (d, q, s) in enumerate(TRAIN)]
    (tiny / "train.json").write_text(json.dumps(train))
    asked = {"question_id": 0, "db_id": "tower", "question": "How high is the tower?", "SQL": "SELECT 1"}
    (tiny / "dev.json").write_text(json.dumps([asked]))
    return tiny


def test_data_and_adapter_in_one_run(training, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("NL2SQL_LOCK_FOLDER", str(tmp_path / "lock"))
    asked = {"dataset": str(training), "artifacts": str(tmp_path / "artifacts"), "base": str(tiny_model / "4bit")}
    recipe = RecipeOptions(epochs=0.5, evaluations=1, accumulation=1, rank=2, layers=1)
    asked |= {
        "role": "generator_b",
        "data": DataOptions(valid=0.5, test=0),
        "recipe": recipe,
        "return_state": True,
    }
    state = train_on_dataset(**asked)
    assert state.is_completed(), state.message
    (made,) = read_manifest(manifest_of(state))
    (adapter,) = read_rows(artifact(made), Adapter)
    assert adapter.role == "generator_b"
    assert (Path(adapter.path) / "adapters.safetensors").is_file()
    (again,) = read_manifest(manifest_of(train_on_dataset(**asked)))
    assert again.reused


def test_questions_without_enough_to_validate_with_are_told(training, tiny_model, tmp_path):
    asked = {"dataset": str(training), "artifacts": str(tmp_path / "artifacts"), "base": str(tiny_model / "4bit")}
    state = train_on_dataset(**asked, databases=("zoo",), data=DataOptions(valid=0, test=0), return_state=True)
    assert state.is_failed()
    assert "valid.jsonl" in state.message
