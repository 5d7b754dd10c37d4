"""Repairs of names: columns, tables and aliases that the database does not have."""

import re
from collections.abc import Iterable

from rapidfuzz.distance import JaroWinkler
from sqlglot import exp

from nl2sql.online.repairs.failure import Facts, ParsedQuery, on_tree
from nl2sql.online.repairs.scopes import Block, Source, identifier, point_at
from nl2sql.rows import ColumnName
from nl2sql.schema import ForeignKey, Schema, Table

CLOSE = 0.9  # Jaro-Winkler similarity below which two names are different things


def plain(name: str) -> str:
    """A name without case, spaces and punctuation."""
    return re.sub(r"[\W_]", "", name.casefold())


def words(name: str) -> frozenset[str]:
    """The words of a name: 'eventName', 'event_name' and 'event name' have the same."""
    return frozenset(w.casefold() for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name))


def closest(name: str, options: Iterable[str]) -> str | None:
    """Give the one option that is the name in another spelling, holds its words, or is close; None when several are."""
    options = list(dict.fromkeys(options))
    for same in (
        lambda o: plain(o) == plain(name),
        lambda o: bool(words(name)) and words(name) <= words(o),
        lambda o: JaroWinkler.similarity(plain(name), plain(o)) >= CLOSE,
    ):
        found = [o for o in options if same(o)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def double_quoted(column: exp.Column) -> bool:
    """Whether it may be a string in double quotes: a lone quoted name (backticks look the same to the parser)."""
    return not column.table and isinstance(column.this, exp.Identifier) and bool(column.this.quoted)


@on_tree
def quote_string(query: ParsedQuery, facts: Facts) -> bool:
    """Turn a name into a string when no table in scope has it and it is compared with a column or a result of CASE.

    In double quotes any unknown name is a string, as SQLite itself once read it; a bare word is when it is a cell.
    """
    changed = False
    for block in query.blocks:
        for column in block.unknown():
            if column.table or not _is_used_as_value(column, block):
                continue
            is_cell = any(c.value.casefold() == column.name.casefold() for c in facts.cells_like(column.name))
            if is_cell or (double_quoted(column) and not _spelling_of_column(column.name, block)):
                column.replace(exp.Literal.string(column.name))
                changed = True
    return changed


def _is_used_as_value(column: exp.Column, block: Block) -> bool:
    comparison = column.parent
    if isinstance(comparison, exp.If | exp.Case):
        return column is not comparison.this and double_quoted(column)
    if not isinstance(comparison, exp.Predicate) or (comparison.this is column and isinstance(comparison, exp.In)):
        return False
    others = [c for c in comparison.find_all(exp.Column) if c is not column]
    return any(block.knows(c) for c in others)


def _spelling_of_column(name: str, block: Block) -> bool:
    names = [c.name for s in block.sources if s.table for c in s.table.columns]
    return any(plain(n) == plain(name) for n in names)


@on_tree
def qualify_with_owner(query: ParsedQuery, facts: Facts) -> bool:
    """Point a column at the one FROM entry that has it: wrong alias, or the table's name in place of its alias."""
    changed = False
    for block in query.blocks:
        for column in block.unknown():
            owners = [s for s in block.owners(column.name) if s.table]
            named = [s for s in owners if s.table and s.table.name.casefold() == column.table.casefold()]
            if len(named or owners) == 1:
                source = (named or owners)[0]
                point_at(column, source, source.spelled(column.name) or column.name)
                changed = True
    return changed


@on_tree
def qualify_ambiguous(query: ParsedQuery, facts: Facts) -> bool:
    """Give a column that several FROM entries have to the first of them."""
    changed = False
    for block in query.blocks:
        for column in block.columns:
            owners = [s for s in block.owners(column.name) if s.table]
            if not column.table and len(owners) > 1:
                point_at(column, owners[0], owners[0].spelled(column.name) or column.name)
                changed = True
    return changed


@on_tree
def use_referencing_column(query: ParsedQuery, facts: Facts) -> bool:
    """Replace a key of a table that is not joined by the one column in scope that references it."""
    changed = False
    for block in query.blocks:
        for column in block.unknown():
            wanted = facts.schema.columns_named(column.name)
            found = [(s, k.column) for s, k in _keys_of(block, facts.schema) if _target(k) in wanted]
            found = [(s, c) for s, c in found if not column.table or s.name.casefold() == column.table.casefold()]
            if len(found) == 1:
                point_at(column, *found[0])
                changed = True
    return changed


def _target(key: ForeignKey) -> ColumnName:
    return ColumnName(key.to_table, key.to_column)


def _keys_of(block: Block, schema: Schema) -> list[tuple[Source, ForeignKey]]:
    return [(s, k) for s in block.sources if s.table for k in schema.foreign_keys if k.table == s.table.name]


@on_tree
def use_close_column(query: ParsedQuery, facts: Facts) -> bool:
    """Replace an unknown column by the one close column of its table, or of the tables in scope."""
    changed = False
    for block in query.blocks:
        for column in block.unknown():
            named = block.source(column.table) if column.table else None
            for sources in ([named] if named else [], block.sources):
                options = {(s.name, c.name): s for s in sources if s.table for c in s.table.columns}
                name = closest(column.name, [c for _, c in options])
                owners = [s for (_, c), s in options.items() if c == name]
                if name and len(owners) == 1:
                    point_at(column, owners[0], name)
                    changed = True
                    break
    return changed


@on_tree
def use_close_table(query: ParsedQuery, facts: Facts) -> bool:
    """Replace an unknown table by the one with a close name, else by the one that has all columns asked of it."""
    changed = False
    for block in query.blocks:
        for source in block.sources:
            node = source.node
            if source.table is not None or source.outputs is None or not isinstance(node, exp.Table):
                continue
            if schema_table := _close_table(source, block, facts.schema):
                if not node.alias:
                    _rename_qualifier(query.tree, node.name, schema_table.name)
                node.set("this", identifier(schema_table.name))
                changed = True
    return changed


def _close_table(source: Source, block: Block, schema: Schema) -> Table | None:
    asked = {c.name for c in block.columns if c.table.casefold() == source.name.casefold()}
    if len(block.sources) == 1:
        asked |= {c.name for c in block.unknown() if not c.table}
    fitting = [t for t in schema.tables if asked and asked_of(t, asked)]
    if len(fitting) == 1:
        return fitting[0]
    name = closest(source.node.name, [t.name for t in (fitting or schema.tables)])
    return schema.table(name) if name else None


def asked_of(table: Table, columns: Iterable[str]) -> bool:
    """Whether a table has all these columns."""
    names = {c.name.casefold() for c in table.columns}
    return all(c.casefold() in names for c in columns)


def _rename_qualifier(tree: exp.Query, old: str, new: str) -> None:
    for column in tree.find_all(exp.Column):
        if column.table.casefold() == old.casefold():
            column.set("table", identifier(new))
