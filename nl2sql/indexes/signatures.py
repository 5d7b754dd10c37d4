"""MinHash signatures of short texts, whole columns at a time.

datasketch's permutations (its affine32 scheme) over character 3-grams; its loop over values and shingles is replaced by
array arithmetic, with the same signatures for the same shingle hashes.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from datasketch import MinHash
from datasketch.lsh import MinHashLSH

from nl2sql.hashing import mix

SIGNATURE_WIDTH = 100  # MinHash permutations of a cell value, as CHESS uses
SHINGLE = 3
PADDING = "\x02", "\x03"  # marks start and end, so that even a one-letter text has a shingle
SEED = 1
LSH_THRESHOLD = 0.15  # datasketch then takes 50 bands of 2 rows
BLOCK = 1 << 13  # texts at once: their signatures are put in order in the processor's cache
PART = 1 << 9  # texts whose shingles are permuted at once, likewise
MULTIPLIERS = mix(np.arange(1, SIGNATURE_WIDTH + 1, dtype=np.uint64)) | np.uint64(1)
FEW = 16  # texts that are signed in fewer steps, which cost more each


def sign(texts: Sequence[str]) -> np.ndarray:
    """MinHash signatures as uint32 of shape (n, 100); case does not matter."""
    signatures = np.empty((SIGNATURE_WIDTH, len(texts)), np.uint32)
    for start in range(0, len(texts), BLOCK):
        block = texts[start : start + BLOCK]
        signatures[:, start : start + len(block)] = _sign_block(block)
    return signatures.T


def _sign_block(texts: Sequence[str]) -> np.ndarray:
    """The signatures of some texts, one a column."""
    shingles, counts = _shingles(texts)
    hashes, firsts = _fmix(shingles), np.cumsum(counts) - counts
    if len(texts) <= FEW:
        a, b = _permutations()
        return np.minimum.reduceat(hashes * a + b, firsts, axis=1)
    signatures = np.empty((SIGNATURE_WIDTH, len(texts)), np.uint32)
    order = np.argsort(-counts, kind="stable")
    for start in range(0, len(texts), PART):
        rows = order[start : start + PART]
        signatures[:, rows] = _least(hashes, firsts[rows], counts[rows])
    return signatures


def _least(hashes: np.ndarray, firsts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The least permuted hashes of texts by where their hashes begin and how many they are, longest text first."""
    (a, b), falling = _permutations(), -counts
    least = hashes[firsts] * a + b
    permuted = np.empty_like(least)
    for place in range(1, int(counts[0])):
        # The texts that still have a shingle at this place are always the first ones.
        alive = int(np.searchsorted(falling, -place, side="left"))
        part = permuted[:, :alive]
        np.multiply(a, hashes[firsts[:alive] + place], out=part)
        part += b
        np.minimum(least[:, :alive], part, out=least[:, :alive])
    return least


def _shingles(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The 32-bit hashes of all texts' shingles in a row, and how many each text has."""
    padded = [f"{PADDING[0]}{text.casefold()}{PADDING[1]}" for text in texts]
    joined = "".join(p if len(p) >= SHINGLE else p + PADDING[1] for p in padded)
    points = np.frombuffer(joined.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    lengths = np.maximum(np.fromiter(map(len, padded), np.int64, len(padded)), SHINGLE)
    keys = points[:-2] << np.uint64(42) | points[1:-1] << np.uint64(21) | points[2:]
    counts = lengths - SHINGLE + 1
    firsts = np.cumsum(lengths) - lengths
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = keys[np.repeat(firsts, counts) + within]
    return (mix(kept) >> np.uint64(32)).astype(np.uint32), counts


@cache
def _permutations() -> tuple[np.ndarray, np.ndarray]:
    permutations = np.asarray(MinHash(num_perm=SIGNATURE_WIDTH, seed=SEED, scheme="affine32").permutations, np.uint32)
    return permutations[0][:, None], permutations[1][:, None]


def _fmix(hashes: np.ndarray) -> np.ndarray:
    """MurmurHash3's finaliser, which datasketch applies before it permutes."""
    hashes = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    hashes = (hashes ^ (hashes >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return hashes ^ (hashes >> np.uint32(16))


@cache
def bands(threshold: float = LSH_THRESHOLD) -> tuple[int, int]:
    """How many bands of how many rows datasketch takes for a Jaccard threshold."""
    lsh = MinHashLSH(threshold=threshold, num_perm=SIGNATURE_WIDTH)
    return lsh.b, lsh.r


def band_keys(signatures: np.ndarray, threshold: float = LSH_THRESHOLD) -> np.ndarray:
    """One 32-bit key per text and band, uint32 of shape (bands, n): equal where all rows of the band are equal."""
    count, rows = bands(threshold)
    keys = np.empty((count, len(signatures)), np.uint32)
    parts = signatures[:, : count * rows].T.reshape(count, rows, len(signatures))
    for start in range(0, len(signatures), PART):  # multiply-shift hashing: the high half of a sum of products
        part = parts[:, :, start : start + PART]
        sums = part[:, 0] * MULTIPLIERS[0]
        for row in range(1, rows):
            sums += part[:, row] * MULTIPLIERS[row]
        keys[:, start : start + PART] = sums >> np.uint64(32)
    return keys
