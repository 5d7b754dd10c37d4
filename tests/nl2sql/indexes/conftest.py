import sqlite3

import numpy as np
import pytest

from nl2sql.indexes.cells import CellIndex, index_cells
from nl2sql.indexes.embedding import embed
from nl2sql.profiling.profile_database import profile_database
from nl2sql.rows import EMBEDDING_WIDTH, Database


@pytest.fixture
def make_cells(tmp_path):
    """Columns of values in, the profiles and the cell index of a database that holds them out."""

    def make(columns=None, script="", inserts=()):
        path = tmp_path / "made.sqlite"
        connection = sqlite3.connect(path)
        connection.executescript(script)
        for sql, rows in inserts:
            connection.executemany(sql, rows)
        for name, values in (columns or {}).items():
            connection.execute(f'CREATE TABLE "t_{name}" (n INTEGER PRIMARY KEY, "{name}")')
            connection.executemany(f'INSERT INTO "t_{name}" ("{name}") VALUES (?)', [(v,) for v in values])
        connection.commit()
        connection.close()
        database = Database("made", str(path), "", 0, "", "", "")
        profiles = profile_database(database)
        table = index_cells(database, profiles)
        return table, CellIndex(table, profiles)

    return make


@pytest.fixture(scope="session")
def minilm():
    """The real model, loaded once."""
    embed(["warm"])
    return embed


def toy_embed(texts):
    """Unit vectors from letter counts: near for texts of the same letters."""
    vectors = np.zeros((len(texts), EMBEDDING_WIDTH), np.float32)
    for row, text in enumerate(texts):
        for character in text.casefold() or " ":
            vectors[row, ord(character) % EMBEDDING_WIDTH] += 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True) if len(texts) else vectors


@pytest.fixture
def letters():
    return toy_embed
