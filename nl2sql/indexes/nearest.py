"""Nearest vectors by inner product: FAISS where it can share a process with torch, exactly up to a size."""

import sys
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from nl2sql.rows import EMBEDDING_WIDTH

FLAT_UP_TO = 100_000  # vectors, 10 ms a query; docs/indices.md has the figures
NEIGHBOURS = 32  # edges of a vector in the graph, FAISS's own default
BUILDING = 80  # candidates that are looked at when a vector enters the graph
SEARCHING = 128  # and when one is searched


class Nearest(Protocol):
    """Search over a fixed set of vectors."""

    def search(
        self, queries: np.ndarray, limit: int, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores and row numbers, both (n, k), best first; k is `limit` or what is allowed if that is less."""
        ...


Search = Callable[[np.ndarray], Nearest]


def nearest(vectors: np.ndarray) -> Nearest:
    """An index of float32 vectors (n, width): exact up to FLAT_UP_TO of them, above that a graph that may miss a few.

    On macOS faiss and torch each bring an OpenMP runtime, and a process with both may abort. A matrix product gives
    the same neighbours (under a millisecond at ten thousand vectors), so it stands in there, whatever the size.
    """
    if sys.platform == "darwin":
        return MatrixProduct(vectors)
    return FaissGraph(vectors) if uses_graph(len(vectors)) else FaissFlat(vectors)


def uses_graph(count: int) -> bool:
    """Whether so many vectors are searched by a graph here."""
    return count > FLAT_UP_TO and sys.platform != "darwin"


class FaissFlat:
    """A flat FAISS index."""

    def __init__(self, vectors: np.ndarray) -> None:
        import faiss

        self._faiss: Any = faiss
        self._index: Any = faiss.IndexFlatIP(vectors.shape[1])
        if len(vectors):
            self._index.add(np.ascontiguousarray(vectors, dtype=np.float32))

    def search(
        self, queries: np.ndarray, limit: int, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores and row numbers, both (n, k), best first."""
        count = self._index.ntotal if allowed is None else int(allowed.sum())
        limit = min(limit, count)
        if not limit or not len(queries):
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        if allowed is None:
            return self._index.search(np.ascontiguousarray(queries), limit)
        selector = self._faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        parameters = self._faiss.SearchParameters(sel=selector)
        return self._index.search(np.ascontiguousarray(queries), limit, params=parameters)


class FaissGraph:
    """An HNSW graph of FAISS: finds nearly all of the nearest without looking at most vectors."""

    def __init__(self, vectors: np.ndarray, content: np.ndarray | None = None) -> None:
        """Build the graph of float32 vectors (n, width), or take it from what `content` gave before."""
        import faiss

        self._faiss: Any = faiss
        self._vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if content is not None:
            self._index: Any = faiss.deserialize_index(content)
            return
        self._index = faiss.IndexHNSWFlat(vectors.shape[1], NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
        self._index.hnsw.efConstruction = BUILDING
        if len(vectors):
            self._index.add(self._vectors)

    def content(self) -> np.ndarray:
        """The graph with its vectors as bytes (uint8), for a file."""
        return self._faiss.serialize_index(self._index)

    def search(
        self, queries: np.ndarray, limit: int, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores and row numbers, both (n, k), best first; exactly where less than half of the vectors is allowed."""
        count = len(self._vectors) if allowed is None else int(allowed.sum())
        if (allowed is not None and count < len(self._vectors) / 2) or limit >= count or not len(queries):
            return MatrixProduct(self._vectors).search(queries, limit, allowed)
        parameters = self._faiss.SearchParametersHNSW(efSearch=max(SEARCHING, 2 * limit))
        if allowed is not None:
            selector = self._faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
            parameters = self._faiss.SearchParametersHNSW(efSearch=max(SEARCHING, 2 * limit), sel=selector)
        return self._index.search(np.ascontiguousarray(queries), limit, params=parameters)


class MatrixProduct:
    """The same search as one matrix product."""

    def __init__(self, vectors: np.ndarray) -> None:
        self._vectors = np.ascontiguousarray(vectors, dtype=np.float32)

    def search(
        self, queries: np.ndarray, limit: int, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores and row numbers, both (n, k), best first."""
        rows = np.arange(len(self._vectors)) if allowed is None else np.flatnonzero(allowed)
        limit = min(limit, len(rows))
        if not limit or not len(queries):
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        scores = queries @ self._vectors[rows].T
        best = np.argsort(-scores, axis=1, kind="stable")[:, :limit]
        return np.take_along_axis(scores, best, axis=1), rows[best]


def vectors_of(column: pa.ChunkedArray) -> np.ndarray:
    """A fixed-size-list column as float32 of shape (n, width), without copying where Arrow allows."""
    if not len(column):
        return np.zeros((0, EMBEDDING_WIDTH), np.float32)
    flat = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks if len(chunk)]
    return np.concatenate(flat).reshape(len(column), -1).astype(np.float32, copy=False)


def vector_array(vectors: np.ndarray, type_: pa.DataType) -> pa.Array:
    """The rows of a matrix as an Arrow array of fixed-size lists."""
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(vectors).reshape(-1)), type=type_)
