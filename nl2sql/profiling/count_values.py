"""Count the different values of a column that are all stored alike: exactly, many rows at a time, in Arrow."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nl2sql.profiling.hash_values import text_buffers

NUMBERS = {int: pa.int64(), float: pa.float64()}
STRINGS = {str: pa.large_string(), bytes: pa.large_binary()}
ARROW = {**NUMBERS, **STRINGS}
KINDS = {type_.id: kind for kind, type_ in ARROW.items()}

SORTED_AT_ONCE = 4096  # counts; more are cut down first


class CountedValues:
    """The different values seen so far, in order of appearance, and how many rows hold each."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.values: pa.Array = pa.array([], ARROW[kind])
        self.numbers = np.zeros(0, np.int64)  # rows by value

    def add(self, arrays: Sequence[pa.Array]) -> None:
        """Count the rows of arrays of this kind without nulls."""
        known = len(self.numbers)
        rows = pa.concat_arrays([self.values, *arrays])
        if self.kind is int and _grows(rows.to_numpy()):  # a key: nothing to look up
            self.values, self.numbers = rows, np.append(self.numbers, np.ones(len(rows) - known, np.int64))
            return
        encoded = rows.dictionary_encode()
        self.values = encoded.dictionary
        counted = np.bincount(encoded.indices.to_numpy()[known:], minlength=len(self.values))
        counted[:known] += self.numbers  # they come first and are all different, hence keep their places
        self.numbers = counted

    def characters(self, enough: int) -> int:
        """Characters of the different texts, or bytes of blobs; what is certainly below `enough` may come as bytes."""
        if self.kind not in STRINGS:
            return 0
        bounds, _ = text_buffers(self.values)
        size = int(bounds[-1] - bounds[0])
        return size if size <= enough or self.kind is bytes else int(lengths(self.values).sum())

    def top(self, most: int) -> list[tuple[Any, int]]:
        """The most frequent values with their counts, ties in order of appearance."""
        places = most_frequent(self.numbers, most)
        return [(self.values[i].as_py(), int(self.numbers[i])) for i in places.tolist()]

    def counter(self) -> Counter[Any]:
        """The same as a Counter, which can also hold values of other kinds."""
        return Counter(dict(zip(self.values.to_pylist(), self.numbers.tolist(), strict=True)))


def most_frequent(numbers: np.ndarray, most: int) -> np.ndarray:
    """The places of the largest counts, largest first, ties by place."""
    places = np.arange(len(numbers))
    if len(numbers) > SORTED_AT_ONCE:
        least = np.partition(numbers, len(numbers) - most)[len(numbers) - most]
        more = np.flatnonzero(numbers > least)
        places = np.sort(np.concatenate([more, np.flatnonzero(numbers == least)[: most - len(more)]]))
    return places[np.argsort(-numbers[places], kind="stable")[:most]]


def lengths(array: pa.Array) -> np.ndarray:
    """The characters of each text, or the bytes of each blob."""
    function = "utf8_length" if pa.types.is_large_string(array.type) else "binary_length"
    return pc.call_function(function, [array]).to_numpy()


def as_arrays(values: Sequence[Any], kinds: set[type]) -> dict[type, pa.Array]:
    """The values that are not NULL, one array for each way in which they are stored."""
    filled = kinds - {type(None)}
    if len(filled) == 1:
        (kind,) = filled
        return {kind: _as_array(values, kind, has_nulls=len(kinds) > 1)}
    # Not in the set's order, which the next run would not repeat.
    return {kind: _as_array([v for v in values if type(v) is kind], kind, False) for kind in ARROW if kind in filled}


def _as_array(values: Sequence[Any], kind: type, has_nulls: bool) -> pa.Array:
    if has_nulls:
        return pa.array(values, ARROW[kind]).drop_null()
    if kind in NUMBERS:  # half the time of Arrow's own way
        return pa.array(np.fromiter(values, NUMBERS[kind].to_pandas_dtype(), len(values)))
    return pa.array(values, ARROW[kind])


def kind_of(array: pa.Array) -> type:
    """How an array's values are stored: int, float, str or bytes."""
    return KINDS[array.type.id]


def has_negative_zero(reals: pa.Array) -> bool:
    """Whether reals hold -0.0, which equals 0.0 and is another value for Arrow."""
    numbers = reals.to_numpy()
    if np.count_nonzero(numbers) == len(numbers):
        return False
    return bool(np.signbit(numbers[numbers == 0]).any())


def _grows(integers: np.ndarray) -> bool:
    return bool((integers[1:] > integers[:-1]).all())
