import numpy as np
import pytest

from nl2sql.indexes.nearest import FaissFlat, MatrixProduct


@pytest.fixture
def vectors():
    made = np.random.default_rng(4).normal(size=(300, 384)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.mark.parametrize("banned", [0, 100, 299, 300])
def test_faiss_and_the_matrix_product_agree(vectors, banned):
    allowed = np.arange(300) >= banned
    for mask in (None, allowed):
        faiss_scores, faiss_rows = FaissFlat(vectors).search(vectors[:7], 5, mask)
        scores, rows = MatrixProduct(vectors).search(vectors[:7], 5, mask)
        assert (faiss_rows == rows).all()
        assert np.allclose(faiss_scores, scores, atol=1e-5)
        assert rows.shape == (7, min(5, 300 if mask is None else 300 - banned))


def test_nothing_to_search_and_nothing_to_find(vectors):
    for kind in (FaissFlat, MatrixProduct):
        assert kind(vectors[:0]).search(vectors[:2], 3)[1].shape == (2, 0)
        assert kind(vectors).search(vectors[:0], 3)[1].shape == (0, 0)
