"""Training files on disk: what is refused leaves nothing behind, and a round's solutions come back as they were."""

from pathlib import Path

import pytest

from nl2sql.errors import UserError
from nl2sql.rows import Question
from nl2sql.training.rows import Chat, Solution
from tasks.artifact_store import ArtifactStore, Provenance
from tasks.write_training_files import read_card, read_solutions, write_training_files

SOLUTION = Solution("1", "zoo", "simple", "s1", "SELECT '谁'", "rules", "", "rules/1", 2, 5, 3)


def chat(number: int, split: str) -> Chat:
    sort = ("a", "question", split, "zoo", str(number), "simple", "gold", "none", True, "train/question")
    return Chat(
        f"a/question/{number}", *sort, "Say it.", "SELECT 1", f"How many otters are in zoo {number}?", 9, 19, ""
    )


def dev(question: str) -> list[Question]:
    return [Question("7", "tower", question, "", "SELECT 1", "", "dev")]


@pytest.fixture
def chats(tmp_path):
    rows = [chat(1, "train"), chat(2, "train"), chat(3, "valid")]
    return [ArtifactStore(str(tmp_path / "artifacts")).write("chats", "k", rows, Provenance("t"))]


def test_files_card_and_solutions(chats, tmp_path):
    folder = str(tmp_path / "out")
    written = write_training_files(folder, chats, [], [SOLUTION], dev("How high is it?"), 0, {"benchmark": "own"})
    assert written.roles["generator_a"] == {"train": 2, "valid": 1, "test": 0}
    assert set(written.files) == {"generator_a/train.jsonl", "generator_a/valid.jsonl"}
    card = read_card(folder)
    assert (card["benchmark"], card["inputs"]) == ("own", {"chats": [chats[0].sha256]})
    assert read_solutions(folder) == (SOLUTION,)


def test_a_part_that_is_empty_now_has_no_file_of_an_earlier_run(chats, tmp_path):
    old = tmp_path / "out" / "generator_a" / "test.jsonl"
    old.parent.mkdir(parents=True)
    old.write_text("{}\n")
    write_training_files(str(tmp_path / "out"), chats, [], [], [], 0, {})
    assert not old.exists()


def test_a_leak_writes_nothing(chats, tmp_path):
    with pytest.raises(UserError, match="nothing was written"):
        write_training_files(str(tmp_path / "out"), chats, [], [], dev("how many otters are in zoo 2"), 0, {})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", [None, "{", '{"question_id": "1"}', "[]"])
def test_a_folder_without_solutions_is_one_line(tmp_path: Path, text):
    if text is not None:
        (tmp_path / "solutions.jsonl").write_text(text)
    with pytest.raises(UserError, match="no solutions of an earlier round"):
        read_solutions(str(tmp_path))
