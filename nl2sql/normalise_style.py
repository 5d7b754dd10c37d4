"""One style for all SQL: whoever compares two statements compares what they ask and not how they are written."""

from collections.abc import Iterable, Iterator

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from nl2sql.rows import ColumnName
from nl2sql.schema import Schema
from nl2sql.sql_edits import column_of, name_node, parse_query, write_sql

SHORTHAND = ("INNER", "OUTER")  # kinds of join that change nothing


def normalise_style(sql: str, schema: Schema) -> str | None:
    """The statement in the one style: None when it cannot be read.

    Keywords and functions in upper case, single spaces, no comments; names as the database spells them, quoted only
    where they must be; several tables are T1, T2 .. in order and every column names its table, a single table and its
    columns stand bare; result columns have no aliases unless something else names them. What it gives means the same,
    but is to be executed again: names are resolved by rule, not by SQLite.
    """
    tree = parse_query(sql)
    if tree is None:
        return None
    try:
        quote_strings(tree, schema)
        _name_tables(tree, schema)
        _drop_result_names(tree)
        for node in list(tree.walk()):
            _plain(node)
        return write_sql(tree)
    except (SqlglotError, RecursionError):
        return None


def quote_strings(tree: exp.Expr, schema: Schema) -> None:
    """Make strings of the double-quoted names that no table has, as SQLite does when it is allowed to."""
    for node in list(tree.find_all(exp.Column)):
        is_name = bool(node.table) or not node.this.args.get("quoted") or schema.columns_named(node.name)
        if not is_name and node.name.casefold() not in _aliases(tree):
            node.replace(exp.Literal.string(node.name))


def _aliases(tree: exp.Expr) -> set[str]:
    return {n.alias.casefold() for n in tree.find_all(exp.Alias)}


def _name_tables(tree: exp.Expr, schema: Schema) -> None:
    scopes = list(traverse_scope(tree))
    places = {id(n): found for n in tree.find_all(exp.Column) if (found := column_of(n, schema))}
    owners = _owners(scopes, places, schema)
    several = {id(s) for s in scopes if len(s.sources) > 1}
    correlated = {id(scope) for node, scope, _ in owners if node.find_ancestor(exp.Select) is not scope.expression}
    names = _new_names(scopes, several | correlated)
    for node, scope, alias in owners:
        node.set("table", exp.to_identifier(names.get((id(scope), alias.casefold()))))
        if id(node) in places:
            node.set("this", name_node(places[id(node)].column))
    for scope in scopes:
        _rename_sources(scope, names, schema)


def _owners(
    scopes: Iterable[Scope], places: dict[int, ColumnName], schema: Schema
) -> list[tuple[exp.Column, Scope, str]]:
    """Each column with the scope and the alias of the table that it belongs to; columns that are unclear have none."""
    owners: dict[int, tuple[exp.Column, Scope, str]] = {}
    for scope in scopes:  # inner ones first
        for node in scope.columns:
            alias = node.table or _only_owner(node, scope, schema)
            if id(node) not in owners and alias.casefold() in {name.casefold() for name in scope.sources}:
                owners[id(node)] = (node, scope, alias)
    return list(owners.values())


def _only_owner(node: exp.Column, scope: Scope, schema: Schema) -> str:
    """The source that an unqualified column can only mean, '' when that is not certain."""
    if node.name.casefold() in {s.alias.casefold() for s in _selects(scope) if isinstance(s, exp.Alias)}:
        return ""
    tables = {name: s.name for name, s in scope.sources.items() if isinstance(s, exp.Table)}
    found = [name for name, table in tables.items() if schema.column(table, node.name)]
    return found[0] if len(found) == 1 and len(tables) == len(scope.sources) else ""


def _selects(scope: Scope) -> list[exp.Expr]:
    return scope.expression.selects if isinstance(scope.expression, exp.Query) else []


def _new_names(scopes: Iterable[Scope], named: set[int]) -> dict[tuple[int, str], str]:
    """T1, T2 .. for the tables of the scopes that need names, outer scopes first."""
    names: dict[tuple[int, str], str] = {}
    for scope in reversed(list(scopes)):
        if id(scope) in named:
            for source in scope.selected_sources:
                names.setdefault((id(scope), source.casefold()), f"T{len(names) + 1}")
    return names


def _rename_sources(scope: Scope, names: dict[tuple[int, str], str], schema: Schema) -> None:
    for alias, (node, _) in scope.selected_sources.items():
        name = names.get((id(scope), alias.casefold()))
        if isinstance(node, exp.Table):
            table = schema.table(node.name)
            if table:
                node.set("this", name_node(table.name))
            node.set("alias", exp.TableAlias(this=exp.to_identifier(name)) if name else None)
        elif node.args.get("alias"):
            node.set("alias", exp.TableAlias(this=exp.to_identifier(name)) if name else None)


def _drop_result_names(tree: exp.Expr) -> None:
    """Aliases of the outermost result that nothing else names."""
    query = tree
    while isinstance(query, exp.SetOperation):
        query = query.this
    named = {n.name.casefold() for n in tree.find_all(exp.Column) if not n.table}
    if isinstance(query, exp.Select):
        kept = list(_without_aliases(query.expressions, named))
        query.set("expressions", kept)


def _without_aliases(selects: Iterable[exp.Expr], named: set[str]) -> Iterator[exp.Expr]:
    for select in selects:
        yield select if not isinstance(select, exp.Alias) or select.alias.casefold() in named else select.this


def _plain(node: exp.Expr) -> None:
    """Drop what says nothing: INNER, ASC, quotes that are not needed, parentheses around a parenthesis."""
    if isinstance(node, exp.Join) and node.args.get("kind") in SHORTHAND:
        node.set("kind", None)
    if isinstance(node, exp.Ordered) and not node.args.get("desc"):
        node.set("desc", None)
    if isinstance(node, exp.Identifier) and node.quoted:
        node.set("quoted", name_node(node.name).quoted)
    if isinstance(node, exp.Paren) and isinstance(node.this, exp.Paren):
        node.replace(node.this)
