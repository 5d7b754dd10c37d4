"""Two other ways of finding cells, written from descriptions of them, for benchmarks/cells.py only."""

import pickle
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from datasketch import MinHash, MinHashLSH
from rapidfuzz import fuzz

PERMUTATIONS, SHINGLE, THRESHOLD = 100, 3, 0.01
TOP = 10
COMPARED = 128  # values that FTS5 hands to rapidfuzz, as many as the cell index compares


class Value(NamedTuple):
    """A value and where it stands."""

    table: str
    column: str
    value: str


class OneAtATime:
    """CHESS's way: datasketch's MinHash value by value, in Python objects, pickled. Case counts, nothing is padded."""

    def __init__(self, values: Iterable[Value]) -> None:
        """Sign every value and put it into the LSH's dictionaries."""
        self.lsh = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
        self.signed = {}
        for number, value in enumerate(values):
            signature = minhash(value.value)
            self.signed[str(number)] = (signature, value)
            self.lsh.insert(str(number), signature)

    def save(self, folder: Path) -> int:
        """Pickle both parts; the bytes written."""
        (folder / "lsh.pkl").write_bytes(pickle.dumps(self.lsh))
        (folder / "minhashes.pkl").write_bytes(pickle.dumps(self.signed))
        return sum((folder / name).stat().st_size for name in ("lsh.pkl", "minhashes.pkl"))

    @classmethod
    def load(cls, folder: Path) -> "OneAtATime":
        """Read what `save` wrote: our own file of a moment ago."""
        made = cls(())
        made.lsh = pickle.loads((folder / "lsh.pkl").read_bytes())
        made.signed = pickle.loads((folder / "minhashes.pkl").read_bytes())
        return made

    def lookup(self, text: str) -> list[Value]:
        """The ten values whose signatures are most alike."""
        signature = minhash(text)
        found = [self.signed[key] for key in self.lsh.query(signature)]
        return [value for _, value in sorted(found, key=lambda f: -signature.jaccard(f[0]))[:TOP]]


def minhash(text: str) -> MinHash:
    """The signature of a text, shingle by shingle."""
    made = MinHash(num_perm=PERMUTATIONS)
    for place in range(len(text) - SHINGLE + 1):
        made.update(text[place : place + SHINGLE].encode())
    return made


class Trigrams:
    """SQLite's FTS5 with its trigram tokenizer: values that share trigrams, best bm25 first, ranked by rapidfuzz."""

    def __init__(self, path: Path, values: Iterable[Value] = ()) -> None:
        """Open the file, and fill it when there are values."""
        self.connection = sqlite3.connect(path)
        if not self.connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            self.connection.execute("PRAGMA synchronous = OFF")
            columns = "value, tab UNINDEXED, col UNINDEXED, tokenize = 'trigram'"
            self.connection.execute(f"CREATE VIRTUAL TABLE cells USING fts5({columns})")
            self.connection.executemany("INSERT INTO cells (tab, col, value) VALUES (?, ?, ?)", values)
            self.connection.commit()

    def lookup(self, text: str) -> list[Value]:
        """Ten values; a text of fewer than three characters has no trigram and finds nothing."""
        pieces = dict.fromkeys(text[i : i + 3].replace('"', '""') for i in range(len(text) - 2))
        if not pieces:
            return []
        wanted = " OR ".join(f'"{piece}"' for piece in pieces)
        sql = "SELECT tab, col, value FROM cells WHERE cells MATCH ? ORDER BY rank LIMIT ?"
        rows = self.connection.execute(sql, (wanted, COMPARED)).fetchall()
        return _ranked(text, [Value(*row) for row in rows])


def _ranked(text: str, values: Sequence[Value]) -> list[Value]:
    def near(value: Value) -> float:
        one, other = text.casefold(), value.value.casefold()
        parts = 62 + 35 * min(len(one), len(other)) / max(len(one), len(other), 1)
        inside = parts if fuzz.token_set_ratio(one, other) == 100 else 0.0
        return max(fuzz.ratio(one, other), 0.95 * fuzz.token_sort_ratio(one, other), inside)

    return sorted(values, key=near, reverse=True)[:TOP]
