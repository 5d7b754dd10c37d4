"""What all edits of SQL share: copies of a syntax tree in which one node is another, and what its names stand for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from nl2sql.rows import ColumnName, Profile
from nl2sql.schema import Schema
from nl2sql.schema_views import spell

Kinds = tuple[type[exp.Expr], ...]


@dataclass(frozen=True)
class Facts:
    """What edits know of the database."""

    schema: Schema
    profiles: dict[ColumnName, Profile]


@dataclass(frozen=True)
class Edit:
    """A statement and what was done to it."""

    name: str
    sql: str


Rule = Callable[[exp.Expr, Facts], Iterable[exp.Expr | str]]


def parse_query(sql: str) -> exp.Expr | None:
    """The syntax tree of one query, None for anything else; the caller may change it."""
    try:
        tree = sqlglot.parse_one(sql, dialect="sqlite")
    except (SqlglotError, RecursionError):
        return None
    return tree if isinstance(tree, exp.Query) else None


def write_sql(tree: exp.Expr) -> str:
    """The tree as SQLite reads it, on one line, without comments."""
    return tree.sql(dialect="sqlite", comments=False)


def facts_of(schema: Schema, profiles: Sequence[Profile]) -> Facts:
    """What edits of queries on one database look up."""
    return Facts(schema, {ColumnName(p.table, p.column): p for p in profiles})


def apply_edits(sql: str, facts: Facts, rules: Sequence[tuple[str, Rule]]) -> list[Edit]:
    """Every edit of a statement that the rules give, in their order, each text once; [] when it does not parse.

    None of them was executed.
    """
    tree = parse_query(sql)
    if tree is None:
        return []
    seen = {write_sql(tree)}
    edits = []
    for name, rule in rules:
        for found in _attempt(rule, tree, facts):
            if found not in seen:
                seen.add(found)
                edits.append(Edit(name, found))
    return edits


def _attempt(rule: Rule, tree: exp.Expr, facts: Facts) -> Iterator[str]:
    """The texts of one rule; a query too deeply nested for a copy or for writing gives none."""
    try:
        for found in rule(tree, facts):
            yield found if isinstance(found, str) else write_sql(found)
    except (SqlglotError, RecursionError):
        return


def replaced(
    tree: exp.Expr, kinds: Kinds, options: Callable[[exp.Expr], Iterable[exp.Expr | None]]
) -> Iterator[exp.Expr]:
    """A copy of the tree per node of the kinds and option for it, with the node replaced, or removed for None."""
    for place, node in enumerate(tree.find_all(*kinds)):
        for new in options(node):
            copy = tree.copy()
            target = list(copy.find_all(*kinds))[place]
            if target is copy:
                continue
            if new is None:
                target.pop()
            else:
                target.replace(new)
            yield copy


def changed(tree: exp.Expr, kinds: Kinds, change: Callable[[exp.Expr], bool]) -> Iterator[exp.Expr]:
    """A copy of the tree per node of the kinds that `change` alters in place; it gives False where it does not."""
    for place, _ in enumerate(tree.find_all(*kinds)):
        copy = tree.copy()
        if change(list(copy.find_all(*kinds))[place]):
            yield copy


def select_of(node: exp.Expr) -> exp.Select | None:
    """The SELECT that a node stands in."""
    return node if isinstance(node, exp.Select) else node.find_ancestor(exp.Select)


def tables_of(select: exp.Select) -> dict[str, str]:
    """Alias (or name), casefolded, to table name of what a SELECT reads; derived tables have no name: ''."""
    source = select.args.get("from_") or select.args.get("from")
    joined = [j.this for j in select.args.get("joins") or ()]
    parts = [*([source.this] if source else []), *joined]
    return {p.alias_or_name.casefold(): p.name if isinstance(p, exp.Table) else "" for p in parts}


def column_of(node: exp.Column, schema: Schema) -> ColumnName | None:
    """The database's column that a node names, seen from its SELECT; None when that is not certain."""
    select = select_of(node)
    while select is not None:
        tables = tables_of(select)
        if node.table:
            if node.table.casefold() in tables:
                return schema.column(tables[node.table.casefold()], node.name)
        else:
            found = [c for t in tables.values() if t and (c := schema.column(t, node.name))]
            if found:
                return found[0] if len(found) == 1 else None
        select = select.parent_select
    return None


def name_node(name: str) -> exp.Identifier:
    """A name as a node, in quotes only where it needs them."""
    return exp.Identifier(this=name, quoted=spell(name) != name)


def in_join(node: exp.Expr) -> bool:
    """Whether a node belongs to a join's condition."""
    join = node.find_ancestor(exp.Join, exp.Select)
    return isinstance(join, exp.Join)
