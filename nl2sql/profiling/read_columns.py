"""Read columns of one table once and count each."""

import sqlite3
from typing import NamedTuple

from nl2sql.profiling.tally_column import Tally
from nl2sql.reading import Pace, chunks, is_encoding_error, pace, select_columns

# Rows that are turned into columns at once: few enough that their cells are still in the processor's cache and that
# Python, after 700 new objects, does not look through them for garbage; enough to outweigh what is done once a column.
ROWS_AT_ONCE = 640


class Columns(NamedTuple):
    """Columns of one table, and how much of each is counted exactly (see Tally)."""

    table: str
    names: tuple[str, ...]
    width: int  # columns of the whole table, which decide how many rows are counted at once
    limit: int  # different values a column
    characters: int  # of them, a column


def table_pace(width: int) -> Pace:
    """How many rows of a table with so many columns are counted at once."""
    return pace(width, ROWS_AT_ONCE)


def read_columns(connection: sqlite3.Connection, columns: Columns) -> tuple[list[Tally], int]:
    """The finished tally of each column, and the most characters that a row had of them, about (see Pace).

    Text that is not UTF-8 is read with U+FFFD in its place. Raises sqlite3.DatabaseError when the table cannot be read
    to its end.
    """
    try:
        return _read(connection, columns, lenient=False)
    except sqlite3.OperationalError as error:
        if not is_encoding_error(error):
            raise
    return _read(connection, columns, lenient=True)


def _read(connection: sqlite3.Connection, columns: Columns, lenient: bool) -> tuple[list[Tally], int]:
    tallies = [Tally(columns.limit, columns.characters) for _ in columns.names]
    at = table_pace(columns.width)
    for rows in chunks(connection, select_columns(columns.table, columns.names), at, lenient):
        for tally, values in zip(tallies, zip(*rows, strict=True), strict=True):
            tally.add(values)
        rows.clear()  # the next rows take their place in memory, and in the cache
    return [tally.finish() for tally in tallies], at.heaviest
