"""What is found of declared foreign keys once they are removed: on copies of Spider's and BIRD's databases.

The gold is the keys that the schemas declare, single columns only; a proposal between the two ends of a declared key
counts whichever end it starts from. A proposal that nobody declared counts as wrong, though it may be a true join.
"""

import re
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from nl2sql.profiling.profile_database import profile_database
from nl2sql.rows import Database
from nl2sql.schema import quote, read_schema

DEVELOPMENT = frozenset({"student_club", "concert_singer", "pets_1", "car_1", "course_teach"})
_NAME = r"(?:\"[^\"]+\"|`[^`]+`|\[[^\]]+\]|'[^']+'|\w+)"
_TARGET = rf"REFERENCES\s+{_NAME}(?:\s*\([^)]*\))?"
_TARGET += r"(?:\s*ON\s+(?:DELETE|UPDATE)\s+(?:CASCADE|RESTRICT|NO\s+ACTION|SET\s+NULL|SET\s+DEFAULT))*"
_KEY = rf",\s*(?:CONSTRAINT\s+{_NAME}\s+)?FOREIGN\s+KEY\s*\([^)]*\)\s*{_TARGET}"
_INLINE = rf"\s+(?:CONSTRAINT\s+{_NAME}\s+)?{_TARGET}"

Pair = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Recovered:
    """One database: declared keys, what was proposed without them, and how much of that is declared."""

    db_id: str
    declared: int
    proposed: int
    right: int


def recover_joins(database: Database, folder: Path, nameless: bool = False) -> Recovered:
    """Profile a copy of the database without its keys, and compare what is proposed with what was declared.

    `nameless` renames all tables and columns of the copy to words without meaning, so that only values speak.
    """
    gold = {_pair(p.table, p.column, r.table, r.column) for p in profile_database(database) for r in p.references}
    bare = folder / f"{database.db_id}.sqlite"
    shutil.copyfile(database.path, bare)
    remove_keys(bare)
    if nameless:
        renamed = rename_all(bare)
        gold = {frozenset(renamed[end] for end in pair) for pair in gold}
    profiles = profile_database(Database(database.db_id, str(bare), "", 0, "", "", ""))
    proposed = {_pair(p.table, p.column, j.table, j.column) for p in profiles for j in p.joins}
    bare.unlink()
    return Recovered(database.db_id, len(gold), len(proposed), len(gold & proposed))


def rename_all(path: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Give every table and column a word of its own without meaning; the old names, case-folded, to the new ones."""
    words = ("".join(letters) for letters in product("zvkj", "uoy", "wxq", "eia", "pfg", "nmb"))
    renamed: dict[tuple[str, str], tuple[str, str]] = {}
    with closing(sqlite3.connect(path)) as connection:
        tables = read_schema(connection, path.stem).tables
        for table in (t for t in tables if not t.is_view):
            fresh = next(words)
            for column in table.columns:
                name = next(words)
                change = f"RENAME COLUMN {quote(column.name)} TO {quote(name)}"
                connection.execute(f"ALTER TABLE {quote(table.name)} {change}")
                renamed[table.name.casefold(), column.name.casefold()] = (fresh, name)
            connection.execute(f"ALTER TABLE {quote(table.name)} RENAME TO {quote(fresh)}")
        connection.commit()
    return renamed


def _pair(table: str, column: str, other: str, its_column: str) -> Pair:
    return frozenset([(table.casefold(), column.casefold()), (other.casefold(), its_column.casefold())])


def remove_keys(path: Path) -> None:
    """Take every foreign key out of a schema; primary keys and the rows stay. Raises ValueError when one is left."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = 1")
        for name, sql in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall():
            bare = re.sub(_INLINE, "", re.sub(_KEY, "", sql, flags=re.I), flags=re.I)
            connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = ? AND type = 'table'", (bare, name))
        connection.commit()
    with closing(sqlite3.connect(path)) as connection:
        left = "SELECT count(*) FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) WHERE m.type = 'table'"
        if connection.execute(left).fetchone() != (0,):
            raise ValueError(f"{path.name} still declares foreign keys")


def totals(rows: Sequence[Recovered]) -> str:
    """Precision and recall over databases together."""
    declared, proposed, right = (sum(getattr(r, f) for r in rows) for f in ("declared", "proposed", "right"))
    return (
        f"{len(rows)} databases, {declared} declared keys, {proposed} proposed, {right} right:"
        f" precision {100 * right / max(1, proposed):.1f}, recall {100 * right / max(1, declared):.1f}"
    )


def lines(databases: Iterable[Database], folder: Path) -> list[str]:
    """Totals with and without names: of the databases that the rules were developed on, and of the others."""
    readable = [d for d in databases if not d.error]
    found = []
    for kind, of_kind in (("development", True), ("held out", False)):
        chosen = [d for d in readable if (d.db_id in DEVELOPMENT) is of_kind]
        for how, nameless in (("", False), (", names without meaning", True)):
            if chosen:
                found.append(f"{kind}{how}: {totals([recover_joins(d, folder, nameless) for d in chosen])}")
    return found
