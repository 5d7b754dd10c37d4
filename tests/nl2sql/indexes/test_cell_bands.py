import random

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from nl2sql.hashing import hash_text, hash_texts
from nl2sql.indexes import signatures
from nl2sql.indexes.cell_bands import (
    BLOCK,
    Bands,
    Run,
    bands_in_memory,
    changed_runs,
    fold,
    fold_all,
    keys_of,
    runs_of,
    stream_bands,
    with_digests,
)
from nl2sql.indexes.texts import texts_in_memory


def texts_of(*columns):
    """The texts of some columns one after the other, and where each column lies."""
    runs, start = [], 0
    for number, column in enumerate(columns):
        runs.append(Run("t", f"c{number}", start, start + len(column)))
        start += len(column)
    texts = texts_in_memory(pa.chunked_array([pa.array(column, pa.string()) for column in columns]))
    return texts, with_digests(texts, runs)


class Counted:
    """Signs texts, and keeps those that it was asked for."""

    def __init__(self):
        self.texts = []

    def __call__(self, texts):
        self.texts += texts
        return signatures.sign(texts)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(alphabet=st.sampled_from("aB é|  \x00ſß"), max_size=5), max_size=6))
def test_many_texts_fold_as_each_alone(texts):
    assert fold_all(texts) == [fold(text) for text in texts]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=12) | st.text(min_size=80, max_size=300), min_size=1, max_size=4))
def test_a_text_alone_has_the_keys_that_it_has_among_many(texts):
    assert [hash_text(t) for t in texts] == hash_texts(texts).tolist()
    many = keys_of(texts * (signatures.FEW + 1))
    assert all((keys_of([text])[:, 0] == many[:, place]).all() for place, text in enumerate(texts))
    assert (keys_of(texts) == many[:, : len(texts)]).all()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.sampled_from(["", "a", "bc d", "é", "x" * 130]), max_size=5), min_size=1, max_size=4))
def test_texts_in_slices_are_those_read_one_by_one(parts):
    texts = texts_in_memory(pa.chunked_array([pa.array(part, pa.string()) for part in parts]))
    wanted = [text for part in parts for text in part]
    for size in (1, 3, 50):
        assert [text for _, block in texts.slices(0, len(texts), size) for text in block] == wanted


def test_every_band_is_sorted_and_holds_every_cell_once():
    texts, runs = texts_of([f"name {i % 97} {i}" for i in range(3000)])
    for number, batch in enumerate(stream_bands(texts, runs)):
        keys, rows = np.asarray(batch["key"]).astype(np.int64), np.asarray(batch["row"])
        assert (np.diff(keys) >= 0).all()
        assert sorted(rows.tolist()) == list(range(3000))
        assert set(batch["band"].to_pylist()) == {number}
    wanted = keys_of([fold(texts[7])])[:, 0]
    bands = bands_in_memory(texts, runs)
    assert [bands.keys_by_row(b)[7] for b in range(len(bands.keys))] == wanted.tolist()


def test_only_columns_that_changed_are_signed_and_the_bands_are_the_same():
    columns = [[f"{kind} {i}" for i in range(50)] for kind in ("red", "green", "blue")]
    texts, runs = texts_of(*columns)
    earlier = bands_in_memory(texts, runs)
    columns[1][20] = "green twenty"
    columns.insert(0, ["a new column", "of two values"])
    changed, changed_rows = texts_of(*columns)
    signed = Counted()
    again = list(stream_bands(changed, changed_rows, earlier, signed))
    assert sorted(signed.texts) == sorted([*columns[0], *columns[2]])
    assert again == list(stream_bands(changed, changed_rows))


def test_equal_values_in_another_column_are_known_and_equal_joins_are_not():
    _, runs = texts_of(["ab", "c"])
    _, other_runs = texts_of(["a", "bc"], ["ab", "c"], [])
    fresh, known = changed_runs(other_runs, Bands([], [], runs))
    assert [r.column for r in fresh] == ["c0", "c2"]
    assert [(new.column, old.column) for new, old in known] == [("c1", "c0")]


def test_blocks_and_threads_make_no_difference():
    chance = random.Random(2)
    values = ["".join(chance.choices("abcdef ", k=6)) for _ in range(BLOCK + 500)]
    texts, runs = texts_of(values)
    bands = bands_in_memory(texts, runs)
    last = keys_of([fold(v) for v in values[-3:]])
    assert (np.stack([bands.keys_by_row(b)[-3:] for b in range(len(bands.keys))]) == last).all()


def test_runs_of_a_table_of_cells():
    cells = pa.table({"table": ["a", "a", "b", "b", "a"], "column": ["x", "x", "x", "y", "y"]})
    assert runs_of(cells) == (
        Run("a", "x", 0, 2),
        Run("b", "x", 2, 3),
        Run("b", "y", 3, 4),
        Run("a", "y", 4, 5),
    )
    assert runs_of(cells.slice(0, 0)) == ()
