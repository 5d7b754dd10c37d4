"""Which tables a column of a parsed query can come from."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.optimizer.scope import Scope, traverse_scope

from nl2sql.rows import ColumnName
from nl2sql.schema import Schema, Table

KEYWORDS = frozenset(SQLite.Tokenizer.KEYWORDS)
ROW_IDS = frozenset({"rowid", "oid", "_rowid_"})


@dataclass(frozen=True)
class Source:
    """One entry of a FROM clause under the name by which columns refer to it.

    `table` is None for a derived table, a CTE or an unknown name; `outputs` are then its columns, None when unknown.
    """

    name: str
    node: exp.Expr
    table: Table | None
    outputs: frozenset[str] | None

    def has(self, column: str) -> bool:
        """Whether it has, or may have, a column of that name."""
        if self.table is None:
            return self.outputs is None or column.casefold() in self.outputs
        return column.casefold() in ROW_IDS or self.spelled(column) is not None

    def spelled(self, column: str) -> str | None:
        """The column as the database spells it."""
        names = (c.name for c in self.table.columns) if self.table else iter(())
        return next((name for name in names if name.casefold() == column.casefold()), None)


@dataclass(frozen=True)
class Block:
    """One SELECT with its own FROM entries, and the SELECT around it."""

    select: exp.Select
    sources: tuple[Source, ...]
    parent: "Block | None"
    columns: tuple[exp.Column, ...] = field(compare=False)

    def source(self, name: str) -> Source | None:
        """Find the FROM entry of that name here or further out."""
        found = next((s for s in self.sources if s.name.casefold() == name.casefold()), None)
        return found or (self.parent.source(name) if self.parent else None)

    def owners(self, column: str) -> list[Source]:
        """Give the FROM entries of this SELECT that have the column."""
        return [s for s in self.sources if s.has(column)]

    def knows(self, column: exp.Column) -> bool:
        """Whether SQLite finds the column, aliases of the SELECT list included."""
        if isinstance(column.this, exp.Star):
            return True
        if column.table:
            source = self.source(column.table)
            return source is not None and source.has(column.name)
        aliases = {e.alias.casefold() for e in self.select.selects if e.alias}
        if self.owners(column.name) or column.name.casefold() in aliases:
            return True
        return self.parent.knows(column) if self.parent else False

    def resolve(self, column: exp.Expr | None) -> ColumnName | None:
        """Say which column of the database it is; None for derived, unknown and ambiguous ones."""
        if not isinstance(column, exp.Column):
            return None
        if column.table:
            source = self.source(column.table)
            sources = [source] if source else []
        else:
            sources = self.owners(column.name)
        if len(sources) != 1 or sources[0].table is None:
            return self.parent.resolve(column) if self.parent and not sources and not column.table else None
        spelled = sources[0].spelled(column.name)
        return ColumnName(sources[0].table.name, spelled) if spelled else None

    def unknown(self) -> list[exp.Column]:
        """Columns that SQLite does not find."""
        return [c for c in self.columns if not self.knows(c)]


def identifier(name: str) -> exp.Identifier:
    """Write a name as SQLite reads it, quoted only where it must be."""
    needs_quotes = not re.fullmatch(r"[A-Za-z_]\w*", name) or name.upper() in KEYWORDS
    return exp.Identifier(this=name, quoted=needs_quotes)


def point_at(column: exp.Column, source: Source, name: str) -> None:
    """Make a column of a query mean that column of that FROM entry."""
    column.set("this", identifier(name))
    column.set("table", identifier(source.name))


def read_blocks(tree: exp.Query, schema: Schema) -> list[Block]:
    """Give the SELECTs of a query, outer before inner. Raises SqlglotError for scopes that sqlglot cannot follow."""
    scopes = list(traverse_scope(tree))
    blocks: dict[int, Block] = {}
    for scope in reversed(scopes):  # inner scopes come first in sqlglot's order, and a block needs its parent
        if isinstance(scope.expression, exp.Select):
            blocks[id(scope)] = _block(scope, _parent(scope, blocks), schema)
    return list(blocks.values())


def _parent(scope: Scope, blocks: dict[int, Block]) -> Block | None:
    outer = scope.parent if scope.is_subquery or scope.is_set_operation else None
    while outer is not None:
        if id(outer) in blocks:
            return blocks[id(outer)]
        outer = outer.parent
    return None


def _block(scope: Scope, parent: Block | None, schema: Schema) -> Block:
    select = scope.expression
    assert isinstance(select, exp.Select)
    columns = {id(c): c for c in scope.find_all(exp.Column)}  # it gives those of a set operation twice
    return Block(select, tuple(_sources(scope, schema)), parent, tuple(columns.values()))


def _sources(scope: Scope, schema: Schema) -> Iterator[Source]:
    for name, (node, source) in scope.selected_sources.items():
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            table = schema.table(source.name)
            yield Source(name, node, table, None if table else frozenset())
        else:
            yield Source(name, node, None, _outputs(source))


def _outputs(source: object) -> frozenset[str] | None:
    query = source.expression if isinstance(source, Scope) else None
    if not isinstance(query, exp.Query) or query.is_star:
        return None
    return frozenset(name.casefold() for name in query.named_selects)
