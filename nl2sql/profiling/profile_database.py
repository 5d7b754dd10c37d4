"""Profile every column of a database in one pass over each table (op 0)."""

import sqlite3
from collections.abc import Callable
from typing import Any

from nl2sql.profiling.column_pool import ColumnPool
from nl2sql.profiling.descriptions import Description, Descriptions, describe, read_descriptions
from nl2sql.profiling.propose_joins import KeyFacts, propose_joins
from nl2sql.profiling.read_columns import Columns, read_columns
from nl2sql.profiling.tally_column import TALLY_CHARACTERS, Tally
from nl2sql.profiling.value_formats import date_format, number_date_format, shape
from nl2sql.reading import opened, time_limit
from nl2sql.rows import ColumnName, Database, Profile
from nl2sql.schema import Schema, Table, read_schema

DISTINCT_PER_COLUMN = 200_000  # different values that are counted exactly; beyond it a HyperLogLog estimates
DISTINCT_PER_TABLE = 1_000_000  # shared by a table's columns
CHARACTERS_PER_TABLE = 1 << 28  # shared as well; of the different texts that are held at once
VIEW_SECONDS = 30.0
LONGEST_VALUE = 500  # characters of a minimum, maximum or top value; what is cut ends in …
SKETCHES = 4_000_000  # hashes that are kept for join proposals, over all columns

Progress = Callable[[str, int, int], None]  # table, tables done, tables in all


