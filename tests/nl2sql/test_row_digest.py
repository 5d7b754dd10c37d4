"""The digest of a result against Python's own equality of sets."""

import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nl2sql.row_digest import RowDigest

Row = tuple[Any, ...]
NEAR = [0, -0.0, 0.0, 1, 1.0, "1", b"1", "1.0", 2**53, 2**53 + 1, float(2**53), 1e300, 10**18, 1e18, None, "None", ""]
VALUES = st.one_of(
    st.sampled_from(NEAR),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=3),
    st.binary(max_size=3),
)
ROWS = st.lists(st.tuples(VALUES, VALUES) | st.tuples(VALUES), max_size=4)


def digest(rows: Iterable[Row], **limits: int) -> str:
    taken = RowDigest(**limits)
    for row in rows:
        taken.add([row])
    return taken.finish()[0]


@settings(max_examples=400, deadline=None)
@given(ROWS, ROWS)
def test_equal_exactly_when_python_finds_the_sets_equal(left: list[Row], right: list[Row]) -> None:
    assert (digest(left) == digest(right)) == (set(left) == set(right))


@settings(max_examples=100, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_order_repetition_and_the_type_of_a_number_do_not_matter(rows: list[Row], chance: random.Random) -> None:
    other = [*rows, *rows]
    chance.shuffle(other)
    swapped = [tuple(float(v) if isinstance(v, int) and abs(v) < 2**53 else v for v in row) for row in other]
    assert digest(swapped) == digest(rows)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([(1, 23)], [(12, 3)]),
        ([("a", "b")], [("a', 'b",)]),
        ([("a\nb",)], [("a",), ("b",)]),
        ([], [()]),
        ([(None,)], [("None",)]),
        ([(b"x" * 100,)], [(b"x" * 99 + b"y",)]),
        ([("\udcff",)], [("\\udcff",)]),
        ([(float("inf"),)], [("inf",)]),
    ],
)
def test_unequal(left: list[Row], right: list[Row]) -> None:
    assert digest(left) != digest(right)


def test_a_result_that_spills_to_disk_has_the_same_digest_in_any_order() -> None:
    rows = [(i % 5000, "x" * (i % 3)) for i in range(30_000)]
    hashed, spilled = {"text_limit": 1000}, {"text_limit": 1000, "run_length": 700}
    expected = digest(rows, **hashed)
    assert digest(rows, **spilled) == expected
    assert digest(reversed(rows), **spilled) == expected
    assert digest(rows[:-1], **spilled) == expected  # the last row stands among the others already
    assert digest(rows[1:5000], **spilled) != expected


def test_counts() -> None:
    taken = RowDigest()
    for row in [(1,), (1.0,), (2,), ("1",)]:
        taken.add([row])
    assert taken.rows == 4
    assert taken.finish()[1] == 3
