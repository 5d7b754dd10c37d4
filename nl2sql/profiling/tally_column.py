"""Count one column as its rows stream by: exactly while its different values are few, by sketches beyond."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nl2sql.profiling.count_values import (
    NUMBERS,
    STRINGS,
    CountedValues,
    as_arrays,
    has_negative_zero,
    kind_of,
    lengths,
)
from nl2sql.profiling.hash_values import DIGIT_OR_MINUS, hash_integers, hash_reals, hash_strings, is_whole, text_buffers
from nl2sql.profiling.sketches import (
    BUCKETS,
    FrequentValues,
    Sketch,
    SketchBuilder,
    count_hashes,
    estimate_distinct,
)
from nl2sql.profiling.value_formats import NUMBER

SAMPLE = 256  # different texts that shape and date format are read from
TOP = 10
TALLY_CHARACTERS = 1 << 24  # of a column's different texts that are held at once
LONGEST_FREQUENT = 1000  # characters; longer values are not among the most frequent once a column is not exact
KIND_NAMES = {kind.__name__: kind for kind in (type(None), int, float, str, bytes)}
BUFFERED = 1 << 14  # rows that the sketches take at once: for a few rows the arrays would cost more than they save
# What is copied as it is from a process that has counted a column.
FIGURES = (
    *("numeric_texts", "smallest_number", "largest_number", "smallest_text", "largest_text", "shortest", "longest"),
    *("fractional", "nulls", "filled", "counted"),
)

Content = tuple[Any, ...]


@dataclass
class Tally:
    """Everything that a profile says about one column's values, and the sketch that joins are proposed from.

    `limit` is how many different values are counted exactly, `most_characters` how long they may be together. A column
    with more has an estimated distinct count (HyperLogLog, standard error 0.8 %), and the counts of its most frequent
    values may be too low by a thousandth of the rows; no value that makes up a thousandth is missed among them unless
    it is longer than LONGEST_FREQUENT. All other figures stay exact, except shape and date format, which are read from
    SAMPLE values.
    """

    limit: int
    most_characters: int = TALLY_CHARACTERS
    types: Counter[type] = field(default_factory=Counter)
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
    # These three are known after finish().
    nulls: int = 0  # rows without a value
    filled: int = 0  # rows with one
    counted: int = 0  # different values of a column within the limit

    def __post_init__(self) -> None:
        """Start with nothing counted."""
        self.sketches = SketchBuilder(max(self.limit, 1024))
        self._counted: CountedValues | None = None  # of a column whose values are all stored alike
        self._mixed: Counter[Any] | None = None  # of any other, whose 1 and 1.0 are one value
        self._frequent: FrequentValues | None = None  # once the limit is passed
        self._waiting: list[pa.Array] = []  # rows that are not counted yet
        self._waiting_rows = self._waiting_bytes = self._mixed_characters = 0
        self._top: list[tuple[Any, int]] = []

    def add(self, values: Sequence[Any]) -> None:
        """Count some rows' values."""
        kinds = set(map(type, values))
        arrays = as_arrays(values, kinds)
        for kind, array in arrays.items():
            self.types[kind] += len(array)
        if type(None) in kinds:
            self.types[type(None)] += len(values) - sum(map(len, arrays.values()))
        if self.registers is None and self._mixed is None and self._mixes(arrays):
            self._mix()
        if self._mixed is not None:
            self._count_mixed(self._mixed, values, arrays)
        else:
            self._wait(arrays)

    def finish(self) -> "Tally":
        """Take in what is still only counted. Call once, at the end."""
        self.nulls = self.types[type(None)]
        self.filled = self.types.total() - self.nulls
        self._count_waiting()
        if self._frequent is not None:
            self._top = self._frequent.counts.most_common(TOP)
        elif self._mixed is not None:
            self.counted, self._top = len(self._mixed), self._mixed.most_common(TOP)
            self._measure_mixed(*_apart(self._mixed))
        elif self._counted is not None:
            self.counted, self._top = len(self._counted.values), self._counted.top(TOP)
            self._measure(self._counted.values, self._counted.numbers)
        self._counted = self._mixed = self._frequent = None
        return self

    @cached_property
    def distinct(self) -> int:
        """How many different values, NULL not among them; known after finish()."""
        return self.counted if self.registers is None else min(estimate_distinct(self.registers), self.filled)

    def content(self) -> Content:
        """What is known after finish(), in what marshal writes."""
        sketch = self.sketches.sketch()
        types = [(kind.__name__, number) for kind, number in self.types.items()]
        registers = None if self.registers is None else self.registers.tobytes()
        parts = (types, list(self.sample), self._top, registers, sketch.hashes.tobytes(), sketch.ceiling)
        return (self.limit, self.most_characters, *parts, *(getattr(self, name) for name in FIGURES))

    @classmethod
    def from_content(cls, content: Content) -> "Tally":
        """The finished tally that another process has made."""
        limit, characters, types, sample, top, registers, hashes, ceiling, *figures = content
        tally = cls(limit, characters, **dict(zip(FIGURES, figures, strict=True)))
        tally.types.update({KIND_NAMES[name]: number for name, number in types})
        tally.sample = dict.fromkeys(sample)
        tally._top = top
        tally.registers = None if registers is None else np.frombuffer(registers, np.int8)
        tally.sketches = SketchBuilder.of(Sketch(np.frombuffer(hashes, np.uint64), ceiling))
        return tally

    def top(self) -> list[tuple[Any, int]]:
        """The most frequent values with their counts, ties in order of appearance; known after finish()."""
        return self._top

    def _wait(self, arrays: Mapping[type, pa.Array]) -> None:
        for kind, array in arrays.items():
            if self.registers is None and self._counted is None:
                self._counted = CountedValues(kind)
            self._waiting.append(array)
            self._waiting_rows += len(array)
            self._waiting_bytes += array.nbytes if kind in STRINGS else 0
        most = self.limit if self.registers is None else min(self.limit, BUFFERED)
        if self._waiting_rows >= most or self._waiting_bytes >= self.most_characters:
            self._count_waiting()

    def _count_waiting(self) -> None:
        waiting, self._waiting, self._waiting_rows, self._waiting_bytes = self._waiting, [], 0, 0
        if not waiting:
            return
        if self._counted is not None:
            self._counted.add(waiting)
            if self._is_too_much(len(self._counted.values), self._counted.characters(self.most_characters)):
                self._stop_counting(self._counted.values, self._counted.numbers)
            return
        for kind in dict.fromkeys(map(kind_of, waiting)):
            self._sketch(pa.concat_arrays([a for a in waiting if kind_of(a) is kind]))

    def _is_too_much(self, different: int, characters: int) -> bool:
        return different > self.limit or characters > self.most_characters

    def _mixes(self, arrays: Mapping[type, pa.Array]) -> bool:
        """Whether values come that Arrow does not compare as SQLite does: of a second kind, or -0.0."""
        if len(arrays) > 1 or (self._counted is not None and arrays and self._counted.kind not in arrays):
            return True
        return float in arrays and has_negative_zero(arrays[float])

    def _mix(self) -> None:
        self._count_waiting()
        if self.registers is None:
            self._mixed = self._counted.counter() if self._counted else Counter()
            self._mixed_characters = _characters(self._mixed)
            self._counted = None

    def _count_mixed(self, counts: Counter[Any], values: Sequence[Any], arrays: Mapping[type, pa.Array]) -> None:
        counts.update(values)
        del counts[None]
        # At least as many as are new.
        self._mixed_characters += sum(a.nbytes for kind, a in arrays.items() if kind in STRINGS)
        if self._mixed_characters > self.most_characters:
            self._mixed_characters = _characters(counts)
        if self._is_too_much(len(counts), self._mixed_characters):
            self._stop_counting(*_apart(counts))

    def _stop_counting(self, values: Sequence[Any] | pa.Array, numbers: np.ndarray) -> None:
        self._counted = self._mixed = None
        self.registers = np.zeros(BUCKETS, np.int8)
        measure = self._measure if isinstance(values, pa.Array) else self._measure_mixed
        hashes, short = measure(values, numbers)
        places = np.flatnonzero(short)
        self._frequent = FrequentValues(values, numbers[places], hashes[places], places)

    def _sketch(self, array: pa.Array) -> None:
        hashes, short = self._measure(array)
        if self._frequent is not None:
            places = np.flatnonzero(short)
            self._frequent.add(array, hashes[places], places)

    def _measure_mixed(self, values: Sequence[Any], numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        hashes, short = np.zeros(len(values), np.uint64), np.ones(len(values), bool)
        kinds = list(map(type, values))
        for kind, array in as_arrays(values, set(kinds)).items():
            places = np.flatnonzero([each is kind for each in kinds])
            hashes[places], short[places] = self._measure(array, numbers[places])
        return hashes, short

    def _measure(self, array: pa.Array, numbers: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Take up values, counted or row by row; gives each one's hash and whether it may be among the frequent."""
        short = np.ones(len(array), bool)
        if kind_of(array) in NUMBERS:
            hashes = self._measure_numbers(array)
        else:
            sizes = lengths(array)
            short = sizes <= LONGEST_FREQUENT
            if kind_of(array) is str:
                self._measure_texts(array, sizes, numbers)
            hashes = hash_strings(array)
        self.sketches.add(hashes)
        if self.registers is not None:
            count_hashes(self.registers, hashes)
        return hashes, short

    def _measure_texts(self, texts: pa.Array, sizes: np.ndarray, numbers: np.ndarray | None) -> None:
        self._note_lengths(int(sizes.min()), int(sizes.max()))
        # Arrow compares bytes of UTF-8, which sort as SQLite and Python sort texts.
        ends = pc.call_function("min_max", [texts]).as_py()
        self.smallest_text = ends["min"] if self.smallest_text is None else min(self.smallest_text, ends["min"])
        self.largest_text = ends["max"] if self.largest_text is None else max(self.largest_text, ends["max"])
        numeric = numeric_texts(texts)
        self.numeric_texts += len(numeric) if numbers is None else int(numbers[numeric].sum())
        if len(self.sample) < SAMPLE:
            self._note_sample(texts[:: max(1, len(texts) // SAMPLE)], cut=self.longest > SAMPLE)

    def _note_sample(self, texts: pa.Array, cut: bool) -> None:
        for start in range(0, len(texts), SAMPLE):
            some = texts.slice(start, SAMPLE).to_pylist()
            self.sample.update(dict.fromkeys([t[:SAMPLE] for t in some] if cut else some))
            if len(self.sample) >= SAMPLE:
                break
        if len(self.sample) > SAMPLE:
            self.sample = dict.fromkeys(list(self.sample)[:SAMPLE])

    def _measure_numbers(self, array: pa.Array) -> np.ndarray:
        numbers = array.to_numpy()
        low, high = numbers.min().item(), numbers.max().item()
        self.smallest_number = low if self.smallest_number is None else min(low, self.smallest_number)
        self.largest_number = high if self.largest_number is None else max(high, self.largest_number)
        self._note_lengths(*_written_lengths(array, low, high))
        if kind_of(array) is int:
            return hash_integers(numbers)
        self.fractional = self.fractional or not bool(is_whole(numbers).all())
        return hash_reals(numbers)

    def _note_lengths(self, shortest: int, longest: int) -> None:
        self.shortest = shortest if self.shortest is None else min(self.shortest, shortest)
        self.longest = max(self.longest, longest)


def _written_lengths(array: pa.Array, low: float, high: float) -> tuple[int, int]:
    """The fewest and the most characters in which numbers, the ends of which are given, are written."""
    numbers = array.to_numpy()
    if kind_of(array) is float:  # Arrow writes 3.0 as '3', which is how long it is taken to be
        bounds, _ = text_buffers(array.cast(pa.large_string()))
        written = bounds[1:] - bounds[:-1]
        return int(written.min()), int(written.max())
    ends = [low, high]
    if low < 0 <= high:
        ends += [numbers[numbers < 0].max(), numbers[numbers >= 0].min()]
    written = [len(str(end)) for end in ends]
    return min(written), max(written)


def numeric_texts(array: pa.Array) -> np.ndarray:
    """Which texts read as numbers, by place."""
    likely = _may_be_numbers(array)
    if not len(likely):
        return likely
    texts = array if len(likely) == len(array) else array.take(pa.array(likely))
    matches = pc.call_function("match_substring_regex", [texts], pc.MatchSubstringOptions(NUMBER))
    return likely[np.flatnonzero(matches.to_numpy(zero_copy_only=False))]


# What a number may begin with and end in, see NUMBER.
_BEGINS = DIGIT_OR_MINUS | np.isin(np.arange(256), [ord(c) for c in "+. \t\n\r\f\v"])
_ENDS = DIGIT_OR_MINUS | np.isin(np.arange(256), [ord(c) for c in ". \t\n\r\f\v"])


def _may_be_numbers(array: pa.Array) -> np.ndarray:
    """Places of texts whose first and last bytes fit a number: much cheaper to see than what a pattern finds."""
    bounds, characters = text_buffers(array)
    (filled,) = (bounds[1:] > bounds[:-1]).nonzero()
    fits = _BEGINS[characters[bounds[filled]]] & _ENDS[characters[bounds[filled + 1] - 1]]
    return filled[fits]


def _apart(counts: Counter[Any]) -> tuple[list[Any], np.ndarray]:
    return list(counts), np.fromiter(counts.values(), np.int64, len(counts))


def _characters(values: Iterable[Any]) -> int:
    return sum(len(v) for v in values if isinstance(v, str | bytes))
