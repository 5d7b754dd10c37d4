"""Artifacts are whole, true to their contract, or not there."""

import os
import stat
import threading
from pathlib import Path

import pytest

from nl2sql.contracts import ContractError
from nl2sql.errors import UserError
from nl2sql.rows import Question
from tasks.artifact_store import ArtifactStore, Provenance, read_rows, remove_stale_temporaries

QUESTION = Question("1", "shop", "how many?", "", "SELECT 1", "simple", "dev")


@pytest.fixture
def store(tmp_path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path / "artifacts"))


def write(store: ArtifactStore, rows=(QUESTION,), key="k"):
    return store.write("questions", key, rows, Provenance("test"))


def test_what_is_written_is_found_and_read(store):
    artifact = write(store)
    assert store.find("questions", "k") == artifact
    assert read_rows(artifact, Question) == [QUESTION]


def test_an_altered_file_is_not_found(store):
    artifact = write(store)
    with open(artifact.path, "r+b") as file:
        file.seek(20)
        file.write(b"\xff")
    assert store.find("questions", "k") is None
    with pytest.raises(UserError, match="missing or altered"):
        read_rows(artifact, Question)


def test_a_truncated_file_is_not_found(store):
    artifact = write(store)
    os.truncate(artifact.path, 100)
    assert store.find("questions", "k") is None


@pytest.mark.parametrize("card", ["", "{", "[]", '{"kind": "questions"}', "\x00"])
def test_a_broken_card_means_no_artifact(store, card):
    artifact = write(store)
    Path(artifact.path).with_suffix(".json").write_text(card)
    assert store.find("questions", "k") is None
    assert write(store).sha256 == artifact.sha256


def test_a_file_without_its_card_is_not_an_artifact_yet(store):
    artifact = write(store)
    Path(artifact.path).with_suffix(".json").unlink()
    assert store.find("questions", "k") is None


def test_rows_that_break_the_contract_leave_nothing_behind(store):
    with pytest.raises(ContractError, match="more than once"):
        write(store, rows=(QUESTION, QUESTION))
    assert store.find("questions", "k") is None
    assert not list(Path(store.root).rglob("*.parquet"))


def test_an_unwritable_folder_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UserError, match=r"cannot write .*--artifacts"):
        write(ArtifactStore(str(tmp_path / "file")))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_clear_line(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(UserError, match="Permission denied"):
        write(ArtifactStore(str(tmp_path)))


def test_writers_of_one_key_at_once_leave_one_whole_artifact(store):
    threads = [threading.Thread(target=write, args=(store,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = store.find("questions", "k")
    assert found is not None
    assert read_rows(found, Question) == [QUESTION]
    assert not list(Path(store.root).rglob("*.tmp"))


def test_only_old_temporaries_are_removed(store):
    write(store)
    folder = Path(store.root) / "questions"
    old, new = folder / ".a.1.tmp", folder / ".b.2.tmp"
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    remove_stale_temporaries(store.root)
    assert not old.exists()
    assert new.exists()
