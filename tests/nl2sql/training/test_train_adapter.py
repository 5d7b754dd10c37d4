"""Training on a tiny model: what is learnt, what a kill costs, what is refused."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from nl2sql.errors import UserError
from nl2sql.models.chat import Prompt, Request
from nl2sql.models.local import Local
from nl2sql.models.local_models import LocalFolders, file_digest, resolve_local
from nl2sql.models.model_lock import overlaps, read_log
from nl2sql.training.recipe import Recipe
from nl2sql.training.train_adapter import describe_training, export_fused, train_adapter

ROOT = Path(__file__).parents[3]
PAIRS = (
    ("How many animals are there?", "SELECT COUNT(*) FROM animal"),
    ("List the names of all keepers.", "SELECT name FROM keeper"),
    ("How many otters do we have?", "SELECT COUNT(*) FROM animal WHERE species = 'otter'"),
    ("What is the price of the lamp?", "SELECT price FROM item WHERE name = 'lamp'"),
    ("How many items are there?", "SELECT COUNT(*) FROM item"),
)
SYSTEM = "You write SQLite."
QUICK = Recipe(rank=4, length=64, accumulation=2, epochs=4.0, learning_rate=3e-4, evaluations=5)
TRAIN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from nl2sql.models.local_models import LocalFolders
from nl2sql.training.recipe import Recipe
from nl2sql.training.train_adapter import describe_training, train_adapter
base, data, adapters, lock = map(Path, sys.argv[3:])
folders, recipe = LocalFolders(adapters, lock), Recipe(**json.loads(sys.argv[2]))
training = describe_training("selector", str(base), data, recipe, folders)
train_adapter(training, data, folders, lambda message: print(message["note"], flush=True))
"""


def chat(question: str, sql: str) -> dict:
    turns = zip(("system", "user", "assistant"), (SYSTEM, question, sql), strict=True)
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def write_data(folder: Path, train: list | None = None, valid: list | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    rows = [chat(*pair) for pair in PAIRS]
    for name, held in (("train", train), ("valid", valid)):
        text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in (rows if held is None else held))
        (folder / f"{name}.jsonl").write_text(text)
    return folder


@pytest.fixture
def folders(tmp_path) -> LocalFolders:
    return LocalFolders(tmp_path / "adapters", tmp_path / "lock")


@pytest.fixture
def data(tmp_path) -> Path:
    return write_data(tmp_path / "data")


def test_a_trained_generator_reproduces_what_an_untrained_one_cannot(tiny_model, folders, data):
    base = str(tiny_model / "4bit")
    recipe = Recipe(rank=16, length=64, batch=2, accumulation=1, epochs=45.0, learning_rate=3e-4, evaluations=3)
    training = describe_training("generator_a", base, data, recipe, folders)
    heard: list[dict] = []
    row = train_adapter(training, data, folders, heard.append)
    assert row.best_valid_loss < 0.1 * row.first_valid_loss
    assert 0 < row.peak_bytes <= row.planned_bytes
    assert {"plan", "data", "step", "valid", "saved", "done"} <= {m["note"] for m in heard}
    card = json.loads((Path(row.path) / "card.json").read_text())
    assert card["data"]["train.jsonl"] == file_digest(data / "train.jsonl")
    assert card["chats"] == {"train": 5, "valid": 5}
    assert card["versions"]["mlx-lm"]
    assert not list(folders.adapters.glob(".*"))
    local = Local(folders)
    right = {name: answers(local, resolve_local(name, folders)) for name in ("generator_a", base)}
    local.close()
    assert right == {"generator_a": 5, base: 0}
    assert overlaps(read_log(folders.lock)) == []
    again = train_adapter(training, data, folders, lambda message: pytest.fail("trained twice"))
    assert again == row


def answers(local: Local, model: str) -> int:
    replies = local.ask([Request(model, Prompt("x", SYSTEM, "", q), max_tokens=40) for q, _ in PAIRS])
    return sum(reply.text == sql for reply, (_, sql) in zip(replies, PAIRS, strict=True))


