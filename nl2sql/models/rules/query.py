"""A query before its joins: expressions over table.column, from which the SQL is assembled."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from nl2sql.models.rules.joins import JoinGraph, Step
from nl2sql.rows import ColumnName

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# SQLite's keywords that cannot stand as a bare name, and some that other readers stumble over.
_KEYWORDS = """
    add all alter and as asc between by case cast check collate commit constraint create cross current
    current_date current_time current_timestamp date default deferrable delete desc distinct drop else end
    escape except exists false fetch filter for foreign from full group having if in index inner insert
    intersect into is isnull join key left like limit match natural no not notnull null of offset on or order
    outer over partition plan pragma primary query range references release replace returning right rollback row
    rows savepoint select set table temp temporary then time timestamp to transaction trigger true union unique
    update using vacuum values view virtual when where window with without year month day interval
"""
KEYWORDS = frozenset(_KEYWORDS.split())


@dataclass(frozen=True)
class Query:
    """What to select and of which rows. Columns are exp.Column(table=TABLE NAME); subqueries are whole already."""

    select: tuple[exp.Expr, ...]
    where: tuple[exp.Expr, ...] = ()
    group: tuple[exp.Expr, ...] = ()
    having: tuple[exp.Expr, ...] = ()
    order: tuple[tuple[exp.Expr, bool], ...] = ()  # expression, descending
    limit: int | None = None
    distinct: bool = False
    tables: tuple[str, ...] = ()  # that must be joined even when no column of them is named


def column(name: ColumnName) -> exp.Column:
    """A column qualified by its table's own name; aliases come with the joins."""
    return exp.Column(this=_identifier(name.column), table=_identifier(name.table))


def text(value: str) -> exp.Literal:
    """A string literal."""
    return exp.Literal.string(value)


def number(value: float | int | str) -> exp.Expr:
    """A number as written: 5, 2.5 or -3."""
    written = str(value)
    literal = exp.Literal.number(written.lstrip("-"))
    return exp.Neg(this=literal) if written.startswith("-") else literal


def names_in(expression: exp.Expr) -> Iterable[exp.Column]:
    """The columns of an expression that belong to the query itself, not to a subquery."""
    if isinstance(expression, (exp.Subquery, exp.Select, exp.SetOperation)):
        return
    if isinstance(expression, exp.Column):
        yield expression
        return
    for value in expression.args.values():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, exp.Expr):
                yield from names_in(child)


def tables_of(query: Query) -> list[str]:
    """The tables that a query reads, in the order in which it names them."""
    parts = [*query.tables, *(c.table for e in _expressions(query) for c in names_in(e))]
    return list(dict.fromkeys(parts))


def _expressions(query: Query) -> list[exp.Expr]:
    return [*query.select, *query.where, *query.group, *query.having, *(e for e, _ in query.order)]


def assemble(query: Query, graph: JoinGraph) -> exp.Select | None:
    """The SQL of a query, joined and aliased; None when it reads nothing or its tables are not connected."""
    tables = tables_of(query)
    if not tables or not query.select:
        return None
    steps = graph.connect(tables)
    if steps is None:
        return None
    order = list(dict.fromkeys([tables[0], *(s.right for s in steps)]))
    aliases = {table: f"T{i + 1}" for i, table in enumerate(order)} if len(order) > 1 else {}
    select = exp.Select(expressions=[_aliased(e, aliases) for e in query.select])
    if query.distinct:
        select.set("distinct", exp.Distinct())
    select = _with_joins(select, tables[0], steps, aliases)
    return _with_clauses(select, query, aliases)


def _with_joins(select: exp.Select, first: str, steps: Sequence[Step], aliases: dict[str, str]) -> exp.Select:
    select = select.from_(_table(first, aliases))
    for step in steps:
        on = exp.EQ(
            this=_aliased(column(ColumnName(step.left, step.left_column)), aliases),
            expression=_aliased(column(ColumnName(step.right, step.right_column)), aliases),
        )
        select = select.join(_table(step.right, aliases), on=on, join_type="INNER", copy=False)
    return select


def _with_clauses(select: exp.Select, query: Query, aliases: dict[str, str]) -> exp.Select:
    if query.where:
        select = select.where(*(_aliased(e, aliases) for e in query.where), copy=False)
    if query.group:
        select = select.group_by(*(_aliased(e, aliases) for e in query.group), copy=False)
    if query.having:
        select = select.having(*(_aliased(e, aliases) for e in query.having), copy=False)
    for expression, descending in query.order:
        ordered = exp.Ordered(this=_aliased(expression, aliases), desc=descending, nulls_first=not descending)
        select = select.order_by(ordered, copy=False)
    if query.limit is not None:
        select = select.limit(query.limit, copy=False)
    return select


def _aliased(expression: exp.Expr, aliases: dict[str, str]) -> exp.Expr:
    if isinstance(expression, exp.Column):
        return _renamed(expression, aliases)
    found = list(names_in(expression))
    if not found:
        return expression.copy()
    places = {id(c) for c in found}
    renamed = expression.copy()
    originals = [n for n in expression.walk() if isinstance(n, exp.Column)]
    copies = [n for n in renamed.walk() if isinstance(n, exp.Column)]
    for original, copied in zip(originals, copies, strict=True):
        if id(original) in places:
            copied.replace(_renamed(original, aliases))
    return renamed


def _renamed(name: exp.Column, aliases: dict[str, str]) -> exp.Column:
    alias = aliases.get(name.table)
    if alias is None:
        return exp.Column(this=name.this.copy())
    return exp.Column(this=name.this.copy(), table=exp.to_identifier(alias))


def _table(name: str, aliases: dict[str, str]) -> exp.Expr:
    table = exp.Table(this=_identifier(name))
    return exp.alias_(table, aliases[name], table=True) if name in aliases else table


def _identifier(name: str) -> exp.Identifier:
    plain = PLAIN.fullmatch(name) is not None and name.lower() not in KEYWORDS
    return exp.Identifier(this=name, quoted=not plain)


def render(select: exp.Expr) -> str:
    """The SQL text, on one line, in SQLite's dialect."""
    return select.sql(dialect="sqlite")
