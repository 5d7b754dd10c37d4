"""Hashes of cells, sorted, so that the values that share one with a text are found by binary search.

Band 0 holds the hash of the text itself without case and accents, the others the bands of its MinHash signature. Each
band is a sorted array of keys with the rows that they belong to.
"""

import hashlib
import json
import os
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import astuple, dataclass
from functools import cache
from tempfile import SpooledTemporaryFile
from typing import IO, TypeVar

import numpy as np
import pyarrow as pa

from nl2sql.contracts import arrow_schema
from nl2sql.hashing import hash_text, hash_texts
from nl2sql.indexes import signatures
from nl2sql.indexes.texts import Texts
from nl2sql.plain_parquet import PlainParquet
from nl2sql.rows import CellBand

SPILL = 1 << 28  # bytes of keys that wait in memory for being sorted, the rest waits on disk
BLOCK = 1 << 15  # values whose digest is taken at once: another number, other digests
HASHED = 1 << 12  # values that are hashed at once: few, so that even small databases keep every core busy
SEPARATOR = "|"  # printable, so that it does not hide whether the texts are
UNTIDY = "  ", SEPARATOR + " ", " " + SEPARATOR
RUNS = b"columns"  # in the schema's metadata: the stretches of rows that hold one column each

Item = TypeVar("Item")
Made = TypeVar("Made")
Sign = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True)
class Run:
    """The cells of one column: rows from `start` up to `end`. `digest` is that of the values."""

    table: str
    column: str
    start: int
    end: int
    digest: str = ""


@dataclass(frozen=True)
class Bands:
    """All bands of a database's cells: keys in ascending order and the rows that they belong to."""

    keys: list[np.ndarray]  # uint32, per band
    rows: list[np.ndarray]
    runs: tuple[Run, ...]

    def keys_by_row(self, band: int) -> np.ndarray:
        """The keys of one band in the order of the cells."""
        keys = np.empty_like(self.keys[band])
        keys[self.rows[band]] = self.keys[band]
        return keys


def fold(text: str) -> str:
    """A text without case, accents and repeated spaces: 'Čáslav  Čáslav' and 'caslav caslav' fold to the same."""
    text = " ".join(text.split()) if "  " in text or not text.isprintable() or text != text.strip() else text
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
    return text.casefold()


def fold_all(texts: Sequence[str]) -> list[str]:
    """Many texts folded; plain ones, which most are, all at once."""
    joined = SEPARATOR.join(["", *texts, ""])
    plain = joined.isascii() and joined.isprintable() and not any(signs in joined for signs in UNTIDY)
    folded = joined.casefold().split(SEPARATOR)[1:-1] if plain else []
    return folded if len(folded) == len(texts) else [fold(text) for text in texts]


@cache
def band_count() -> int:
    """How many bands there are, the one of the text itself included."""
    return 1 + signatures.bands()[0]


def keys_of(texts: Sequence[str], sign: Sign = signatures.sign) -> np.ndarray:
    """The keys of folded texts in every band, uint32 of shape (bands, n)."""
    few = len(texts) <= signatures.FEW
    hashes = np.array([hash_text(text) for text in texts], np.uint64) if few else hash_texts(texts)
    same = (hashes >> np.uint64(32)).astype(np.uint32)
    return np.concatenate([same[None], signatures.band_keys(sign(texts))])


def runs_of(cells: pa.Table) -> tuple[Run, ...]:
    """The stretches of one column's cells in a table of cells, of which only `table` and `column` are read."""
    if not len(cells):
        return ()
    tables, columns = (cells[n].combine_chunks().dictionary_encode() for n in ("table", "column"))
    codes = np.stack([np.asarray(tables.indices), np.asarray(columns.indices)])
    starts = [0, *(np.flatnonzero((codes[:, 1:] != codes[:, :-1]).any(axis=0)) + 1).tolist()]
    names = [(tables.dictionary[int(t)].as_py(), columns.dictionary[int(c)].as_py()) for t, c in codes[:, starts].T]
    ends = [*starts[1:], len(cells)]
    return tuple(Run(t, c, start, end) for (t, c), start, end in zip(names, starts, ends, strict=True))


def with_digests(texts: Texts, runs: Iterable[Run]) -> tuple[Run, ...]:
    """The same runs, each with the digest of its values."""
    return tuple(Run(r.table, r.column, r.start, r.end, _digest(texts, r)) for r in runs)


def _digest(texts: Texts, run: Run) -> str:
    digest = hashlib.sha256()
    for _, block in texts.slices(run.start, run.end, BLOCK):
        digest.update(np.fromiter(map(len, block), np.int64, len(block)).tobytes())
        digest.update("".join(block).encode())
    return digest.hexdigest()