def profile_database(
    database: Database,
    distinct_limit: int = DISTINCT_PER_COLUMN,
    progress: Progress | None = None,
    view_seconds: float = VIEW_SECONDS,
    processes: int | None = None,
) -> list[Profile]:
    """Profile all columns of a database, in schema order; [] when it has no tables.

    Values count as they are stored, whatever the column declares. Memory is bounded by the different values that are
    counted, `distinct_limit` a column and DISTINCT_PER_TABLE a table, and by their characters, not by rows; see Tally
    for what is estimated beyond. Text that is not UTF-8 is read with U+FFFD in its place. A view that fails or takes
    over `view_seconds` has columns without values (rows = 0). Raises UserError when the file does not open or is
    corrupt anywhere: never half a profile.

    The columns of a large table are shared among `processes`, by default as many as there are processors; the profiles
    are the same with any number. Each takes about 100 MB beyond what it counts.
    """
    descriptions = read_descriptions(database.description_path)
    with opened(database) as connection, ColumnPool(database.path, processes) as pool:
        schema = read_schema(connection, database.db_id)
        limit = max(1000, min(distinct_limit, SKETCHES // max(1, len(schema.column_names))))
        tallies: dict[ColumnName, Tally] = {}
        for done, table in enumerate(schema.tables):
            if progress:
                progress(table.name, done, len(schema.tables))
            tallies.update(_tally_table(connection, pool, table, limit, view_seconds))
    joins = _joins(schema, tallies)
    return [
        _profile(schema, table, position, tallies, joins, descriptions)
        for table in schema.tables
        for position in range(len(table.columns))
    ]


def _tally_table(
    connection: sqlite3.Connection, pool: ColumnPool, table: Table, limit: int, view_seconds: float
) -> dict[ColumnName, Tally]:
    names = tuple(c.name for c in table.columns)
    if not names:
        return {}
    limit = max(1000, min(limit, DISTINCT_PER_TABLE // len(names)))
    columns = Columns(table.name, names, len(names), limit, min(TALLY_CHARACTERS, CHARACTERS_PER_TABLE // len(names)))
    tallies = _read_view(connection, columns, view_seconds) if table.is_view else pool.read(connection, columns)
    return {ColumnName(table.name, name): tally for name, tally in zip(names, tallies, strict=True)}


def _read_view(connection: sqlite3.Connection, columns: Columns, seconds: float) -> list[Tally]:
    try:
        with time_limit(connection, seconds):
            return read_columns(connection, columns)[0]
    except sqlite3.OperationalError:
        return [Tally(columns.limit).finish() for _ in columns.names]


def _joins(schema: Schema, tallies: dict[ColumnName, Tally]) -> dict[ColumnName, list[ColumnName]]:
    facts = [
        key_facts(ColumnName(t.name, c.name), tallies[ColumnName(t.name, c.name)], t.primary_key == (c.name,))
        for t in schema.tables
        if not t.is_view
        for c in t.columns
    ]
    settled = frozenset(ColumnName(k.table, k.column) for k in schema.foreign_keys)
    joins: dict[ColumnName, list[ColumnName]] = {}
    for proposal in propose_joins(facts, settled):
        joins.setdefault(proposal.child, []).append(proposal.parent)
    return joins


def key_facts(name: ColumnName, tally: Tally, primary: bool) -> KeyFacts:
    """What join proposals ask of a column."""
    whole = tally.types[int] + tally.types[float] == tally.filled and not tally.fractional
    ends = (tally.smallest_number, tally.largest_number)
    # An estimated count is off by a few per cent.
    unique = tally.nulls == 0 and tally.distinct >= tally.filled * (1 if tally.registers is None else 0.97)
    return KeyFacts(
        name=name,
        sketch=tally.sketches.sketch(),
        distinct=tally.distinct,
        is_unique=unique and tally.filled > 0 and tally.types[bytes] == 0,
        primary=primary,
        numbers=ends if whole and ends[0] is not None and ends[1] is not None else None,  # type: ignore[arg-type]
        reads_as_number=tally.filled > 0 and _numeric_fraction(tally) == 1.0,
        shortest=tally.shortest or 0,
        longest=tally.longest,
        fractional=tally.fractional or tally.types[bytes] > 0,
    )


def _profile(
    schema: Schema,
    table: Table,
    position: int,
    tallies: dict[ColumnName, Tally],
    joins: dict[ColumnName, list[ColumnName]],
    descriptions: Descriptions,
) -> Profile:
    column = table.columns[position]
    name = ColumnName(table.name, column.name)
    tally = tallies[name]
    top = tally.top()
    said: Description = describe(descriptions, table.name, column.name)
    targets = [k for k in schema.foreign_keys if (k.table, k.column) == (table.name, column.name)]
    is_sole_key = table.primary_key == (column.name,)
    return Profile(
        db_id=schema.db_id,
        table=table.name,
        column=column.name,
        position=position,
        is_view=table.is_view,
        declared_type=column.declared_type,
        primary_key=column.primary_key,
        references=tuple(ColumnName(k.to_table, k.to_column) for k in targets),
        joins=tuple(joins.get(name, ())),
        rows=tally.types.total(),
        nulls=tally.nulls,
        distinct=tally.filled if is_sole_key else tally.distinct,
        integers=tally.types[int],
        reals=tally.types[float],
        texts=tally.types[str],
        blobs=tally.types[bytes],
        minimum=_extreme(tally, tally.smallest_number, tally.smallest_text),
        maximum=_extreme(tally, tally.largest_text, tally.largest_number),
        shortest=tally.shortest or 0,
        longest=tally.longest,
        top_values=tuple(as_text(value) for value, _ in top),
        top_counts=tuple(count for _, count in top),
        shape=shape(list(tally.sample)),
        date_format=_date_format(tally, column.name, column.declared_type),
        numeric_fraction=_numeric_fraction(tally),
        expanded_name=said.expanded_name,
        description=said.description,
        value_description=said.value_description,
    )


def _extreme(tally: Tally, first: Any, second: Any) -> str | None:
    """SQLite sorts numbers before texts: the first of the two that there is. Blobs have no readable order."""
    value = first if first is not None else second
    return None if value is None or not tally.filled else as_text(value)


def as_text(value: Any) -> str:
    """A stored value as text; a blob as its SQL literal, what is longer than LONGEST_VALUE cut."""
    text = f"x'{value[:LONGEST_VALUE].hex()}'" if isinstance(value, bytes) else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _date_format(tally: Tally, name: str, declared_type: str) -> str:
    numbers = tally.types[int] + tally.types[float]
    if numbers > tally.types[str] and tally.smallest_number is not None and tally.largest_number is not None:
        return number_date_format(name, declared_type, tally.smallest_number, tally.largest_number)
    return date_format(list(tally.sample))


def _numeric_fraction(tally: Tally) -> float:
    numbers = tally.types[int] + tally.types[float] + tally.numeric_texts
    return numbers / tally.filled if tally.filled else 0.0
