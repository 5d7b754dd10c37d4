"""Hash a column's different values many at a time, for sketches: eight bytes a step, alike on every machine and run."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nl2sql.hashing import BASE, hash_texts, mix

WORD = 8
SHORT = 4096  # bytes; longer texts are rare and go to hash_texts, which looks at single bytes
PART = 1 << 24  # bytes of text that are hashed at once
TOGETHER = 1 << 13  # texts whose words are mixed at once: their hashes stay in the processor's cache
# The decimal text of a 64-bit integer as SQLite writes it: such a text joins with the number.
CANONICAL_INTEGER = r"^(?:0|-?[1-9][0-9]{0,17})$"
DIGIT_OR_MINUS = np.array([chr(b).isdigit() or b == ord("-") for b in range(128)] + [False] * 128)
WHOLE = float(1 << 63)


def hash_integers(integers: np.ndarray) -> np.ndarray:
    """A 64-bit hash per integer (a bijection), int64 in, uint64 out."""
    return mix(integers.astype(np.int64, copy=False).view(np.uint64) ^ np.uint64(BASE))


def hash_reals(reals: np.ndarray) -> np.ndarray:
    """A 64-bit hash per real; a whole one has its integer's hash, because SQLite takes 3.0 and 3 for equal."""
    hashes = mix(reals.view(np.uint64) + np.uint64(BASE))
    whole = is_whole(reals)
    if whole.any():
        hashes[whole] = hash_integers(reals[whole].astype(np.int64))
    return hashes


def is_whole(reals: np.ndarray) -> np.ndarray:
    """Which reals are integers of 64 bits; infinities are not."""
    return (np.floor(reals) == reals) & (np.abs(reals) < WHOLE)


def hash_strings(array: pa.Array) -> np.ndarray:
    """A 64-bit hash per text or blob of an array without nulls; the decimal text of an integer has the integer's hash.

    Of what is longer than SHORT bytes only the length and the first 65,536 bytes count. Memory: about five times PART
    beyond the array itself.
    """
    offsets, data = text_buffers(array)
    hashes = np.zeros(len(array), np.uint64)
    lengths = offsets[1:] - offsets[:-1]
    start = 0
    while start < len(array):
        end = max(start + 1, int(offsets.searchsorted(offsets[start] + PART, "right")) - 1)
        hashes[start:end] = _hash_short(data, offsets[start : end + 1])
        start = end
    (long,) = (lengths > SHORT).nonzero()
    if len(long):
        hashes[long] = hash_texts(array.take(pa.array(long)))
    if pa.types.is_large_string(array.type):
        _join_numbers(array, hashes, offsets, data, lengths)
    return hashes


def _hash_short(data: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Word by word: every text's next eight bytes are mixed in until it has none left.

    Longest first, so that those with another word are always the first ones and a step touches nothing else.
    """
    first, last = int(offsets[0]), int(offsets[-1])
    padded = np.zeros(last - first + WORD, np.uint8)
    padded[: last - first] = data[first:last]
    words = np.ndarray((last - first + 1,), "<u8", padded.data, strides=(1,))  # one at every byte
    lengths = offsets[1:] - offsets[:-1]
    short = np.where(lengths > SHORT, 0, lengths).astype(np.uint16)
    order = (np.uint16(SHORT) - short).argsort(kind="stable")
    places, left = (offsets[:-1] - first)[order], short[order]
    hashes = lengths[order].astype(np.uint64) * np.uint64(BASE)
    for start in range(0, len(order), TOGETHER):
        block = slice(start, start + TOGETHER)
        _mix_words(hashes[block], words, places[block], left[block])
    in_place = np.empty_like(hashes)
    in_place[order] = hashes
    return mix(in_place)


def _mix_words(hashes: np.ndarray, words: np.ndarray, places: np.ndarray, lengths: np.ndarray) -> None:
    """Mix texts into their hashes, which change; the longest texts come first."""
    steps = np.arange(0, -int(lengths[0] // WORD), -1, dtype=np.int16)
    shorter = (-(lengths // WORD).astype(np.int16)).searchsorted(steps)  # the first text without a word, step by step
    for end in shorter.tolist():
        _mix_in(hashes[:end], words[places[:end]])
        places[:end] += WORD
    rest = lengths % WORD
    (parted,) = rest.nonzero()
    last = hashes[parted]
    _mix_in(last, words[places[parted]] & LOW_BYTES[rest[parted]])
    hashes[parted] = last


def _mix_in(hashes: np.ndarray, words: np.ndarray) -> None:
    hashes ^= words
    hashes *= np.uint64(BASE)
    hashes ^= hashes >> np.uint64(32)


LOW_BYTES = np.array([(1 << (8 * n)) - 1 for n in range(WORD + 1)], np.uint64)


def _join_numbers(
    array: pa.Array, hashes: np.ndarray, offsets: np.ndarray, data: np.ndarray, lengths: np.ndarray
) -> None:
    """Give texts that write an integer the hash of that integer."""
    (likely,) = ((lengths > 0) & (lengths < 20)).nonzero()
    likely = likely[DIGIT_OR_MINUS[data[offsets[likely]]] & DIGIT_OR_MINUS[data[offsets[likely] + lengths[likely] - 1]]]
    if not len(likely):
        return
    texts = array.take(pa.array(likely))
    written = pc.call_function("match_substring_regex", [texts], pc.MatchSubstringOptions(CANONICAL_INTEGER))
    chosen = np.flatnonzero(written.to_numpy(zero_copy_only=False))
    if len(chosen):
        integers = texts.take(pa.array(chosen)).cast(pa.int64())
        hashes[likely[chosen]] = hash_integers(integers.to_numpy())


def text_buffers(array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Where each text of an array with 64-bit offsets begins and the last one ends, and the bytes."""
    _, offsets, data = array.buffers()
    if offsets is None or not len(array):
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    starts = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    return starts, np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