def changed_runs(runs: Sequence[Run], earlier: Bands | None) -> tuple[list[Run], list[tuple[Run, Run]]]:
    """The runs whose values have to be hashed, and those that `earlier` bands know, with where they lie there."""
    known = {run.digest: run for run in (earlier.runs if earlier else ()) if run.digest}
    return [r for r in runs if r.digest not in known], [(r, known[r.digest]) for r in runs if r.digest in known]


def stream_bands(
    texts: Texts, runs: Sequence[Run], earlier: Bands | None = None, sign: Sign = signatures.sign
) -> Iterator[pa.RecordBatch]:
    """The bands of cells one after the other: an artifact of kind `cell_bands`.

    Columns whose digest `earlier` bands hold are not hashed again. Held in memory are a few blocks of values or a few
    bands per core, and SPILL bytes of keys; 204 bytes per value wait in a temporary file beyond that.
    """
    changed, known = changed_runs(runs, earlier)
    with SpooledTemporaryFile(max_size=SPILL) as spilled, ThreadPoolExecutor(cores()) as pool:
        blocks = _blocks(texts, changed)
        hashed = ahead(pool, lambda block: (block[0], keys_of(fold_all(block[1]), sign)), blocks)
        parts = [_spill(first, keys, spilled) for first, keys in hashed]
        bands = ((b, _spilled_keys(spilled, parts, b, len(texts))) for b in range(band_count()))
        yield from ahead(pool, lambda band: _sorted_band(band[0], _with_known(*band, known, earlier)), bands)


def cores() -> int:
    """Processor cores, of which numpy's arithmetic uses one per thread."""
    return os.cpu_count() or 1


def ahead(pool: ThreadPoolExecutor, work: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """What work makes of each item, in order, with at most one item per core taken before it is asked for."""
    waiting: deque[Future[Made]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > cores():
            yield waiting.popleft().result()
    yield from (each.result() for each in waiting)


def _with_known(band: int, keys: np.ndarray, known: Sequence[tuple[Run, Run]], earlier: Bands | None) -> np.ndarray:
    if earlier is not None and known:
        before = earlier.keys_by_row(band)
        for run, old in known:
            keys[run.start : run.end] = before[old.start : old.end]
    return keys


def _blocks(texts: Texts, runs: Sequence[Run]) -> Iterator[tuple[int, list[str]]]:
    """The values of some runs in blocks; runs that touch share theirs, since there may be many small ones."""
    joined: list[list[int]] = []
    for run in runs:
        if joined and joined[-1][1] == run.start:
            joined[-1][1] = run.end
        else:
            joined.append([run.start, run.end])
    for start, end in joined:
        yield from texts.slices(start, end, HASHED)


def _spill(first: int, keys: np.ndarray, file: IO[bytes]) -> tuple[int, int]:
    file.write(keys.tobytes())
    return first, keys.shape[1]


def _spilled_keys(file: IO[bytes], parts: Sequence[tuple[int, int]], band: int, count: int) -> np.ndarray:
    """The keys of one band: the file holds all bands of the first block, then all bands of the second..."""
    keys = np.zeros(count, np.uint32)
    place = 0
    for first, length in parts:
        file.seek(place + band * length * keys.itemsize)
        keys[first : first + length] = np.frombuffer(file.read(length * keys.itemsize), np.uint32)
        place += band_count() * length * keys.itemsize
    return keys


def _sorted_band(band: int, keys: np.ndarray) -> pa.RecordBatch:
    # By half keys: numpy sorts numbers of 16 bits by counting, which takes half as long as comparing whole ones.
    rows = np.argsort(keys.astype(np.uint16), kind="stable")
    rows = rows[np.argsort((keys >> np.uint32(16)).astype(np.uint16)[rows], kind="stable")]
    arrays = [pa.repeat(pa.scalar(band, pa.int64()), len(keys)), pa.array(keys[rows]), pa.array(rows.astype(np.uint32))]
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(CellBand))


def bands_schema(runs: Iterable[Run]) -> pa.Schema:
    """The schema of a file of bands, with the runs of its cells in its metadata."""
    return arrow_schema(CellBand).with_metadata({RUNS: json.dumps([astuple(run) for run in runs]).encode()})


def bands_in_memory(texts: Texts, runs: Sequence[Run]) -> Bands:
    """The bands of cells, without a file."""
    batches = list(stream_bands(texts, runs))
    return Bands([np.asarray(b["key"]) for b in batches], [np.asarray(b["row"]) for b in batches], tuple(runs))


def mapped_bands(file: PlainParquet) -> Bands:
    """The bands in a mapped file of kind `cell_bands`, one per row group."""
    runs = tuple(Run(*values) for values in json.loads(file.metadata.get(RUNS, b"[]")))
    return Bands(file.numbers("key"), file.numbers("row"), runs)