def test_a_killed_run_ends_with_the_same_weights(tiny_model, data, tmp_path):
    base = tiny_model / "fp32"
    through, killed = (LocalFolders(tmp_path / name, tmp_path / "lock") for name in ("through", "killed"))
    training = describe_training("selector", str(base), data, QUICK, through)
    whole = train_adapter(training, data, through)
    recipe = json.dumps(vars(QUICK))
    command = [sys.executable, "-c", TRAIN, str(ROOT), recipe, *map(str, (base, data, killed.adapters, killed.lock))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while process.stdout.readline().strip() != "saved":
        assert process.poll() is None
    held = [entry for entry in read_log(killed.lock) if entry["event"] == "acquired"][-1]
    os.kill(held["pid"], signal.SIGKILL)
    process.kill()
    process.wait()
    work = killed.adapters / f".{training.name}.training"
    wait_for(lambda: (work / "checkpoint.safetensors").exists())
    assert not (killed.adapters / training.name).exists()
    notes: list[dict] = []
    resumed = train_adapter(training, data, killed, notes.append)
    steps = [m["step"] for m in notes if m["note"] == "step"]
    assert steps[0] > 1
    assert steps[-1] == 10
    assert resumed.weights_digest == whole.weights_digest
    assert resumed.best_valid_loss == whole.best_valid_loss
    cards = [json.loads((Path(row.path) / "card.json").read_text()) for row in (whole, resumed)]
    assert cards[0]["curve"] == cards[1]["curve"]
    assert [card["resumed"] for card in cards] == [0, 1]
    assert overlaps(read_log(killed.lock)) == []


def wait_for(there) -> None:
    deadline = time.monotonic() + 10
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_early_stop_keeps_the_best_weights(tiny_model, folders, tmp_path):
    other = [chat("What is the price?", "zzzz qqqq 0000")]
    data = write_data(tmp_path / "odd", valid=other)
    recipe = replace(QUICK, accumulation=1, epochs=20.0, evaluations=50, patience=2, learning_rate=3e-3)
    row = train_adapter(describe_training("selector", str(tiny_model / "fp32"), data, recipe, folders), data, folders)
    card = json.loads((Path(row.path) / "card.json").read_text())
    assert card["steps_done"] < card["steps"]
    valid = {point["step"]: point["valid"] for point in card["curve"] if "valid" in point}
    assert card["best_valid_loss"] == min(valid.values()) == valid[card["best_step"]]
    assert list(valid.values())[-2:] > [card["best_valid_loss"]] * 2


def test_a_loss_that_is_no_number_stops_and_overwrites_nothing(tiny_model, folders, data):
    recipe = replace(QUICK, learning_rate=9e5, scale=9e5)
    training = describe_training("selector", str(tiny_model / "fp32"), data, recipe, folders)
    with pytest.raises(UserError, match=r"the loss is \w+ at step \d+ of 10: stopped, nothing was overwritten"):
        train_adapter(training, data, folders)
    assert not (folders.adapters / training.name).exists()


def test_bad_rows_are_refused_before_the_first_step(tiny_model, folders, tmp_path):
    long = chat("word " * 60, "SELECT 1")
    data = write_data(tmp_path / "long", train=[chat(*PAIRS[0]), long, long])
    training = describe_training("selector", str(tiny_model / "fp32"), data, QUICK, folders)
    notes: list[dict] = []
    with pytest.raises(
        UserError, match=r"train.jsonl: 2 of 3 chats are over the limit of 64 tokens, the first is chat 2"
    ):
        train_adapter(training, data, folders, notes.append)
    assert not [m for m in notes if m["note"] != "plan"]
    assert read_log(folders.lock) == []


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ([], "holds no chats"),
        (["{"], "line 1 is no chat"),
        (["[]"], "line 1 is no chat"),
        ([{"messages": []}], "must be the assistant's answer"),
        ([chat("Q", " \n")], "must be the assistant's answer"),
        ([{"messages": [{"role": "user", "content": None}, {"role": "assistant", "content": "x"}]}], "needs a role"),
        ([chat("Q", "A"), {"messages": [{"role": "robot", "content": "x"}]}], "line 2: a message needs a role"),
    ],
)
def test_data_that_is_no_chats_is_one_clear_line(tiny_model, folders, tmp_path, train, said):
    data = write_data(tmp_path / "data", train=train)
    with pytest.raises(UserError, match=said) as error:
        describe_training("selector", str(tiny_model / "fp32"), data, QUICK, folders)
    assert "\n" not in str(error.value)


def test_a_base_that_is_not_here_and_a_machine_that_is_too_small(tiny_model, folders, data):
    with pytest.raises(UserError, match="nothing is downloaded by itself"):
        describe_training("selector", "mlx-community/Qwen2.5-Coder-7B-Instruct-4bit", data, QUICK, folders)
    training = describe_training("selector", str(tiny_model / "fp32"), data, QUICK, folders)
    with pytest.raises(UserError, match="training needs about"):
        train_adapter(training, data, folders, limit=1_000_000)
    assert not folders.adapters.exists()


@pytest.mark.parametrize("changed", [{"rank": 0}, {"epochs": 0.0}, {"learning_rate": float("nan")}, {"batch": -1}])
def test_options_that_no_run_can_have(tiny_model, folders, data, changed):
    with pytest.raises(UserError, match=f"{next(iter(changed))} is"):
        describe_training("selector", str(tiny_model / "fp32"), data, replace(QUICK, **changed), folders)


def test_checkpoints_that_are_broken_or_of_another_run_are_left_alone(tiny_model, folders, data):
    training = describe_training("selector", str(tiny_model / "fp32"), data, QUICK, folders)
    work = folders.adapters / f".{training.name}.training"
    work.mkdir(parents=True)
    file = work / "checkpoint.safetensors"
    shutil.copy(tiny_model / "fp32" / "model.safetensors", file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UserError, match="half-written"):
        train_adapter(training, data, folders)
    shutil.copy(tiny_model / "fp32" / "model.safetensors", file)
    before = file_digest(file)
    with pytest.raises(UserError, match="is no checkpoint of a training run"):
        train_adapter(training, data, folders)
    assert file_digest(file) == before


def test_a_fused_export_answers_as_base_and_adapter_do(tiny_model, folders, data, tmp_path):
    base = str(tiny_model / "4bit")
    recipe = replace(QUICK, learning_rate=3e-3, epochs=2.0, evaluations=1)
    row = train_adapter(describe_training("selector", base, data, recipe, folders), data, folders)
    export_fused(Path(row.path), tmp_path / "fused", folders)
    with pytest.raises(UserError, match="exists already"):
        export_fused(Path(row.path), tmp_path / "fused", folders)
    local = Local(folders)
    requests = [
        Request(resolve_local(name, folders), Prompt("x", SYSTEM, "", "How many?"), max_tokens=1, logprobs=5)
        for name in ("selector", str(tmp_path / "fused"), base)
    ]
    served, fused, untrained = (dict(reply.logprobs) for reply in local.ask(requests))
    local.close()
    assert fused == pytest.approx(served, abs=1e-3)
    assert untrained != pytest.approx(served, abs=1e-1)
