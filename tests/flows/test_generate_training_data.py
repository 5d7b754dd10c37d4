"""nl2sql traindata from question file to JSON lines: with databases, without them, and what is refused."""

import json
import shutil
from pathlib import Path

import pytest

from nl2sql.contracts import CONTRACTS
from nl2sql.training.rows import Chat
from tasks.artifact_store import Artifact, read_rows

TRAIN = (
    ("zoo", "How many animals are kept in the zoo?", "SELECT COUNT(*) FROM animal", ""),
    ("zoo", "Give the name of every keeper.", "SELECT name FROM keeper", ""),
    ("zoo", "Which otters do we have?", "SELECT name FROM animal WHERE species = 'otter'", "otter refers to species"),
    ("zoo", "谁最老？", "SELECT name FROM keeper ORDER BY age DESC LIMIT 1", ""),
    ("zoo", "Whose gold is broken?", "SELECT nme FROM keeper", ""),
    ("shop", "How much is the desk?", "SELECT price FROM item WHERE name = 'desk'", ""),
    ("shop", "What do we sell below 50?", "SELECT name FROM item WHERE price < 50", ""),
    (
        "gone",
        "How many flights leave from Oslo?",
        "SELECT COUNT(*) FROM flight WHERE origin = 'Oslo'",
        "leave refers to origin",
    ),
)
DEV = (("tower", "How high is the tower?", "SELECT COUNT(*) FROM animal"),)


@pytest.fixture
def training(tiny) -> Path:
    """A benchmark with train questions; the database of one of them is not there, and dev asks another."""
    databases = tiny / "dev_databases"
    shutil.copytree(databases, tiny / "train_databases")
    shutil.copytree(databases / "zoo", databases / "tower")
    (databases / "tower" / "zoo.sqlite").rename(databases / "tower" / "tower.sqlite")
    write(tiny / "train.json", [(*t[:3], t[3]) for t in TRAIN])
    write(tiny / "dev.json", [(*d, "") for d in DEV])
    return tiny


def write(path: Path, entries) -> None:
    names = ("db_id", "question", "SQL", "evidence")
    path.write_text(json.dumps([{"question_id": i, **dict(zip(names, e, strict=True))} for i, e in enumerate(entries)]))


def said(result) -> dict:
    return json.loads(result.stdout.splitlines()[-1])


def lines(folder: Path, name: str) -> list[dict]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.jsonl"))}


def test_from_questions_to_files_and_again_from_the_cache(server, nl2sql, training, tmp_path):
    first = nl2sql("traindata", training, "--output", tmp_path / "one", "--tokens", 1500, "--json")
    assert first.exit_code == 0, first.output
    told = said(first)
    assert told["dropped"]["gold: error"] >= 1
    assert (told["questions"], told["without_database"], told["leaks"]) == (7, 1, {})
    assert sum(told["roles"]["generator_a"].values()) > sum(told["roles"]["generator_b"].values()) > 0
    assert sum(told["roles"]["selector"].values()) % 2 == 0
    chats = [m for name in ("train", "valid", "test") for m in lines(tmp_path / "one", f"generator_a/{name}.jsonl")]
    assert all([m["role"] for m in c["messages"]] == ["system", "user", "assistant"] for c in chats)
    assert any("谁最老？" in c["messages"][1]["content"] for c in chats)
    assert told["files"].keys() == {n for n in files(tmp_path / "one") if "/" in n}

    again = nl2sql("traindata", training, "--output", tmp_path / "two", "--tokens", 1500, "--json")
    assert files(tmp_path / "two") == files(tmp_path / "one")  # byte for byte
    assert said(again)["reused"] > 10
    assert "written to" in again.stdout


def test_parts_share_no_database(server, nl2sql, training, tmp_path):
    told = said(nl2sql("traindata", training, "--output", tmp_path / "out", "--json"))
    parts: dict[str, set] = {}
    for path in Path(told["manifest"]).parents[1].glob("chats/*.parquet"):
        for chat in read_rows(found(path, "chats"), Chat):
            parts.setdefault(chat.db_id, set()).add(chat.split)
    assert all(len(split) == 1 for split in parts.values())
    assert set().union(*parts.values()) == {"train", "valid", "test"}


def found(path: Path, kind: str) -> Artifact:
    card = json.loads(path.with_suffix(".json").read_text())
    return Artifact(kind, str(path), card["sha256"], card["rows"], CONTRACTS[kind].version, 0.0)


def test_leaks_are_left_out_and_counted(server, nl2sql, training, tmp_path):
    write(training / "dev.json", [("tower", "Which otters do we have", "SELECT 1", "")])
    told = said(nl2sql("traindata", training, "--output", tmp_path / "out", "--json"))
    assert told["leaks"] == {"question": 1}
    assert told["dropped"]["leak: question"] >= 1
    assert not any(b"Which otters" in text for text in files(tmp_path / "out").values())


def test_rebuilt_schemas_can_be_left_out(server, nl2sql, training, tmp_path):
    arguments = ("traindata", training, "--database", "gone", "--json", "--output", tmp_path / "out")
    sources = [
        {b["schema_source"] for b in said(nl2sql(*arguments, *more))["balance"]} for more in ((), ("--no-rebuilt",))
    ]
    assert sources == [{"rebuilt", "none"}, {"none"}]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--tokenizer", "no/such-model"), "tokenizer no/such-model"),
        (("--database", "nowhere"), "no training questions with SQL about nowhere"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(server, nl2sql, training, tmp_path, more, message):
    result = nl2sql("traindata", training, "--output", tmp_path / "out", *more)
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) <= 2
    assert files(tmp_path / "out") == {} if (tmp_path / "out").exists() else True


def test_an_empty_training_split_is_one_line(nl2sql, tiny):
    (tiny / "train.json").write_text("[]")
    result = nl2sql("traindata", tiny)
    assert result.exit_code == 1
    assert "no training questions" in result.stderr
