"""Which columns a SQL statement reads and which strings it compares them with."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.schema import MappingSchema

from nl2sql.rows import CellMatch, ColumnName
from nl2sql.schema import Schema

ROW_IDS = frozenset({"rowid", "oid", "_rowid_"})
AS_WRITTEN = "as written"  # key in the meta of an identifier
WRAPPERS = (exp.Paren, exp.Cast, exp.Lower, exp.Upper, exp.Trim, exp.Collate)


class UnreadableSQL(Exception):
    """A statement that does not parse, is no query, or names what the schema does not have."""


@dataclass(frozen=True)
class Usage:
    """The columns that a statement reads, in schema order, and its string comparisons (method 'sql')."""

    columns: tuple[ColumnName, ...]
    cells: tuple[CellMatch, ...]


def read_usage(sql: str, schema: Schema) -> Usage:
    """Read what a query uses of a database; names come back as the database spells them.

    A star stands for every column of its tables, COUNT(*) for none; a natural join and USING for the joined
    columns. A double-quoted name that no table has is a string, as in SQLite. Strings count when a column is
    compared with them by =, <>, IS, IN, CASE or a LIKE without wildcards, also under LOWER, UPPER, TRIM or CAST;
    the empty string and ranges do not count. Not covered: row ids, table-valued functions, recursion deeper than
    Python's.
    Raises UnreadableSQL.
    """
    tree, places = resolve_columns(sql, schema)
    used = set(places.values())
    columns = tuple(c for c in schema.column_names if c in used)
    return Usage(columns, tuple(dict.fromkeys(_compared(tree, places))))


def resolve_columns(sql: str, schema: Schema) -> tuple[exp.Expr, dict[int, ColumnName]]:
    """Parse and qualify a query: its tree, and the database's column for each column node, by the node's identity.

    The identities hold for as long as the tree does. Columns of derived tables are not in it. Raises UnreadableSQL.
    """
    try:
        tree = sqlglot.parse_one(sql, dialect="sqlite")
        if not isinstance(tree, exp.Query):
            raise UnreadableSQL(f"no query: {sql[:80]}")
        _check_tables(tree, schema)
        _keep_spelling(tree)
        tree = qualify(
            tree,
            schema=_mapping(schema),
            dialect="sqlite",
            validate_qualify_columns=False,
            quote_identifiers=False,
            identify=False,
        )
        return tree, _resolve(tree, schema)
    except (SqlglotError, RecursionError) as error:
        raise UnreadableSQL(f"{type(error).__name__}: {str(error).splitlines()[0][:200]}") from error


def _keep_spelling(tree: exp.Expr) -> None:
    """Note how quoted names are written, as qualifying lowers them and some of them are strings."""
    for name in tree.find_all(exp.Identifier):
        if name.quoted:
            name.meta[AS_WRITTEN] = name.name


def _mapping(schema: Schema) -> MappingSchema:
    # Lowered here because sqlglot's own normalising would parse the names, and 'my table 😀' does not parse.
    tables: dict[str, object] = {
        t.name.lower(): {c.name.lower(): "TEXT" for c in t.columns} for t in schema.tables if t.columns
    }
    return MappingSchema(tables, normalize=False, dialect="sqlite")


def _check_tables(tree: exp.Expr, schema: Schema) -> None:
    named = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if table.name and table.name.casefold() not in named and schema.table(table.name) is None:
            raise UnreadableSQL(f"no such table: {table.name}")


def _resolve(tree: exp.Expr, schema: Schema) -> dict[int, ColumnName]:
    """Map the identity of each column node to the database's column, nodes over derived tables left out."""
    places: dict[int, ColumnName] = {}
    derived: set[int] = set()
    for scope in traverse_scope(tree):
        for node in scope.columns:
            source = scope.sources.get(node.table)
            if isinstance(source, exp.Table):
                found = schema.column(source.name, node.name)
                if found:
                    places[id(node)] = found
            elif source is not None:
                derived.add(id(node))
    open_ones = [n for n in tree.find_all(exp.Column) if id(n) not in places and id(n) not in derived]
    outputs = _outputs(tree, {id(n) for n in open_ones})
    for node in open_ones:
        _check_unresolved(node, outputs)
    return places


def _outputs(tree: exp.Expr, unresolved: set[int]) -> set[str]:
    """What ORDER BY may name: the outputs of the queries, those that are unknown columns themselves left out."""
    selects = (s for query in tree.find_all(exp.Query) for s in query.selects)
    return {s.alias_or_name.lower() for s in selects if id(s.unalias()) not in unresolved}


def _check_unresolved(node: exp.Column, outputs: set[str]) -> None:
    name = node.name.lower()
    is_string = not node.table and isinstance(node.this, exp.Identifier) and node.this.quoted
    if not (is_string or name in outputs or name in ROW_IDS or isinstance(node.this, exp.Star)):
        raise UnreadableSQL(f"no such column: {node.sql('sqlite')}")


def _compared(tree: exp.Expr, places: dict[int, ColumnName]) -> Iterator[CellMatch]:
    for node in tree.find_all(exp.EQ, exp.NEQ, exp.Is, exp.In, exp.Like, exp.Case):
        for left, right in _sides(node):
            column = places.get(id(_unwrapped(left)))
            text = _string(right, places)
            if column and text:
                yield CellMatch(text, column.table, column.column, text, 1.0, "sql")


def _sides(node: exp.Expr) -> Iterable[tuple[exp.Expr, exp.Expr]]:
    if isinstance(node, exp.In):
        return [(node.this, value) for value in node.expressions]
    if isinstance(node, exp.Case):
        return [(node.this, branch.this) for branch in node.args["ifs"]] if node.this else []
    if isinstance(node, exp.Like) and set(node.expression.name) & set("%_"):
        return []
    return [(node.this, node.expression), (node.expression, node.this)]


def _unwrapped(node: exp.Expr) -> exp.Expr:
    while isinstance(node, WRAPPERS):
        node = node.this
    return node


def _string(node: exp.Expr, places: dict[int, ColumnName]) -> str:
    node = _unwrapped(node)
    if isinstance(node, exp.Literal) and node.is_string:
        return node.name
    is_quoted = isinstance(node, exp.Column) and not node.table and node.this.args.get("quoted")
    return node.name if is_quoted and id(node) not in places else ""
