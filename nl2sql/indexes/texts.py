"""Millions of texts that stay where they lie, in Arrow's memory or in a mapped file, and are read one by one."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from nl2sql.plain_parquet import LENGTH_BYTES, PlainParquet


@dataclass(frozen=True)
class Block:
    """Texts one behind the other: the i-th ends at `ends[i] - base`, and `gap` bytes lie before each."""

    data: memoryview
    ends: np.ndarray  # int64
    begin: int  # where the first text's gap begins, as `ends` count
    base: int
    gap: int

    def take(self, rows: np.ndarray) -> list[str]:
        """The texts of these rows."""
        stops = self.ends[rows]
        starts = np.where(rows > 0, self.ends[rows - 1], self.begin) + self.gap
        places = zip((starts - self.base).tolist(), (stops - self.base).tolist(), strict=True)
        return [str(self.data[a:b], "utf-8") for a, b in places]

    def stretch(self, start: int, end: int) -> list[str]:
        """The texts from `start` up to `end`: cut out of one text where all bytes there are ASCII."""
        stops = self.ends[start:end]
        begin = int(self.ends[start - 1]) if start else self.begin
        content = bytes(self.data[begin - self.base : int(stops[-1]) - self.base])
        if not content.isascii():
            return self.take(np.arange(start, end))
        whole, places = content.decode("ascii"), [0, *(stops - begin).tolist()]
        return [whole[a + self.gap : b] for a, b in pairwise(places)]


class Texts:
    """Texts by row, over one or more blocks."""

    def __init__(self, blocks: list[Block]) -> None:
        """Keep the blocks that hold anything."""
        self._blocks = [block for block in blocks if len(block.ends)]
        self._firsts = np.cumsum([0, *(len(block.ends) for block in self._blocks)])

    def __len__(self) -> int:
        """How many there are."""
        return int(self._firsts[-1])

    def __getitem__(self, row: int) -> str:
        """One text."""
        return self.take(np.array([row]))[0]

    def take(self, rows: np.ndarray) -> list[str]:
        """The texts of these rows, in their order."""
        if len(self._blocks) == 1 or not len(rows):
            return self._blocks[0].take(rows) if len(rows) else []
        blocks = self._firsts.searchsorted(rows, side="right") - 1
        found = [""] * len(rows)
        for block in np.unique(blocks).tolist():
            places = np.flatnonzero(blocks == block)
            texts = self._blocks[block].take(rows[places] - self._firsts[block])
            for place, text in zip(places.tolist(), texts, strict=True):
                found[place] = text
        return found

    def slices(self, start: int, end: int, size: int) -> Iterator[tuple[int, list[str]]]:
        """The texts from `start` up to `end`, at most `size` at a time, each time with the first one's row."""
        for first in range(start, end, size):
            yield first, self._stretch(first, min(end, first + size))

    def _stretch(self, start: int, end: int) -> list[str]:
        block = int(self._firsts.searchsorted(start, side="right")) - 1
        first = int(self._firsts[block])
        if end > self._firsts[block + 1]:
            return self.take(np.arange(start, end))
        return self._blocks[block].stretch(start - first, end - first)


def texts_in_memory(column: pa.ChunkedArray) -> Texts:
    """The texts of a column of an Arrow table."""
    return Texts([_arrow_block(chunk.cast(pa.large_string())) for chunk in column.chunks])


def mapped_texts(file: PlainParquet, column: str, ends: str) -> Texts:
    """The texts of a column of a mapped file; another one says where each ends.

    `ends` counts over all row groups the bytes of the texts and of the lengths before them. A page that cannot be read
    in place is decoded.
    """
    blocks, base = [], 0
    for page, places in zip(file.text_pages(column), file.numbers(ends), strict=True):
        end = int(places[-1]) if len(places) else base
        if page is None or page.size != end - base:
            return texts_in_memory(file.read([column])[column])
        blocks.append(Block(memoryview(page), places, base, base, LENGTH_BYTES))
        base = end
    return Texts(blocks)


def _arrow_block(array: pa.LargeStringArray) -> Block:
    _, offsets, data = array.buffers()
    places = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    begin = int(places[0]) if len(places) else 0
    return Block(memoryview(data) if data is not None else memoryview(b""), places[1:], begin, 0, 0)
