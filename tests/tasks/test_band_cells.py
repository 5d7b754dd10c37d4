import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nl2sql.benchmarks import describe_database
from nl2sql.errors import UserError
from nl2sql.indexes.cell_bands import mapped_bands
from nl2sql.indexes.cells import CellIndex
from nl2sql.indexes.cells import index_cells as table_of_cells
from nl2sql.indexes.texts import mapped_texts
from nl2sql.rows import Profile
from tasks.artifact_store import ArtifactStore, map_file, read_rows, read_table
from tasks.band_cells import EarlierBands, band_cells
from tasks.index_cells import index_cells
from tasks.profile_database import profile_database

COLUMNS = 40
VALUES = 60


@pytest.fixture
def path(tmp_path):
    """A database of many text columns."""
    made = tmp_path / "many.sqlite"
    columns = ", ".join(f"c{i} TEXT" for i in range(COLUMNS))
    rows = [[f"value {row} of column {column}" for column in range(COLUMNS)] for row in range(VALUES)]
    with closing(sqlite3.connect(made)) as connection, connection:
        connection.execute(f"CREATE TABLE many ({columns})")
        connection.executemany(f"INSERT INTO many VALUES ({', '.join('?' * COLUMNS)})", rows)
    return made


def change_one_cell(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE many SET c7 = 'something else' WHERE rowid = 5")


def built(path, folder):
    """Cells and bands of a database by its tasks."""
    store, database = ArtifactStore(str(folder)), describe_database("many", path)
    profiles = profile_database.run(store, database=database)
    cells = index_cells.run(store, database=database, profiles=profiles)
    return (
        database,
        profiles,
        cells,
        band_cells.run(store, cells=cells, database_id="many", earlier=EarlierBands(store)),
    )


def said(caplog):
    return [r.getMessage() for r in caplog.records if r.name == "tasks.band_cells"]


def test_one_changed_cell_signs_one_column_and_gives_the_same_file(path, tmp_path, caplog):
    caplog.set_level(logging.INFO, "tasks.band_cells")
    built(path, tmp_path / "artifacts")
    built(path, tmp_path / "artifacts")
    assert said(caplog) == [f"many: signing {COLUMNS} of {COLUMNS} columns"]
    change_one_cell(path)
    *_, bands = built(path, tmp_path / "artifacts")
    assert said(caplog)[1:] == [f"many: signing 1 of {COLUMNS} columns"]
    *_, anew = built(path, tmp_path / "elsewhere")
    assert bands.sha256 == anew.sha256


def test_bands_that_are_altered_or_gone_are_made_anew(path, tmp_path, caplog):
    caplog.set_level(logging.INFO, "tasks.band_cells")
    *_, bands = built(path, tmp_path / "artifacts")
    Path(bands.path).write_bytes(b"PAR1 nonsense")
    with pytest.raises(UserError, match="missing or altered"):
        map_file(bands)
    *_, mended = built(path, tmp_path / "artifacts")
    assert mended.sha256 == bands.sha256
    assert said(caplog)[1:] == [f"many: signing {COLUMNS} of {COLUMNS} columns"]


def test_the_mapped_index_answers_as_the_one_in_memory(path, tmp_path):
    database, profiles, cells, bands = built(path, tmp_path / "artifacts")
    known = read_rows(profiles, Profile)
    mapped = CellIndex(mapped_texts(map_file(cells), "value", "end"), known, mapped_bands(map_file(bands)))
    table = table_of_cells(database, known)
    texts = ["value 3 of column 7", "VALUE 59 of colum 39", "vlue 12", "nothing like it", "", "column"]
    assert mapped.lookup(texts) == CellIndex(table, known).lookup(texts)
    assert mapped.lookup(texts)[0][0].column == "c7"
    assert read_table(cells) == table


def test_a_database_without_texts_has_empty_bands(tmp_path):
    path = tmp_path / "numbers.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")
    _, _, cells, bands = built(path, tmp_path / "artifacts")
    assert (cells.rows, bands.rows) == (0, 0)
    index = CellIndex(mapped_texts(map_file(cells), "value", "end"), (), mapped_bands(map_file(bands)))
    assert index.lookup(["x"]) == [[]]
