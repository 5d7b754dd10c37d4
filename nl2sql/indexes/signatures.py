"""MinHash signatures of short texts, whole columns at a time.

datasketch's permutations (its affine32 scheme) over character 3-grams; its loop over values and shingles is replaced by
array arithmetic, with the same signatures for the same shingle hashes.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from nl2sql.hashing import mix

SIGNATURE_WIDTH = 100  # MinHash permutations of a cell value, as CHESS uses
SHINGLE = 3
BORDER = SHINGLE - 1
PADDING = "\x02", "\x03"  # marks start and end, so that even a one-letter text has a shingle
SEED = 1
LSH_THRESHOLD = 0.15  # datasketch then takes 50 bands of 2 rows
BLOCK = 1 << 13  # texts at once: their signatures are put in order in the processor's cache
PART = 1 << 9  # texts whose shingles are permuted at once, likewise
MULTIPLIERS = mix(np.arange(1, SIGNATURE_WIDTH + 1, dtype=np.uint64)) | np.uint64(1)
FEW = 16  # texts that are hashed in fewer steps, which cost more each


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
    hashes, firsts = _fmix(shingles), np.cumsum(counts + BORDER) - (counts + BORDER)
    if len(texts) <= FEW:
        a, b = _permutations()
        bounds = np.stack([firsts, firsts + counts], axis=1).ravel()[:-1]
        return np.minimum.reduceat(hashes * a + b, bounds, axis=1)[:, ::2]
    signatures = np.empty((SIGNATURE_WIDTH, len(texts)), np.uint32)
    for start in range(0, len(texts), PART):
        part = slice(start, start + PART)
        order = np.argsort(-counts[part], kind="stable")
        least = _least(hashes, firsts[part][order], counts[part][order])
        least.take(np.argsort(order), axis=1, out=signatures[:, part], mode="clip")
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
    """The 32-bit hashes of all texts' shingles in a row, and how many each text has.

    Between two texts' shingles are BORDER that cross from one to the other.
    """
    texts = texts if all(texts) else [text or PADDING[1] for text in texts]
    points, lengths = _points(texts)
    keys = points[:-2] << np.uint64(42) | points[1:-1] << np.uint64(21) | points[2:]
    return (mix(keys) >> np.uint64(32)).astype(np.uint32), lengths + len(PADDING) - BORDER


def _points(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The characters of all texts, each text padded and without case, and how many each text has."""
    joined = PADDING[0] + (PADDING[1] + PADDING[0]).join(texts) + PADDING[1]
    if joined.isascii():  # then folding case leaves the lengths
        points = np.frombuffer(joined.casefold().encode(), np.uint8)
    else:
        texts = [text.casefold() for text in texts]
        joined = PADDING[0] + (PADDING[1] + PADDING[0]).join(texts) + PADDING[1]
        points = np.frombuffer(joined.encode("utf-32-le", "replace"), np.uint32)
    return points.astype(np.uint64), np.fromiter(map(len, texts), np.int64, len(texts))


@cache
def _permutations() -> tuple[np.ndarray, np.ndarray]:
    from datasketch import MinHash  # brings scipy and redis: half a second that a run from the cache need not wait for

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
    from datasketch.lsh import MinHashLSH

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
