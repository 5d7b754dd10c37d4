"""Count one column as its rows stream by: exactly while its different values are few, by sketches beyond."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nl2sql.profiling.hash_values import DIGIT_OR_MINUS, hash_integers, hash_reals, hash_strings, is_whole, text_buffers
from nl2sql.profiling.sketches import BUCKETS, FrequentValues, SketchBuilder, count_hashes, estimate_distinct
from nl2sql.profiling.value_formats import NUMBER

SAMPLE = 256  # different texts that shape and date format are read from
TOP = 10
TALLY_CHARACTERS = 1 << 24  # of a column's different texts that are held at once
LONGEST_FREQUENT = 1000  # characters; longer values are not among the most frequent once a column is not exact
BUFFERED = 1024  # rows that wait for one another: for a few rows the arrays would cost more than they save

NUMBERS = {int: np.int64, float: np.float64}
STRINGS = {str: pa.large_string(), bytes: pa.large_binary()}


@dataclass
class Tally:
    """Everything that a profile says about one column's values, and the sketch that joins are proposed from.

    `limit` is how many different values are counted exactly. A column with more has an estimated distinct count
    (HyperLogLog, standard error 0.8 %), and the counts of its most frequent values may be too low by a thousandth of
    the rows; no value that makes up a thousandth is missed among them unless it is longer than LONGEST_FREQUENT. All
    other figures stay exact, except shape and date format, which are read from SAMPLE values.
    """

    limit: int
    counts: Counter[Any] = field(default_factory=Counter)
    types: Counter[type] = field(default_factory=Counter)
    characters: int = 0
    numeric_texts: int = 0
    smallest_number: float | None = None
    largest_number: float | None = None
    smallest_text: str | None = None
    largest_text: str | None = None
    shortest: int | None = None
    longest: int = 0
    sample: dict[str, None] = field(default_factory=dict)
    fractional: bool = False
    registers: np.ndarray | None = None  # of a HyperLogLog, once the limit is passed
    frequent: FrequentValues | None = None  # once the limit is passed
    distinct: int = 0  # different values, NULL not among them; known after finish()
    waiting: list[Any] = field(default_factory=list)  # values that the sketches have not seen yet

    def __post_init__(self) -> None:
        """Start an empty sketch."""
        self.sketches = SketchBuilder(max(self.limit, 1024))

    def add(self, values: Sequence[Any]) -> None:
        """Count some rows' values."""
        kinds = set(map(type, values))
        if self.registers is None:
            self._count(values, kinds)
            return
        nulls = _note_types(self.types, values, kinds)
        self.waiting.extend([v for v in values if v is not None] if nulls else values)
        if len(self.waiting) >= BUFFERED or self.longest > LONGEST_FREQUENT:
            self._sketch()

    def finish(self) -> "Tally":
        """Take in what is still only counted. Call once, at the end."""
        if self.registers is None:
            self.counts.pop(None, None)
            self.distinct = len(self.counts)
            self._measure(self.counts)
        else:
            self._sketch()
            self.distinct = min(estimate_distinct(self.registers), self.filled)
        self._top = (self.frequent.counts if self.frequent else self.counts).most_common(TOP)
        self.counts, self.frequent = Counter(), None
        return self

    @property
    def nulls(self) -> int:
        """Rows without a value."""
        return self.types[type(None)]

    @property
    def filled(self) -> int:
        """Rows with a value."""
        return self.types.total() - self.nulls

    def top(self) -> list[tuple[Any, int]]:
        """The most frequent values with their counts, ties in order of appearance; known after finish()."""
        return self._top

    def _count(self, values: Sequence[Any], kinds: set[type]) -> None:
        before, nulls = len(self.counts), self.counts[None]
        self.counts.update(values)
        _note_types(self.types, values, kinds, self.counts[None] - nulls)
        if len(self.counts) > before and kinds & STRINGS.keys():
            self.characters += _characters(values, kinds)
            if self.characters > TALLY_CHARACTERS:
                self.characters = _characters(self.counts, set(self.types))
        if len(self.counts) > self.limit or self.characters > TALLY_CHARACTERS:
            self._stop_counting()

    def _stop_counting(self) -> None:
        self.counts.pop(None, None)
        self.registers = np.zeros(BUCKETS, np.int8)
        values, numbers = list(self.counts), np.fromiter(self.counts.values(), np.int64, len(self.counts))
        hashes, short = self._measure(self.counts), self._short(values)
        self.frequent = FrequentValues(values, numbers[short], hashes[short], short)
        self.counts = Counter()

    def _sketch(self) -> None:
        values, self.waiting = self.waiting, []
        if self.frequent is not None and values:
            hashes, short = self._measure(values), self._short(values)
            self.frequent.add(values, hashes[short], short)

    def _short(self, values: Sequence[Any]) -> np.ndarray:
        """The places of the values that may be among the most frequent."""
        if self.longest <= LONGEST_FREQUENT:
            return np.arange(len(values))
        return np.array([i for i, v in enumerate(values) if _is_short(v)], np.int64)

    def _measure(self, values: Sequence[Any] | Counter[Any]) -> np.ndarray:
        """Take up values that are not NULL, counted or row by row, and give each one's hash."""
        kinds = set(map(type, values))
        hashes = np.zeros(len(values), np.uint64)
        for kind in kinds:
            rows = None if len(kinds) == 1 else np.array([i for i, v in enumerate(values) if type(v) is kind])
            own = list(values) if rows is None else [v for v in values if type(v) is kind]
            measured = self._measure_numbers(own, kind) if kind in NUMBERS else self._measure_strings(own, kind, values)
            hashes[slice(None) if rows is None else rows] = measured
        self.sketches.add(hashes)
        if self.registers is not None:
            count_hashes(self.registers, hashes)
        return hashes

    def _measure_strings(self, strings: list[Any], kind: type, values: Any) -> np.ndarray:
        array = pa.array(strings, STRINGS[kind])
        if kind is str:
            self._note_lengths(array)
            self._note_text_ends(array)
            numeric = numeric_texts(array)
            counted = isinstance(values, Counter)
            self.numeric_texts += sum(values[strings[i]] for i in numeric) if counted else len(numeric)
            for text in strings[:: max(1, len(strings) // SAMPLE)] if len(self.sample) < SAMPLE else ():
                if len(self.sample) >= SAMPLE:
                    break
                self.sample[text[:SAMPLE]] = None
        return hash_strings(array)

    def _note_text_ends(self, array: pa.Array) -> None:
        # Arrow compares bytes of UTF-8, which sort as SQLite and Python sort texts.
        ends = pc.call_function("min_max", [array]).as_py()
        self.smallest_text = ends["min"] if self.smallest_text is None else min(self.smallest_text, ends["min"])
        self.largest_text = ends["max"] if self.largest_text is None else max(self.largest_text, ends["max"])

    def _measure_numbers(self, numbers: list[Any], kind: type) -> np.ndarray:
        array = np.fromiter(numbers, NUMBERS[kind], len(numbers))
        low, high = array.min().item(), array.max().item()
        self.smallest_number = low if self.smallest_number is None else min(low, self.smallest_number)
        self.largest_number = high if self.largest_number is None else max(high, self.largest_number)
        if kind is int:
            # The longest and the shortest are among these, as they are written.
            negative, positive = array[array < 0], array[array >= 0]
            ends = [int(f()) for part in (negative, positive) if len(part) for f in (part.min, part.max)]
            self._note_lengths(pa.array(map(str, ends), pa.large_string()))
            return hash_integers(array)
        self.fractional = self.fractional or not bool(is_whole(array).all())
        # Arrow writes 3.0 as '3', which is how long it is taken to be.
        self._note_lengths(pa.array(array).cast(pa.large_string()))
        return hash_reals(array)

    def _note_lengths(self, texts: pa.Array) -> None:
        ends = pc.call_function("min_max", [pc.call_function("utf8_length", [texts])]).as_py()
        self.shortest = ends["min"] if self.shortest is None else min(self.shortest, ends["min"])
        self.longest = max(self.longest, ends["max"])


def numeric_texts(array: pa.Array) -> list[int]:
    """Which texts read as numbers, by place."""
    likely = _may_be_numbers(array)
    if not len(likely):
        return []
    texts = array if len(likely) == len(array) else array.take(pa.array(likely))
    matches = pc.call_function("match_substring_regex", [texts], pc.MatchSubstringOptions(NUMBER))
    return likely[np.flatnonzero(matches.to_numpy(zero_copy_only=False))].tolist()


# What a number may begin with and end in, see NUMBER.
_BEGINS = DIGIT_OR_MINUS | np.isin(np.arange(256), [ord(c) for c in "+. \t\n\r\f\v"])
_ENDS = DIGIT_OR_MINUS | np.isin(np.arange(256), [ord(c) for c in ". \t\n\r\f\v"])


def _may_be_numbers(array: pa.Array) -> np.ndarray:
    """Places of texts whose first and last bytes fit a number: much cheaper to see than what a pattern finds."""
    bounds, characters = text_buffers(array)
    filled = np.flatnonzero(np.diff(bounds))
    fits = _BEGINS[characters[bounds[filled]]] & _ENDS[characters[bounds[filled + 1] - 1]]
    return filled[fits]


def _note_types(types: Counter[type], values: Sequence[Any], kinds: set[type], nulls: int | None = None) -> int:
    """Count how values are stored; gives the NULLs among them, which need no counting when the caller did."""
    filled = kinds - {type(None)}
    if len(filled) > 1:
        found = Counter(map(type, values))
        types.update(found)
        return found[type(None)]
    if nulls is None:
        nulls = 0 if len(filled) == len(kinds) else sum(v is None for v in values)
    for kind in filled:
        types[kind] += len(values) - nulls
    if nulls:
        types[type(None)] += nulls
    return nulls


def _is_short(value: Any) -> bool:
    return not isinstance(value, str | bytes) or len(value) <= LONGEST_FREQUENT


def _characters(values: Iterable[Any], kinds: set[type]) -> int:
    if kinds <= STRINGS.keys() | {type(None)}:
        return sum(map(len, filter(None, values)))
    return sum(len(v) for v in values if isinstance(v, str | bytes))
