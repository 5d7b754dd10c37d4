"""Count one column as its rows stream by: exactly while its different values are few, by sketches beyond."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasketch import HyperLogLogPlusPlus

from nl2sql.hashing import hash_texts, mix
from nl2sql.profiling.value_formats import NUMBER

HLL_PRECISION = 14  # 16,384 registers: standard error 1.04 / 128 = 0.8 %
HEAVY = 1000  # values that stay in the running for the top once a column is too large to count exactly
SAMPLE = 256  # different texts that shape and date format are read from
TOP = 10
TALLY_CHARACTERS = 1 << 24  # of a column's different texts that are held at once


@dataclass(frozen=True)
class Sketch:
    """The hashes below `ceiling` of a column's different values, sorted: all of them, or a sample of them.

    Sketches of two columns sample the same values, so that inclusion and overlap can be read off.
    """

    hashes: np.ndarray  # uint64
    ceiling: int  # 2^64 when nothing was left out

    def included_in(self, other: "Sketch") -> tuple[float, int]:
        """The share of this column's values that the other one holds, and from how many values it was measured."""
        mine = self.hashes[self.hashes <= np.uint64(min(self.ceiling, other.ceiling) - 1)]
        if not len(mine):
            return 0.0, 0
        places = np.searchsorted(other.hashes, mine)
        places[places == len(other.hashes)] = 0
        found = other.hashes[places] == mine if len(other.hashes) else np.zeros(len(mine), bool)
        return float(found.mean()), len(mine)


