import sys

import numpy as np
import pytest

from nl2sql.indexes.nearest import FLAT_UP_TO, FaissFlat, FaissGraph
from tasks.artifact_store import ArtifactStore, Provenance
from tasks.database_context import _open_nearest


@pytest.mark.skipif(sys.platform == "darwin", reason="on macOS faiss and torch cannot share a process")
def test_a_graph_of_very_many_examples_is_built_once_and_kept_beside_them(tmp_path):
    store = ArtifactStore(str(tmp_path))
    examples = store.write("examples", "made", (), Provenance("test"))
    angles = np.random.default_rng(2).uniform(0, 6.28, FLAT_UP_TO + 1)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    built = _open_nearest(examples, vectors)
    (kept,) = (tmp_path / "examples").glob("*.faiss")
    written = kept.stat().st_mtime_ns
    again = _open_nearest(examples, vectors)
    assert isinstance(again, FaissGraph)
    assert kept.stat().st_mtime_ns == written
    assert (built.search(vectors[:20], 3)[1] == again.search(vectors[:20], 3)[1]).all()
    assert isinstance(_open_nearest(examples, vectors[:50]), FaissFlat)
