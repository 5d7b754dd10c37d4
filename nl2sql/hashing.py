"""Hash whole columns of text at once: the arithmetic under sketches and dictionaries.

Hashes are the same on every machine and in every run (Python's own hash of a text is not), so that they may be kept.
"""

from collections.abc import Sequence
from itertools import pairwise
from operator import mul

import numpy as np
import pyarrow as pa

BASE = 0x9E3779B97F4A7C15  # odd, so that powers never vanish modulo 2^64
LONGEST = 1 << 16  # bytes of one text that are hashed
SHORT = 256  # bytes of a text that is hashed alone
MASK = (1 << 64) - 1
PART = 1 << 22  # bytes that are hashed at once


def hash_texts(texts: Sequence[str | bytes] | pa.Array) -> np.ndarray:
    """A 64-bit hash per text, as uint64 of shape (n,): polynomial over the bytes, then mixed.

    Of a text only its length and its first LONGEST bytes count.
    """
    array = texts if isinstance(texts, pa.Array) else _as_binary(texts)
    offsets, data = _buffers(array)
    lengths = np.diff(offsets)
    hashes = np.zeros(len(lengths), np.uint64)
    filled = np.flatnonzero(lengths)
    for part in _parts(lengths[filled]):
        at = filled[part]
        hashes[at] = _polynomials(data, offsets[at], lengths[at])
    return mix(hashes ^ (lengths.astype(np.uint64) * np.uint64(BASE)))


def hash_text(text: str) -> int:
    """The hash that hash_texts gives a text; alone, since numpy takes longer to begin than Python takes for a few."""
    content = text.encode("utf-8", "replace")
    if len(content) > SHORT:
        return int(hash_texts([content])[0])
    polynomial = sum(map(mul, map(MIXED.__getitem__, content), POWERS))
    return mixed((polynomial ^ len(content) * BASE) & MASK)


def _as_binary(texts: Sequence[str | bytes]) -> pa.Array:
    try:
        return pa.array(texts, pa.large_binary())
    except UnicodeEncodeError:  # half a surrogate pair
        encoded = [t.encode("utf-8", "replace") if isinstance(t, str) else t for t in texts]
        return pa.array(encoded, pa.large_binary())


def _buffers(array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    array = array.cast(pa.large_binary()) if array.type != pa.large_binary() else array
    _, offsets, data = array.buffers()
    if offsets is None:
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    starts = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    return starts, np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)


def _parts(lengths: np.ndarray) -> list[slice]:
    """Runs of texts of about four million bytes each, so that the eight bytes a byte takes stay few."""
    ends = np.cumsum(np.minimum(lengths, LONGEST)) // PART
    cuts = np.flatnonzero(np.diff(ends)) + 1
    bounds = [0, *cuts.tolist(), len(lengths)]
    return [slice(a, b) for a, b in pairwise(bounds) if b > a]


def _polynomials(data: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    lengths = np.minimum(lengths, LONGEST)
    firsts = np.cumsum(lengths) - lengths
    within = np.arange(int(lengths.sum())) - np.repeat(firsts, lengths)
    positions = np.repeat(starts, lengths) + within
    powers = np.ones(int(lengths.max()), np.uint64)
    powers[1:] = np.uint64(BASE)
    powers = np.cumprod(powers)
    # A byte is mixed before it is weighted: short texts would otherwise differ in their low bits only.
    terms = BYTES[data[positions]] * powers[within]
    return np.add.reduceat(terms, firsts)


def mix(hashes: np.ndarray) -> np.ndarray:
    """Spread the bits of 64-bit integers (the splitmix64 finaliser, a bijection)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def mixed(number: int) -> int:
    """The same for one number."""
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB & MASK
    return number ^ (number >> 31)


BYTES = mix(np.arange(1, 257, dtype=np.uint64))
MIXED = BYTES.tolist()
POWERS = [pow(BASE, exponent, 1 << 64) for exponent in range(SHORT)]