class SketchBuilder:
    """Grows a Sketch of at most `limit` hashes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._hashes = np.zeros(0, np.uint64)
        self._ceiling = 1 << 64

    def add(self, hashes: np.ndarray) -> None:
        """Take up the hashes of some values."""
        if self._ceiling < 1 << 64:
            hashes = hashes[hashes < np.uint64(self._ceiling)]
        merged = np.sort(np.concatenate([self._hashes, hashes]))
        self._hashes = merged[np.flatnonzero(np.diff(merged, prepend=~merged[:1]))]
        while len(self._hashes) > self._limit:
            self._ceiling //= 2
            self._hashes = self._hashes[: np.searchsorted(self._hashes, np.uint64(self._ceiling))]

    def sketch(self) -> Sketch:
        """What was seen so far."""
        return Sketch(self._hashes, self._ceiling)


@dataclass
class Tally:
    """Everything that a profile says about one column's values, and the sketch that joins are proposed from.

    `limit` is how many different values are counted exactly. A column with more has an estimated distinct count
    (standard error 0.8 %) and top counts that may be too low, but no value that makes up a thousandth of the rows is
    missed among them. All other figures stay exact, except shape and date format, which are read from SAMPLE values.
    """

    limit: int
    counts: Counter[Any] = field(default_factory=Counter)
    heavy: Counter[Any] = field(default_factory=Counter)
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
    distinct: int = 0  # different values, NULL not among them; known after finish()

    def __post_init__(self) -> None:
        """Start an empty sketch."""
        self.sketches = SketchBuilder(max(self.limit, 1024))

    def add(self, values: Sequence[Any]) -> None:
        """Count some rows' values."""
        self.types.update(map(type, values))
        before = len(self.counts)
        self.counts.update(values)
        if len(self.counts) > before and (self.types[str] or self.types[bytes]):
            self.characters += _characters(values)
        if self.characters > TALLY_CHARACTERS:
            self.characters = _characters(self.counts)
        if len(self.counts) > self.limit or self.characters > TALLY_CHARACTERS:
            self._make_room()

    def finish(self) -> "Tally":
        """Take in what is still only counted. Call once, at the end."""
        self.counts.pop(None, None)
        self.distinct = len(self.counts)
        self._measure(self.counts)
        self.heavy.update(self.counts)
        if self.registers is not None:
            estimate = HyperLogLogPlusPlus(p=HLL_PRECISION, reg=self.registers).count()
            self.distinct = min(round(float(estimate)), self.filled)
        self.counts.clear()
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
        """The most frequent values with their counts, ties in order of appearance."""
        return self.heavy.most_common(TOP)

    def _make_room(self) -> None:
        if self.registers is None:
            self.registers = np.zeros(1 << HLL_PRECISION, np.int8)
        self.counts.pop(None, None)
        self._measure(self.counts)
        self.heavy.update(_heaviest(self.counts))
        self.heavy = Counter(_heaviest(self.heavy))
        self.counts.clear()
        self.characters = 0

    def _measure(self, counts: Counter[Any]) -> None:
        texts, integers, reals, blobs = (self._of_type(kind, counts) for kind in (str, int, float, bytes))
        if texts:
            self._measure_texts(texts)
            self.numeric_texts += _count_numeric(counts, texts)
        if integers or reals:
            self._measure_numbers(integers, reals)
        if blobs:
            self._note(mix(hash_texts(blobs)))

    def _of_type(self, kind: type, counts: Counter[Any]) -> list[Any]:
        if not self.types[kind]:
            return []
        alone = self.types[kind] == self.filled
        return list(counts) if alone else [v for v in counts if type(v) is kind]

    def _measure_texts(self, texts: list[str]) -> None:
        array = pa.array(texts, pa.large_string())
        lengths = pc.call_function("utf8_length", [array])
        self._note_lengths(lengths)
        self.smallest_text = min(texts if self.smallest_text is None else [*texts, self.smallest_text])
        self.largest_text = max(texts if self.largest_text is None else [*texts, self.largest_text])
        self._note(hash_texts(array))
        for text in texts[:: max(1, len(texts) // SAMPLE)]:
            if len(self.sample) >= SAMPLE:
                break
            self.sample[text[:SAMPLE]] = None

    def _measure_numbers(self, integers: list[int], reals: list[float]) -> None:
        ends = [*_ends(integers), *_ends(reals)]
        low, high = min(ends), max(ends)
        self.smallest_number = low if self.smallest_number is None else min(low, self.smallest_number)
        self.largest_number = high if self.largest_number is None else max(high, self.largest_number)
        self.fractional = self.fractional or any(not v.is_integer() for v in reals[:SAMPLE])
        # Arrow writes 3.0 as '3', so that a whole real hashes as its integer and as its text do: they join in SQLite.
        for array in (pa.array(integers, pa.int64()), pa.array(reals, pa.float64())):
            if len(array):
                written = array.cast(pa.large_string())
                self._note_lengths(pc.call_function("utf8_length", [written]))
                self._note(hash_texts(written))

    def _note_lengths(self, lengths: Any) -> None:
        ends = pc.call_function("min_max", [lengths]).as_py()
        self.shortest = ends["min"] if self.shortest is None else min(self.shortest, ends["min"])
        self.longest = max(self.longest, ends["max"])

    def _note(self, hashes: np.ndarray) -> None:
        self.sketches.add(hashes)
        if self.registers is not None:
            count_hashes(self.registers, hashes)


def count_hashes(registers: np.ndarray, hashes: np.ndarray) -> None:
    """Update the registers of a HyperLogLog with many 64-bit hashes at once, as datasketch does with one."""
    places = (hashes & np.uint64(len(registers) - 1)).astype(np.int64)
    rest = hashes >> np.uint64(HLL_PRECISION)
    width = 64 - HLL_PRECISION
    # frexp is exact for the leading bit here: `rest` has 50 bits, fewer than a double's mantissa.
    ranks = (width + 1 - np.frexp(rest.astype(np.float64))[1]).astype(np.int8)
    np.maximum.at(registers, places, ranks)


def _count_numeric(counts: Counter[Any], texts: Sequence[str]) -> int:
    """How many rows hold text that reads as a number."""
    matches = pc.call_function(
        "match_substring_regex", [pa.array(texts, pa.large_string())], pc.MatchSubstringOptions(NUMBER)
    )
    return sum(counts[text] for text, matched in zip(texts, matches.to_pylist(), strict=True) if matched)


def _ends(values: list[Any]) -> list[Any]:
    return [min(values), max(values)] if values else []


def _heaviest(counts: Counter[Any]) -> dict[Any, int]:
    """The HEAVY most frequent values, ties in order of appearance; very long ones do not take part."""
    if len(counts) <= HEAVY:
        return {v: n for v, n in counts.items() if _characters([v]) <= HEAVY}
    numbers = np.fromiter(counts.values(), np.int64, len(counts))
    floor = int(np.partition(numbers, -HEAVY)[-HEAVY])
    kept = {v: n for v, n in counts.items() if n > floor}
    ties = (v for v, n in counts.items() if n == floor)
    kept |= dict.fromkeys(islice(ties, HEAVY - len(kept)), floor)
    return {v: n for v, n in kept.items() if _characters([v]) <= HEAVY}


def _characters(values: Iterable[Any]) -> int:
    return sum(len(v) for v in values if isinstance(v, str | bytes))
