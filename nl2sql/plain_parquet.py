"""Parquet columns that are read where they lie: written plain, uncompressed and in one page per row group, then mapped.

Parquet stores numbers of a required column so as the processor keeps them, and texts each behind the four bytes of its
length. A file that is mapped is thus searched without being decoded, and what is not looked at is not read. Any other
reader sees an ordinary Parquet file.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

LARGEST_PAGE = (1 << 31) - 1  # bytes, and rows: a page's size is a 32-bit number
LONGEST_HEADER = 64  # bytes of a page header without statistics; writers take about 28
LENGTH_BYTES = 4  # before each text
VARINT_BITS = 7


def writer_options(names: Sequence[str], plain: Sequence[str]) -> dict[str, Any]:
    """Options of pyarrow's Parquet writer for a file of these columns, of which some are to be read where they lie."""
    if not plain:
        return {"compression": "zstd"}
    return {
        "compression": {name: "none" if name in plain else "zstd" for name in names},
        "use_dictionary": [name for name in names if name not in plain],
        "write_statistics": False,
        "data_page_size": LARGEST_PAGE,
        "max_rows_per_page": LARGEST_PAGE,
    }


class PlainParquet:
    """A mapped file. Opening it reads the footer alone."""

    def __init__(self, content: pa.Buffer) -> None:
        """Keep the content of a Parquet file, as `pa.memory_map(path).read_buffer()` gives it."""
        self._content = content
        self._file = pq.ParquetFile(pa.BufferReader(content))
        self.metadata: dict[bytes, bytes] = self._file.schema_arrow.metadata or {}
        groups = range(self._file.metadata.num_row_groups)
        self.group_rows = [self._file.metadata.row_group(g).num_rows for g in groups]

    def numbers(self, column: str) -> list[np.ndarray]:
        """The values of a column of numbers by row group, in place where their page is plain, else decoded."""
        index = self._file.schema_arrow.get_field_index(column)
        type_ = self._file.schema_arrow.field(index).type.to_pandas_dtype()
        found = []
        for group, rows in enumerate(self.group_rows):
            page = self._page(group, index)
            if page is not None and page.size == rows * np.dtype(type_).itemsize:
                found.append(np.frombuffer(page, type_))
            else:
                found.append(np.asarray(self._file.read_row_group(group, columns=[column])[column]))
        return found

    def text_pages(self, column: str) -> list[pa.Buffer | None]:
        """The page of a column of texts by row group; None where it is not plain and has to be decoded."""
        index = self._file.schema_arrow.get_field_index(column)
        return [self._page(group, index) for group in range(len(self.group_rows))]

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Columns, decoded."""
        return self._file.read(columns=list(columns))

    def _page(self, group: int, column: int) -> pa.Buffer | None:
        """The bytes of a column chunk behind its page header; None when it has more than one page or is encoded."""
        chunk = self._file.metadata.row_group(group).column(column)
        if chunk.compression != "UNCOMPRESSED" or chunk.has_dictionary_page:
            return None
        size = _page_size(self._content[chunk.data_page_offset : chunk.data_page_offset + LONGEST_HEADER].to_pybytes())
        header = chunk.total_compressed_size - size
        if not 0 < header < LONGEST_HEADER:
            return None
        return self._content.slice(chunk.data_page_offset + header, size)


def _page_size(header: bytes) -> int:
    """The size of a data page by its header, in Thrift's compact protocol: type (0), then size; 0 for other pages."""
    if header[:3] != b"\x15\x00\x15":
        return 0
    number = 0
    for place, byte in enumerate(header[3:]):
        number |= (byte & 0x7F) << (VARINT_BITS * place)
        if byte < 0x80:
            break
    return number >> 1  # zigzag
