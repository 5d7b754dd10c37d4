import sqlite3
from contextlib import closing

import numpy as np
import pytest

from nl2sql.errors import UserError
from nl2sql.indexes.embedding import embed
from tasks.artifact_store import ArtifactStore
from tasks.embedding_store import FILE, EmbeddingStore


def held(folder):
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return connection.execute("SELECT COUNT(*) FROM embedding").fetchone()[0]


def test_vectors_are_those_of_the_model_in_the_order_of_the_texts(tmp_path):
    kept = EmbeddingStore(ArtifactStore(str(tmp_path)))
    texts = ["a dog", "", "a cat", "a dog", "x" * 5000]
    for _ in range(2):
        assert np.allclose(kept.embed(texts), embed(texts), atol=1e-5)
    assert held(tmp_path) == 4
    assert kept.embed([]).shape == (0, 384)


def test_what_an_earlier_run_embedded_is_not_embedded_again(tmp_path):
    store = ArtifactStore(str(tmp_path))
    EmbeddingStore(store).embed(["a dog"])
    mark = np.full(384, 0.5, np.float32)  # what no model gives
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute("UPDATE embedding SET vector = ?", (mark.tobytes(),))
    found = EmbeddingStore(store).embed(["a cat", "a dog"])
    assert (found[1] == mark).all()
    assert not (found[0] == mark).any()


def test_another_models_vectors_are_not_taken_for_this_ones(tmp_path):
    store = ArtifactStore(str(tmp_path))
    EmbeddingStore(store).embed(["a dog"])
    with pytest.raises(UserError, match="neither on disk"):
        EmbeddingStore(store, model=str(tmp_path / "other")).embed(["a dog"])


def test_a_damaged_vector_is_computed_again_and_a_damaged_file_is_named(tmp_path):
    kept = EmbeddingStore(ArtifactStore(str(tmp_path)))
    right = kept.embed(["a dog"])
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute("UPDATE embedding SET vector = x'0000'")
    assert np.allclose(kept.embed(["a dog"]), right, atol=1e-5)
    (tmp_path / FILE).write_bytes(b"nonsense" * 1000)
    with pytest.raises(UserError, match="Delete it"):
        kept.embed(["a dog"])
