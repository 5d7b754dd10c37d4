"""Read a database from end to end: what the offline steps need, which see every row once and never write."""

import functools
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from nl2sql.errors import UserError
from nl2sql.read_only import open_read_only
from nl2sql.rows import Database
from nl2sql.schema import quote

CHUNK_CELLS = 1 << 18  # cells that are held at once, fewer when they are large
CHUNK_CHARACTERS = 1 << 25
SAMPLED_CELLS = 1 << 8  # of a chunk, to see how large the next one may be
PROGRESS_STEPS = 1 << 20  # virtual machine instructions of SQLite between two looks at the limit

Chunk = list[tuple[object, ...]]

# Text that is not UTF-8 shows as U+FFFD. Slower than SQLite's own decoding, hence only where that fails.
lenient_text = functools.partial(str, encoding="utf-8", errors="replace")


@contextmanager
def opened(database: Database) -> Iterator[sqlite3.Connection]:
    """A read-only connection to a database, closed at the end.

    Raises UserError with the database's id and SQLite's message when the file does not open, is not a database or
    turns out to be corrupt while it is read inside the block.
    """
    if database.error:
        raise UserError(f"database {database.db_id} does not open: {database.error}")
    path = Path(database.path)
    if not path.is_file():
        raise UserError(f"database {database.db_id} does not open: there is no file {database.path}")
    try:
        # Every column is spelled with its table, so that SQLite's habit of taking names for strings cannot apply.
        with closing(open_read_only(path, double_quoted_strings=True)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            yield connection
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter for a message about damaged names
        raise UserError(
            f"database {database.db_id} cannot be read to the end: {error}"
            f" (see what can be saved with: sqlite3 '{database.path}' .recover)"
        ) from error


@dataclass
class Pace:
    """How many rows are read at once: `most`, fewer where the last `sampled` of those before were long."""

    most: int
    sampled: int
    heaviest: int = 0  # characters of a row, the most that was seen on an average over `sampled`

    def next_size(self, rows: Chunk, size: int) -> int:
        """How many to read after these, of which `size` were wanted."""
        characters = _characters(rows[-self.sampled :]) // len(rows[-self.sampled :])
        self.heaviest = max(self.heaviest, characters)
        return max(1, min(self.most, size * 4, CHUNK_CHARACTERS // max(1, characters)))


def pace(columns: int = 1, most_rows: int | None = None) -> Pace:
    """For rows of so many cells: `most_rows` at once, else as many as make CHUNK_CELLS cells."""
    return Pace(most_rows or max(1, CHUNK_CELLS // columns), min(64, 1 + SAMPLED_CELLS // columns))


def chunks(connection: sqlite3.Connection, sql: str, at: Pace | None = None, lenient: bool = False) -> Iterator[Chunk]:
    """The rows of a query, a bounded number of cells and characters at a time, by default as for one column.

    The pace notes how long rows are. A row is never split, so that memory is bounded by the largest row as well.
    """
    at = at or pace()
    connection.text_factory = lenient_text if lenient else str
    cursor = connection.execute(sql)
    size = min(at.most, 256)
    while rows := cursor.fetchmany(size):
        size = at.next_size(rows, size)
        yield rows


def _characters(rows: Chunk) -> int:
    return sum(len(cell) for row in rows for cell in row if isinstance(cell, str | bytes))


def is_encoding_error(error: sqlite3.DatabaseError) -> bool:
    """Whether text that is not UTF-8 stopped a reading, which a lenient one would get past."""
    return "decode to UTF-8" in str(error)


@contextmanager
def time_limit(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Interrupt queries of the block after so many seconds (sqlite3.OperationalError: interrupted)."""
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, PROGRESS_STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def select_columns(table: str, columns: Sequence[str]) -> str:
    """The query that reads these columns of a table, in this order."""
    return f"SELECT {', '.join(f't.{quote(c)}' for c in columns)} FROM {quote(table)} AS t"
