import numpy as np
import pytest

from nl2sql.indexes import nearest as n
from nl2sql.indexes.nearest import FaissFlat, FaissGraph, MatrixProduct


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
    for kind in (FaissFlat, FaissGraph, MatrixProduct):
        assert kind(vectors[:0]).search(vectors[:2], 3)[1].shape == (2, 0)
        assert kind(vectors).search(vectors[:0], 3)[1].shape == (0, 0)


@pytest.mark.parametrize("banned", [0, 30, 200])
def test_the_graph_finds_nearly_what_is_nearest_and_nothing_that_is_not_allowed(vectors, banned):
    allowed = np.arange(300) >= banned
    for mask in (None, allowed):
        scores, rows = FaissGraph(vectors).search(vectors[:40], 5, mask)
        _, exact = FaissFlat(vectors).search(vectors[:40], 5, mask)
        assert np.mean([len({*a} & {*b}) / 5 for a, b in zip(rows, exact, strict=True)]) > 0.9
        assert mask is None or mask[rows].all()
        assert (np.diff(scores, axis=1) <= 0).all()


def test_a_few_vectors_are_searched_exactly_and_many_by_the_graph(vectors):
    if n.sys.platform == "darwin":
        pytest.skip("on macOS faiss and torch cannot share a process")
    assert isinstance(n.nearest(vectors), FaissFlat)
    assert isinstance(n.nearest(np.zeros((n.FLAT_UP_TO + 1, 2), np.float32)), FaissGraph)


def test_a_graph_comes_back_from_its_bytes(vectors):
    built = FaissGraph(vectors)
    back = FaissGraph(vectors, built.content().copy())
    assert all((a == b).all() for a, b in zip(built.search(vectors[:9], 5), back.search(vectors[:9], 5), strict=True))
