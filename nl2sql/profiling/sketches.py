"""What is kept of columns too large to count: sketches for inclusion, for different values and for frequent ones."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

HLL_PRECISION = 14  # 16,384 registers: standard error 1.04 / 128 = 0.8 %
BUCKETS = 1 << HLL_PRECISION
HEAVY = 1000  # a value that makes up so small a part of the rows (one in HEAVY) is not missed among the frequent ones
KEPT = 100  # the most frequent values, which stay in the running whatever they make up
MOST_CANDIDATES = 1000

Values = Sequence[Any] | pa.Array


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
        self._fresh: list[np.ndarray] = []  # not merged yet
        self._ceiling = 1 << 64

    @classmethod
    def of(cls, sketch: Sketch) -> "SketchBuilder":
        """A builder that has come as far as this sketch."""
        builder = cls(len(sketch.hashes))
        builder._hashes, builder._ceiling = sketch.hashes, sketch.ceiling
        return builder

    def add(self, hashes: np.ndarray) -> None:
        """Take up the hashes of some values."""
        if self._ceiling < 1 << 64:
            hashes = hashes[hashes < np.uint64(self._ceiling)]
        self._fresh.append(hashes)
        if sum(map(len, self._fresh)) >= self._limit // 2:
            self._merge()

    def _merge(self) -> None:
        merged = np.sort(np.concatenate([self._hashes, *self._fresh]))
        self._fresh = []
        differs = np.ones(len(merged), bool)
        np.not_equal(merged[1:], merged[:-1], out=differs[1:])
        self._hashes = merged[differs]
        while len(self._hashes) > self._limit:
            self._ceiling //= 2
            self._hashes = self._hashes[: np.searchsorted(self._hashes, np.uint64(self._ceiling))]

    def sketch(self) -> Sketch:
        """What was seen so far."""
        if self._fresh:
            self._merge()
        return Sketch(self._hashes, self._ceiling)


def count_hashes(registers: np.ndarray, hashes: np.ndarray) -> None:
    """Update the registers of a HyperLogLog with many 64-bit hashes at once, as datasketch does with one."""
    places = (hashes & np.uint64(len(registers) - 1)).astype(np.int64)
    rest = hashes >> np.uint64(HLL_PRECISION)
    width = 64 - HLL_PRECISION
    # frexp is exact for the leading bit here: `rest` has 50 bits, fewer than a double's mantissa.
    ranks = (width + 1 - np.frexp(rest.astype(np.float64))[1]).astype(np.int8)
    np.maximum.at(registers, places, ranks)


def estimate_distinct(registers: np.ndarray) -> int:
    """How many different hashes were counted: standard error 0.8 %."""
    from datasketch import HyperLogLogPlusPlus  # brings scipy and redis, twice the time of all else that is imported

    return round(float(HyperLogLogPlusPlus(p=HLL_PRECISION, reg=registers).count()))


class FrequentValues:
    """The most frequent values of a stream, from exact counts of its beginning on.

    Rows are counted by bucket of the hash, and row by row only the values of buckets that hold more than one row in
    HEAVY, or a frequent value of the beginning. A value that makes up one row in HEAVY is therefore never missed, and
    its count is too low by at most one row in HEAVY; a value frequent from the beginning is counted exactly.
    """

    def __init__(self, values: Values, numbers: np.ndarray, hashes: np.ndarray, places: np.ndarray) -> None:
        """Start from different values, those at `places` of `values`, with their counts so far and their hashes."""
        buckets = _bucket(hashes)
        self.rows = int(numbers.sum())
        self._filled = np.bincount(buckets, numbers, BUCKETS).astype(np.uint32)  # rows by bucket
        self._watched = np.zeros(BUCKETS, bool)
        kept = (self._filled > self.rows // HEAVY)[buckets]
        kept[np.argsort(-numbers, kind="stable")[:KEPT]] = True
        chosen = _pick(values, places[kept])
        self.counts: Counter[Any] = Counter(dict(zip(chosen, numbers[kept].tolist(), strict=True)))
        self._buckets = dict(zip(chosen, buckets[kept].tolist(), strict=True))
        self._watch()

    def add(self, values: Values, hashes: np.ndarray, places: np.ndarray) -> None:
        """Count some rows: those at `places` of `values`, with their hashes."""
        buckets = _bucket(hashes)
        self.rows += len(hashes)
        self._filled += np.bincount(buckets, minlength=BUCKETS).astype(np.uint32)
        self._watched[buckets[self._filled[buckets] > self.rows // HEAVY]] = True
        rows = np.flatnonzero(self._watched[buckets])
        seen = _pick(values, places[rows])
        self.counts.update(seen)
        self._buckets.update(zip(seen, buckets[rows].tolist(), strict=True))
        if len(self.counts) > MOST_CANDIDATES:
            self._forget()

    def _forget(self) -> None:
        """Go on with the heaviest and with all that share a bucket with one row in HEAVY."""
        heaviest = {v for v, _ in self.counts.most_common(KEPT)}
        full = self._filled > self.rows // HEAVY
        kept = [v for v in self.counts if v in heaviest or full[self._buckets[v]]]
        self.counts = Counter({v: self.counts[v] for v in kept})
        self._buckets = {v: self._buckets[v] for v in kept}
        self._watch()

    def _watch(self) -> None:
        self._watched[:] = False
        self._watched[list(self._buckets.values())] = True


def _bucket(hashes: np.ndarray) -> np.ndarray:
    return (hashes & np.uint64(BUCKETS - 1)).astype(np.int64)


def _pick(values: Values, places: np.ndarray) -> list[Any]:
    if isinstance(values, Sequence):
        return [values[i] for i in places.tolist()]
    return values.take(pa.array(places)).to_pylist()
