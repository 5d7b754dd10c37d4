import sqlite3
from pathlib import Path

import pytest

from nl2sql.rows import Database


@pytest.fixture
def make_database(tmp_path):
    """Write a SQLite file from a script (and rows with parameters) and describe it as a run would."""

    def make(script="", inserts=(), db_id="made", descriptions=None):
        path = tmp_path / f"{db_id}.sqlite"
        connection = sqlite3.connect(path)
        connection.executescript(script)
        for sql, rows in inserts:
            connection.executemany(sql, rows)
        connection.commit()
        connection.close()
        folder = ""
        if descriptions is not None:
            folder = str(tmp_path / "database_description")
            Path(folder).mkdir()
            for name, content in descriptions.items():
                Path(folder, name).write_bytes(content)
        return Database(db_id, str(path), "", path.stat().st_size, folder, "", "")

    return make
