"""Embeddings kept between runs: one SQLite file that every index of columns and examples shares.

A text is embedded once, whatever asks for it. Vectors of another model or another version of the code are not found.
Nothing is ever dropped (1.5 KB a text): the file may be deleted at any time, and is filled again.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from nl2sql.errors import UserError
from nl2sql.indexes import embedding
from nl2sql.rows import EMBEDDING_WIDTH
from tasks.artifact_store import ArtifactStore, local_folder
from tasks.cached_task import PARSING
from tasks.code_digest import code_digest

FILE = "embeddings.sqlite"
WAIT = 30.0  # seconds for another process that writes
ASKED = 500  # texts per query


@dataclass(frozen=True)
class EmbeddingStore:
    """The embeddings beside a folder of artifacts; they save time and decide nothing."""

    keyed: ClassVar[bool] = False
    store: ArtifactStore
    model: str = embedding.DEFAULT_MODEL

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors as embedding.embed gives them; only texts that no run has embedded are computed.

        Raises UserError when the folder cannot be written or the file is not a database.
        """
        keys = {text: self._key(text) for text in texts}
        with self._opened() as kept:
            known = _read(kept, list(keys.values()))
        missing = [text for text, key in keys.items() if key not in known]
        made = {keys[t]: v for t, v in zip(missing, embedding.embed(missing, self.model), strict=True)}
        if made:
            with self._opened() as kept:
                rows = [(key, vector.astype("<f4").tobytes()) for key, vector in made.items()]
                kept.executemany("INSERT OR REPLACE INTO embedding VALUES (?, ?)", rows)
        found = {**known, **made}
        return np.array([found[keys[text]] for text in texts], np.float32).reshape(len(texts), EMBEDDING_WIDTH)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        path = Path(local_folder(self.store.root)) / FILE
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path, timeout=WAIT)) as kept, kept:
                kept.execute("CREATE TABLE IF NOT EXISTS embedding (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
                yield kept
        except (sqlite3.DatabaseError, OSError) as error:
            mend = "Delete it, or name another folder with --artifacts"
            raise UserError(f"cannot use {path}: {error}. {mend}") from error

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.model}\0{_code()}\0{text}".encode("utf-8", "replace")).digest()[:16]


@cache
def _code() -> str:
    with PARSING:
        return code_digest((embedding.embed,))


def _read(kept: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, np.ndarray]:
    found = {}
    for start in range(0, len(keys), ASKED):
        some = keys[start : start + ASKED]
        rows = kept.execute(f"SELECT key, vector FROM embedding WHERE key IN ({','.join('?' * len(some))})", some)
        found |= {key: np.frombuffer(vector, "<f4") for key, vector in rows if len(vector) == 4 * EMBEDDING_WIDTH}
    return found
