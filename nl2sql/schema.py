"""Tables, columns and keys of a database: what every later step spells names with."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from nl2sql.rows import ColumnName, Profile


@dataclass(frozen=True)
class Column:
    """A column as declared. `primary_key` is its place in the key from 1, 0 when it is not part of it."""

    name: str
    declared_type: str
    primary_key: int


@dataclass(frozen=True)
class ForeignKey:
    """One pair of a foreign key; a key over several columns is several of these. `declared` is False for proposals."""

    table: str
    column: str
    to_table: str
    to_column: str
    declared: bool


@dataclass(frozen=True)
class Table:
    """A table or view and its columns in order."""

    name: str
    columns: tuple[Column, ...]
    is_view: bool

    @cached_property
    def primary_key(self) -> tuple[str, ...]:
        """Columns of the primary key in order, () when there is none."""
        keyed = sorted((c.primary_key, c.name) for c in self.columns if c.primary_key)
        return tuple(name for _, name in keyed)


@dataclass(frozen=True)
class Schema:
    """The tables and keys of one database. Lookups ignore case, as SQLite does."""

    db_id: str
    tables: tuple[Table, ...]
    foreign_keys: tuple[ForeignKey, ...]

    @cached_property
    def _tables_by_name(self) -> dict[str, Table]:
        return {t.name.casefold(): t for t in self.tables}

    @cached_property
    def _columns_by_name(self) -> dict[str, tuple[ColumnName, ...]]:
        found: dict[str, list[ColumnName]] = defaultdict(list)
        for column in self.column_names:
            found[column.column.casefold()].append(column)
        return {name: tuple(columns) for name, columns in found.items()}

    @cached_property
    def column_names(self) -> tuple[ColumnName, ...]:
        """Every column of the database, in schema order."""
        return tuple(ColumnName(t.name, c.name) for t in self.tables for c in t.columns)

    def table(self, name: str) -> Table | None:
        """The table or view of that name, None when there is none."""
        return self._tables_by_name.get(name.casefold())

    def columns_named(self, name: str) -> tuple[ColumnName, ...]:
        """All columns of that name, of whichever table."""
        return self._columns_by_name.get(name.casefold(), ())

    def column(self, table: str, name: str) -> ColumnName | None:
        """That column of that table in the database's spelling, None when there is none."""
        matches = [c for c in self.columns_named(name) if c.table.casefold() == table.casefold()]
        return matches[0] if matches else None


def quote(identifier: str) -> str:
    """An identifier as SQLite reads it whatever it holds: spaces, keywords, quotes, emoji."""
    return '"' + identifier.replace('"', '""') + '"'


def schema_from_profiles(profiles: Sequence[Profile]) -> Schema:
    """Rebuild the schema of one database from its profiles, so that online steps need not open the database."""
    by_table: dict[str, list[Profile]] = defaultdict(list)
    for profile in profiles:
        by_table[profile.table].append(profile)
    tables = tuple(
        Table(
            name,
            tuple(Column(p.column, p.declared_type, p.primary_key) for p in sorted(columns, key=lambda p: p.position)),
            columns[0].is_view,
        )
        for name, columns in by_table.items()
    )
    return Schema(profiles[0].db_id if profiles else "", tables, tuple(_keys(profiles)))


def _keys(profiles: Iterable[Profile]) -> Iterable[ForeignKey]:
    for profile in profiles:
        for declared, targets in ((True, profile.references), (False, profile.joins)):
            for target in targets:
                yield ForeignKey(profile.table, profile.column, target.table, target.column, declared)


def read_schema(connection: sqlite3.Connection, db_id: str) -> Schema:
    """Read the schema of an open database: tables and views in the order in which they were created.

    Raises sqlite3.DatabaseError when the file is not a database. Virtual tables' shadow tables and SQLite's own are
    left out; a view that no longer works has no columns.
    """
    tables = []
    keys: list[ForeignKey] = []
    for name, kind in _table_names(connection):
        columns = _read_columns(connection, name)
        tables.append(Table(name, columns, kind == "view"))
        keys.extend(_read_keys(connection, name))
    return Schema(db_id, tuple(tables), tuple(_resolved(keys, tables)))


def _table_names(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    rows = connection.execute(
        "SELECT m.name, l.type FROM sqlite_master m JOIN pragma_table_list l ON l.name = m.name AND l.schema = 'main'"
        " WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.rowid"
    )
    return [(name, kind) for name, kind in rows if kind != "shadow"]


def _read_columns(connection: sqlite3.Connection, table: str) -> tuple[Column, ...]:
    try:
        rows = connection.execute(f"PRAGMA table_xinfo({quote(table)})").fetchall()
    except sqlite3.OperationalError:  # a view over a table that is gone
        return ()
    # hidden = 1 marks a virtual table's hidden column; 2 and 3 are generated columns, which can be read.
    return tuple(Column(name, kind or "", key) for _, name, kind, _, _, key, hidden in rows if hidden != 1)


def _read_keys(connection: sqlite3.Connection, table: str) -> list[ForeignKey]:
    rows = connection.execute(f"PRAGMA foreign_key_list({quote(table)})").fetchall()
    return [
        ForeignKey(table, column, to_table, to_column or "", True) for _, _, to_table, column, to_column, *_ in rows
    ]


def _resolved(keys: Iterable[ForeignKey], tables: Sequence[Table]) -> Iterable[ForeignKey]:
    """Spell targets as declared; fill in a target column left out (it means the primary key); drop dangling keys."""
    by_name = {t.name.casefold(): t for t in tables}
    for key in keys:
        table, target = by_name[key.table.casefold()], by_name.get(key.to_table.casefold())
        source = _spelled(table, key.column)
        if target is None or source is None:
            continue
        to_column = _spelled(target, key.to_column) if key.to_column else next(iter(target.primary_key), None)
        if to_column is not None:
            yield ForeignKey(table.name, source, target.name, to_column, True)


def _spelled(table: Table, column: str) -> str | None:
    return next((c.name for c in table.columns if c.name.casefold() == column.casefold()), None)
