"""Repairs of joins: tables that are asked for but not joined, and joins on columns that never meet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from nl2sql.online.repairs.failure import Facts, ParsedQuery, on_tree
from nl2sql.online.repairs.scopes import Block, Source, identifier, point_at
from nl2sql.rows import ColumnName
from nl2sql.schema import ForeignKey, Schema, Table

HOPS = 3  # keys between two tables beyond which a path says little


@dataclass(frozen=True)
class Path:
    """Keys that lead from a FROM entry to a table, one after the other."""

    start: Source
    keys: tuple[ForeignKey, ...]
    tables: tuple[str, ...]  # that the keys lead to, the last is the goal


def keys_between(schema: Schema, one: str, other: str) -> list[ForeignKey]:
    """Foreign keys between two tables, either way: the declared ones, or the proposed ones where none is declared."""
    ends = {one.casefold(), other.casefold()}
    found = [k for k in schema.foreign_keys if {k.table.casefold(), k.to_table.casefold()} == ends]
    return [k for k in found if k.declared] or found


def shortest_path(
    starts: Sequence[Source], is_goal: Callable[[str], bool], avoid: set[str], schema: Schema
) -> Path | None:
    """Give the one shortest path from one of the entries to a table that is a goal, through none of `avoid`.

    None when there is no path of at most HOPS keys, or several of the same length.
    """
    seen = set(avoid) | {s.table.name for s in starts if s.table}
    frontier = [Path(s, (), (s.table.name,)) for s in starts if s.table]
    for _ in range(HOPS):
        frontier = [
            Path(p.start, (*p.keys, key), (*p.tables, table))
            for p in frontier
            for table in _neighbours(p.tables[-1], schema)
            if table not in seen
            for key in keys_between(schema, p.tables[-1], table)
        ]
        found = [p for p in frontier if is_goal(p.tables[-1])]
        if found:
            return Path(found[0].start, found[0].keys, found[0].tables[1:]) if len(found) == 1 else None
        seen |= {p.tables[-1] for p in frontier}
    return None


def _neighbours(table: str, schema: Schema) -> list[str]:
    ends = [(k.table, k.to_table) for k in schema.foreign_keys if table in (k.table, k.to_table)]
    return list(dict.fromkeys(other if one == table else one for one, other in ends))


def join_path(block: Block, path: Path, schema: Schema) -> Source:
    """Join the tables of a path to a SELECT; the source of the last one."""
    taken = {s.name.casefold() for s in block.sources}
    source = path.start
    for key, name in zip(path.keys, path.tables, strict=True):
        alias = name if name.casefold() not in taken else f"{name}_joined"
        node = exp.Table(this=identifier(name))
        if alias != name:
            node.set("alias", exp.TableAlias(this=identifier(alias)))
        block.select.join(node, on=_on(source.name, alias, key, name), append=True, copy=False)
        source = Source(alias, node, schema.table(name), None)
    return source


def _on(source: str, joined: str, key: ForeignKey, table: str) -> exp.Expr:
    ours, theirs = (key.to_column, key.column) if key.table == table else (key.column, key.to_column)
    return exp.EQ(this=_column(source, ours), expression=_column(joined, theirs))


def _column(source: str, name: str) -> exp.Column:
    return exp.Column(this=identifier(name), table=identifier(source))


@on_tree
def join_owner(query: ParsedQuery, facts: Facts) -> bool:
    """Join the nearest table that has an unknown column: by keys from its own table, or from any that is in scope."""
    changed = False
    for block in query.blocks:
        joined: dict[str, Source] = {}
        for column in block.unknown():
            path = _path_to_owner(column, block, facts.schema)
            if path is not None:
                goal = path.tables[-1]
                joined[goal] = joined.get(goal) or join_path(block, path, facts.schema)
                point_at(column, joined[goal], column.name)
                changed = True
    return changed


def _path_to_owner(column: exp.Column, block: Block, schema: Schema) -> Path | None:
    in_scope = {s.table.name for s in block.sources if s.table}
    named = schema.table(column.table) if column.table else None
    source = block.source(column.table) if column.table else None
    owners = {c.table for c in schema.columns_named(column.name)} - in_scope
    if named is not None and named.name in owners:
        owners = {named.name}
    return shortest_path([source] if source else block.sources, lambda t: t in owners, in_scope, schema)


@on_tree
def join_on_keys(query: ParsedQuery, facts: Facts) -> bool:
    """Where two tables are joined on columns that are no key of each other, join them on the one key they have."""
    changed = False
    for block in query.blocks:
        for left, right, ends in _wrong_joins(block, facts.schema):
            keys = keys_between(facts.schema, ends[0].table, ends[1].table)
            if len(keys) == 1:
                ours, theirs = (left, right) if keys[0].table == ends[0].table else (right, left)
                ours.set("this", identifier(keys[0].column))
                theirs.set("this", identifier(keys[0].to_column))
                changed = True
    return changed


def _wrong_joins(block: Block, schema: Schema) -> list[tuple[exp.Column, exp.Column, tuple[ColumnName, ColumnName]]]:
    """Equalities of columns of two tables that no key relates."""
    found = {id(c.parent): c.parent for c in block.columns if isinstance(c.parent, exp.EQ)}
    wrong = []
    for left, right in ((eq.this, eq.expression) for eq in found.values()):
        one, other = block.resolve(left), block.resolve(right)
        if one and other and one.table != other.table and not _is_key(one, other, schema):
            wrong.append((left, right, (one, other)))
    return wrong


def _is_key(one: ColumnName, other: ColumnName, schema: Schema) -> bool:
    pairs = ((ColumnName(k.table, k.column), ColumnName(k.to_table, k.to_column)) for k in schema.foreign_keys)
    return any(pair in ((one, other), (other, one)) for pair in pairs)


@on_tree
def join_through(query: ParsedQuery, facts: Facts) -> bool:
    """Where two tables that have no key in common are joined, join the tables between them instead.

    `event.event_id = expense.link_to_budget` becomes a join of budget, which both lead to.
    """
    changed = False
    for block in query.blocks:
        for left, right, ends in _wrong_joins(block, facts.schema):
            start, goal = _entry(block, left), _entry(block, right)
            in_scope = {s.table.name for s in block.sources if s.table} - {ends[1].table}
            if start is None or goal is None or keys_between(facts.schema, ends[0].table, ends[1].table):
                continue
            path = shortest_path([start], lambda t, end=ends[1].table: t == end, in_scope, facts.schema)
            if path is not None and left.parent is not None:
                left.parent.replace(_condition(block, path, goal, facts.schema))
                changed = True
    return changed


def _entry(block: Block, column: exp.Column) -> Source | None:
    if column.table:
        return block.source(column.table)
    owners = block.owners(column.name)
    return owners[0] if len(owners) == 1 else None


def _condition(block: Block, path: Path, goal: Source, schema: Schema) -> exp.Expr:
    """Join all but the last table of the path; the equality that joins that one, which is there already."""
    last: Table | None = goal.table
    assert last is not None
    between = join_path(block, Path(path.start, path.keys[:-1], path.tables[:-1]), schema)
    return _on(between.name, goal.name, path.keys[-1], last.name)
