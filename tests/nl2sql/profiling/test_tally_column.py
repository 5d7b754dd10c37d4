import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nl2sql.profiling.count_values import CountedValues, most_frequent
from nl2sql.profiling.tally_column import BUFFERED, FIGURES, TOP, Tally
from nl2sql.query_worker import Messages, message

INTEGERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3)
REALS = st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, 1.0, 2.0, math.inf])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(["1", "x\0y", "", "-0"])
BLOBS = st.binary(max_size=9)
KINDS = [INTEGERS, REALS, TEXTS, BLOBS, INTEGERS | REALS, TEXTS | BLOBS, INTEGERS | REALS | TEXTS | BLOBS]
COLUMNS = st.sampled_from(KINDS).flatmap(
    lambda kind: st.lists(st.lists(kind | st.none(), min_size=1, max_size=40), max_size=6)
)


def tallied(chunks, limit=1000, characters=1 << 24):
    tally = Tally(limit, characters)
    for chunk in chunks:
        tally.add(tuple(chunk))
    return tally.finish()


def written(value):
    """The value as it shows in a profile: 0.0 and -0.0 differ here."""
    return type(value), str(value)


@given(COLUMNS)
@settings(max_examples=300, deadline=None)
def test_exact_figures_are_those_of_plain_python(chunks):
    rows = [value for chunk in chunks for value in chunk]
    counts = Counter(v for v in rows if v is not None)
    tally = tallied(chunks)
    assert {k: n for k, n in tally.types.items() if n} == Counter(map(type, rows))
    assert (tally.nulls, tally.filled, tally.distinct) == (rows.count(None), counts.total(), len(counts))
    assert [(written(v), n) for v, n in tally.top()] == [(written(v), n) for v, n in counts.most_common(TOP)]
    texts = [v for v in rows if isinstance(v, str)]
    numbers = [v for v in rows if isinstance(v, int | float)]
    assert (tally.smallest_text, tally.largest_text) == (min(texts, default=None), max(texts, default=None))
    assert (tally.smallest_number, tally.largest_number) == (min(numbers, default=None), max(numbers, default=None))


@given(COLUMNS, st.integers(1, 8))
@settings(max_examples=200, deadline=None)
def test_exact_figures_do_not_depend_on_where_chunks_end(chunks, size):
    rows = [value for chunk in chunks for value in chunk]
    whole, parts = tallied([rows]), tallied([rows[i : i + size] for i in range(0, len(rows), size)])
    assert (whole.distinct, whole.top(), whole.types) == (parts.distinct, parts.top(), parts.types)
    assert (whole.shortest, whole.longest, whole.numeric_texts) == (parts.shortest, parts.longest, parts.numeric_texts)
    assert list(whole.sample) == list(parts.sample)
    assert np.array_equal(whole.sketches.sketch().hashes, parts.sketches.sketch().hashes)


@given(COLUMNS, st.sampled_from([1, 1000]))
@settings(max_examples=200, deadline=None)
def test_a_tally_comes_whole_out_of_a_pipe(chunks, limit):
    made = tallied(chunks, limit)
    (content,) = passed([made.content()])
    tally = Tally.from_content(content)
    for name in ("limit", "most_characters", "types", "sample", "distinct", *FIGURES):
        assert getattr(tally, name) == getattr(made, name)
    assert [(written(v), n) for v, n in tally.top()] == [(written(v), n) for v, n in made.top()]
    assert (tally.registers is None) == (made.registers is None)
    sketch, expected = tally.sketches.sketch(), made.sketches.sketch()
    assert (sketch.hashes.tolist(), sketch.ceiling) == (expected.hashes.tolist(), expected.ceiling)


def passed(contents):
    messages = Messages()
    for content in contents:
        messages.add(message(content))
    return iter(messages.next, None)


@pytest.mark.parametrize("late", ["a word", 2.5, b"blob", 0.0])
def test_values_of_a_second_kind_may_come_late(late):
    rows = [*range(3000), *range(3000), late]
    tally = tallied([rows[i : i + 500] for i in range(0, len(rows), 500)], limit=10_000)
    assert tally.distinct == (3000 if late == 0 else 3001)
    assert tally.types == Counter({int: 6000, type(late): 1})
    assert tally.top()[0] == (0, 3 if late == 0 else 2)


@pytest.mark.parametrize("kinds", [(int, str), (str, bytes, float)])
def test_a_mixed_column_beyond_its_limit_is_estimated(kinds):
    rows = [kinds[i % len(kinds)](str(i).encode() if kinds[i % len(kinds)] is bytes else i) for i in range(60_000)]
    tally = tallied([rows[i : i + 700] for i in range(0, len(rows), 700)])
    assert tally.registers is not None
    assert tally.distinct == pytest.approx(60_000, rel=0.04)
    assert tally.types == Counter(map(type, rows))


def test_few_long_texts_are_estimated_too_and_little_waits():
    rows = [f"{i % 300:04}" + "x" * 2000 for i in range(2000)]
    tally = tallied([rows[i : i + 100] for i in range(0, len(rows), 100)], characters=100_000)
    assert tally.registers is not None
    assert tally.distinct == pytest.approx(300, rel=0.04)
    assert tally.longest == 2004
    assert BUFFERED * 2000 > 100_000  # characters limit what waits before rows do


def test_the_most_frequent_are_the_first_of_equals():
    numbers = np.array([1, 5, 5, 1, 9] + [1] * 10_000)
    assert most_frequent(numbers, 4).tolist() == [4, 1, 2, 0]
    assert most_frequent(numbers[:5], 10).tolist() == [4, 1, 2, 0, 3]


def test_counts_are_kept_in_order_of_appearance_across_additions():
    counted = CountedValues(int)
    counted.add([pa.array([1, 2, 3])])
    counted.add([pa.array([4, 9]), pa.array([3, 2, 7])])
    assert counted.counter() == Counter({1: 1, 2: 2, 3: 2, 4: 1, 9: 1, 7: 1})
    assert list(counted.counter()) == [1, 2, 3, 4, 9, 7]
