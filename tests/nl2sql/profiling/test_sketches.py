import random
from collections import Counter

import numpy as np
import pytest

from nl2sql.profiling.hash_values import hash_integers
from nl2sql.profiling.sketches import HEAVY, FrequentValues, SketchBuilder
from nl2sql.profiling.tally_column import Tally


def stream(rows, first, size=500):
    """The most frequent values of a stream of integers, the first rows of which are counted exactly."""
    start = Counter(rows[:first])
    values = list(start)
    numbers = np.array(list(start.values()), np.int64)
    frequent = FrequentValues(values, numbers, hash_integers(np.array(values)), np.arange(len(values)))
    for at in range(first, len(rows), size):
        part = rows[at : at + size]
        frequent.add(part, hash_integers(np.array(part)), np.arange(len(part)))
    return frequent.counts


@pytest.mark.parametrize("order", ["late", "early", "waves"])
def test_no_frequent_value_is_missed_and_counts_are_off_by_a_thousandth_at_most(order):
    chosen = random.Random(4)
    noise = [chosen.randrange(1_000, 10**9) for _ in range(60_000)]
    heavy = [v for v in range(20) for _ in range(100 + 40 * v)]
    rows = noise + heavy
    if order == "early":
        rows = heavy + noise
    elif order == "waves":  # always just pushed out by newer ones
        rows = [v for i in range(100) for v in noise[i::100] + heavy[i::100]]
    exact, found = Counter(rows), stream(rows, 3_000)
    allowed = len(rows) / HEAVY
    for value in (v for v, n in exact.items() if n > allowed):
        assert exact[value] - allowed <= found[value] <= exact[value]


def test_a_sketch_is_the_same_however_its_values_arrive():
    hashes = hash_integers(np.arange(50_000))
    at_once, in_parts = SketchBuilder(2_000), SketchBuilder(2_000)
    at_once.add(hashes)
    for part in np.array_split(np.random.default_rng(1).permutation(np.concatenate([hashes, hashes])), 37):
        in_parts.add(part)
    assert at_once.sketch().ceiling >= in_parts.sketch().ceiling
    common = at_once.sketch().hashes[at_once.sketch().hashes < np.uint64(in_parts.sketch().ceiling)]
    assert np.array_equal(common, in_parts.sketch().hashes)


def test_columns_of_mixed_types_are_measured_alike_before_and_after_the_limit():
    chosen = random.Random(2)
    pool = [None, "", "ä", "12", " 7 ", "x" * 2_000, 3, 3.0, -5, 2.5, b"\x00", b"blob"]
    rows = [chosen.choice([*pool, i, f"text {i}", i / 7]) for i in range(20_000)]
    exact, rough = Tally(10**6), Tally(1_000)
    for at in range(0, len(rows), 700):
        exact.add(rows[at : at + 700])
        rough.add(rows[at : at + 700])
    exact.finish()
    rough.finish()
    for name in ("types", "numeric_texts", "smallest_number", "largest_number", "smallest_text", "largest_text"):
        assert getattr(exact, name) == getattr(rough, name)
    assert (exact.shortest, exact.longest, exact.fractional) == (rough.shortest, rough.longest, rough.fractional)
    assert rough.distinct == pytest.approx(exact.distinct, rel=0.03)
    short = [(v, n) for v, n in exact.top() if not isinstance(v, str) or len(v) < 1_000]
    assert rough.top()[: len(short)] == short
