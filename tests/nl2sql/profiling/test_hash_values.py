import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from nl2sql.profiling.hash_values import hash_integers, hash_reals, hash_strings
from nl2sql.profiling.tally_column import numeric_texts

TEXTS = st.lists(st.text(max_size=40) | st.integers().map(str) | st.sampled_from(["a" * 4095, "a" * 4096, "a" * 4097]))


def strings(values):
    return hash_strings(pa.array(values, pa.large_string()))


@given(TEXTS)
@settings(max_examples=60, deadline=None)
def test_equal_texts_hash_alike_wherever_they_stand_and_others_differ(values):
    hashes = strings(values)
    assert len(set(hashes.tolist())) == len(set(values))
    assert strings(values[::-1]).tolist() == hashes[::-1].tolist()
    array = pa.array(["before", *values], pa.large_string())
    assert hash_strings(array.slice(1)).tolist() == hashes.tolist()


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1))
@settings(max_examples=60, deadline=None)
def test_numbers_that_sqlite_takes_for_equal_hash_alike(values):
    whole = hash_integers(np.array(values)).tolist()
    assert strings([str(v) for v in values]).tolist() == whole
    assert hash_reals(np.array(values, float)).tolist() == whole


def test_texts_that_only_look_like_integers_do_not_join_them():
    like = ["007", "-0", "+5", "5 ", "5.0", "٥", "12345678901234567890"]
    numbers = set(hash_integers(np.array([7, 0, 5])).tolist())
    assert not numbers & set(strings(like).tolist())
    assert not set(hash_reals(np.array([7.5, np.inf, -np.inf, 1e300])).tolist()) & numbers


def test_numbers_in_texts_are_found_by_place():
    texts = ["x", "1", " 2.5 ", "", "1e3", "2020-01-01", ".5", "+", "-7.", "1x1"]
    assert numeric_texts(pa.array(texts, pa.large_string())).tolist() == [1, 2, 4, 6, 8]
    assert numeric_texts(pa.array(["x", *texts], pa.large_string()).slice(1)).tolist() == [1, 2, 4, 6, 8]
