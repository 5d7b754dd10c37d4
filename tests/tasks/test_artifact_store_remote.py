"""Artifacts at an address are what they are in a folder: whole, true to their digest, or not there."""

import json
import os
from pathlib import Path

import pytest

from nl2sql.errors import UserError
from nl2sql.rows import Question
from tasks import remote_files
from tasks.artifact_store import (
    ArtifactStore,
    Provenance,
    local_folder,
    read_rows,
    read_text,
    remove_stale_temporaries,
    replace_file,
)

QUESTION = Question("1", "shop", "how many?", "", "SELECT 1", "simple", "dev")
OTHER = Question("2", "shop", "how many?", "", "SELECT 1", "simple", "dev")


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("NL2SQL_CACHE_FOLDER", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def store(cache, request) -> ArtifactStore:
    return ArtifactStore(f"memory://{request.node.name}/artifacts")


def write(store: ArtifactStore, rows=(QUESTION,), key="k"):
    return store.write("questions", key, rows, Provenance("test"))


def overwrite(place: str, content: bytes) -> None:
    """What somebody else does to a file of the store."""
    replace_file(place, lambda name: Path(name).write_bytes(content))


def test_what_is_written_is_found_and_read(store):
    artifact = write(store)
    assert artifact.path == f"{store.root}/questions/k.parquet"
    assert store.find("questions", "k") == artifact
    assert read_rows(artifact, Question) == [QUESTION]


def test_another_machine_reads_it_once(store, cache, tmp_path, monkeypatch):
    artifact = write(store)
    monkeypatch.setenv("NL2SQL_CACHE_FOLDER", str(tmp_path / "another machine"))
    assert read_rows(artifact, Question) == [QUESTION]
    remote_files.remove(artifact.path)
    assert read_rows(artifact, Question) == [QUESTION]  # from its disk, by the digest


def test_a_file_that_is_gone_is_not_found_though_the_cache_has_it(store):
    remote_files.remove(write(store).path)
    assert store.find("questions", "k") is None


@pytest.mark.parametrize("change", [lambda b: b[:-9] + b"\xff" + b[-8:], lambda b: b[:50], lambda b: b""])
def test_an_altered_file_is_not_found(store, change):
    artifact = write(store)
    content = remote_files.read_bytes(artifact.path)
    assert content
    overwrite(artifact.path, change(content))
    assert store.find("questions", "k") is None


def test_an_altered_file_is_not_read_where_it_was_not_read_before(store, tmp_path, monkeypatch):
    artifact = write(store)
    overwrite(artifact.path, b"PAR1 nonsense")
    monkeypatch.setenv("NL2SQL_CACHE_FOLDER", str(tmp_path / "another machine"))
    with pytest.raises(UserError, match="missing or altered"):
        read_rows(artifact, Question)


def test_a_copy_of_the_store_is_found_though_its_stamps_differ(store):
    artifact, copy = write(store), ArtifactStore(f"{store.root}-copy")
    for name in ("k.parquet", "k.json"):
        content = remote_files.read_bytes(f"{store.root}/questions/{name}")
        assert content
        overwrite(f"{copy.root}/questions/{name}", content)
    found = copy.find("questions", "k")
    assert found is not None
    assert (found.sha256, found.path) == (artifact.sha256, f"{copy.root}/questions/k.parquet")


def test_a_damaged_cache_is_read_again(store, cache):
    artifact = write(store)
    (held,) = cache.glob("*.parquet")
    held.write_bytes(b"PAR1 nonsense")
    assert read_rows(artifact, Question) == [QUESTION]


@pytest.mark.parametrize("card", [b"", b"{", b"[]", b'{"kind": "questions"}', b"\x00\xff"])
def test_a_broken_card_means_no_artifact(store, card):
    artifact = write(store)
    overwrite(f"{store.root}/questions/k.json", card)
    assert store.find("questions", "k") is None
    assert write(store).sha256 == artifact.sha256


def test_a_card_names_no_file_outside_of_the_cache(store, tmp_path):
    artifact = write(store)
    place = f"{store.root}/questions/k.json"
    card = json.loads(read_text(place))
    (tmp_path / "secret.parquet").write_bytes(b"PAR1")
    overwrite(place, json.dumps({**card, "sha256": "../secret"}).encode())
    found = store.find("questions", "k")
    assert found is not None  # the stamp is right
    with pytest.raises(UserError, match="no SHA-256"):
        read_rows(found, Question)
    assert (tmp_path / "secret.parquet").read_bytes() == b"PAR1"
    assert artifact.sha256 != "../secret"


def test_rows_that_break_the_contract_leave_nothing_behind(store, cache):
    with pytest.raises(Exception, match="more than once"):
        write(store, rows=(QUESTION, QUESTION))
    assert store.find("questions", "k") is None
    assert not list(cache.glob(".*"))


def test_only_what_was_not_read_for_a_month_leaves_the_cache(store, cache):
    old, new = write(store), write(store, rows=(OTHER,), key="other")
    for path in cache.glob("*.parquet"):
        os.utime(path, (0, 0))
    assert read_rows(new, Question) == [OTHER]
    remove_stale_temporaries(store.root)
    assert [p.stem for p in cache.glob("*.parquet")] == [new.sha256]
    assert read_rows(old, Question) == [QUESTION]  # from the store


def test_an_address_that_nothing_can_read_is_one_clear_line(cache):
    with pytest.raises(UserError, match="--artifacts"):
        ArtifactStore("nowhere://bucket").prepare()


def test_what_needs_a_disk_lies_in_a_folder(monkeypatch, tmp_path):
    assert local_folder(str(tmp_path)) == str(tmp_path)
    assert local_folder("s3://bucket/prefix") == "artifacts"
    monkeypatch.setenv("NL2SQL_LOCAL_FOLDER", str(tmp_path))
    assert local_folder("s3://bucket/prefix") == str(tmp_path)
