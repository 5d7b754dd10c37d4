import numpy as np
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from nl2sql.indexes import signatures as s


def reference(text):
    """What datasketch makes of a text's shingle hashes, one value at a time."""
    hashes, _ = s._shingles([text])
    sketch = MinHash(num_perm=100, seed=s.SEED, scheme="affine32", hashfunc=lambda h: h)
    sketch.update_batch([int(h) for h in hashes])
    return sketch.hashvalues


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=8))
def test_signatures_are_datasketchs(texts):
    made = s.sign(texts)
    assert made.dtype == np.uint32
    for text, signature in zip(texts, made, strict=True):
        assert (signature == reference(text)).all()


def test_short_texts_differ_and_case_does_not_matter():
    made = s.sign(["F", "M", "f", "", "CZE", "cze"])
    assert (made[0] == made[1]).mean() < 0.2
    assert (made[0] == made[2]).all()
    assert (made[4] == made[5]).all()


def test_signatures_estimate_the_jaccard_similarity():
    a, b = s.sign(["international airport", "international airports"])
    assert (a == b).mean() > 0.7


def test_blocks_make_no_difference():
    texts = [f"text number {i}" for i in range(s.BLOCK + 10)]
    assert (s.sign(texts)[-20:] == s.sign(texts[-20:])).all()


def test_bands_match_exactly_where_their_rows_match():
    made = s.sign(["Brisbane", "Brizbane", "completely other"])
    keys = s.band_keys(made)
    count, rows = s.bands()
    same = (made[0] == made[1])[: count * rows].reshape(count, rows).all(axis=1)
    assert ((keys[:, 0] == keys[:, 1]) == same).all()
    assert same.any()
    assert s.sign([]).shape == (0, 100)
