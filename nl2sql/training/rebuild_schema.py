"""A part of a schema from the queries of people who knew all of it, where the database itself is not at hand.

Only what the queries show for certain is in it: tables, the columns that can belong to one table only, and the pairs of
columns that joins compare. Types, values, keys and whatever no query names are unknown and left out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from nl2sql.rows import ColumnName
from nl2sql.schema import Column, ForeignKey, Schema, Table
from nl2sql.sql_edits import parse_query


def rebuild_schema(db_id: str, queries: Sequence[str]) -> Schema:
    """Tables, columns and joins that the queries name; names are spelled as they are most often.

    A column without a table counts where its query reads one table and nothing else. Queries that do not parse are
    passed over. Two spellings of one name are one name, as in SQLite.
    """
    names: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    tables: Counter[str] = Counter()
    joins: Counter[tuple[ColumnName, ColumnName]] = Counter()
    for query in queries:
        for scope in _scopes(query):
            tables.update(_tables(scope).values())
            for found in _columns(scope).values():
                names[found.table.casefold()][found.column.casefold()][found.column] += 1
            joins.update(_joins(scope))
    spelled = {key: _commonest(Counter({t: n for t, n in tables.items() if t.casefold() == key})) for key in names}
    made = [_table(spelled[key], columns) for key, columns in names.items()]
    return _with_joins(Schema(db_id, tuple(made), ()), joins)


def _scopes(query: str) -> list[Scope]:
    tree = parse_query(query)
    try:
        return list(traverse_scope(tree)) if tree else []
    except (SqlglotError, RecursionError):
        return []


def _tables(scope: Scope) -> dict[str, str]:
    """Alias, casefolded, to name of the tables that a scope reads; derived tables are left out."""
    return {alias.casefold(): s.name for alias, s in scope.sources.items() if isinstance(s, exp.Table)}


def _columns(scope: Scope) -> dict[int, ColumnName]:
    tables = _tables(scope)
    alone = next(iter(tables.values())) if len(scope.sources) == len(tables) == 1 else ""
    selects = scope.expression.selects if isinstance(scope.expression, exp.Query) else []
    aliases = {s.alias.casefold() for s in selects if isinstance(s, exp.Alias)}
    inside = {id(n) for child in scope.subquery_scopes for n in child.expression.find_all(exp.Column)}
    found = {}
    for node in scope.columns:
        own = alone if id(node) not in inside and node.name.casefold() not in aliases and not _is_string(node) else ""
        table = tables.get(node.table.casefold(), "") if node.table else own
        if table and not isinstance(node.this, exp.Star):
            found[id(node)] = ColumnName(table, node.name)
    return found


def _is_string(node: exp.Column) -> bool:
    """Whether a double-quoted name may be a string, for which SQLite would have to know the columns."""
    compared = node.parent
    right = isinstance(compared, exp.Binary) and compared.expression is node
    listed = isinstance(compared, exp.In) and compared.this is not node
    return bool(node.this.args.get("quoted")) and (right or listed or isinstance(compared, exp.Between))


def _joins(scope: Scope) -> Iterable[tuple[ColumnName, ColumnName]]:
    places = _columns(scope)
    for node in scope.expression.find_all(exp.EQ):
        ends = [places.get(id(n)) for n in (node.this, node.expression)]
        if ends[0] and ends[1] and ends[0].table.casefold() != ends[1].table.casefold():
            yield (ends[0], ends[1])


def _table(name: str, columns: dict[str, Counter[str]]) -> Table:
    return Table(name, tuple(Column(_commonest(c), "", 0) for c in columns.values()), False)


def _commonest(spellings: Counter[str]) -> str:
    return min(spellings, key=lambda s: (-spellings[s], s))


def _with_joins(schema: Schema, joins: Counter[tuple[ColumnName, ColumnName]]) -> Schema:
    pairs = []
    for a, b in joins:
        one, other = schema.column(a.table, a.column), schema.column(b.table, b.column)
        if one and other:
            pairs.append(ForeignKey(one.table, one.column, other.table, other.column, declared=False))
    kept = {frozenset(((k.table, k.column), (k.to_table, k.to_column))): k for k in reversed(pairs)}
    return Schema(schema.db_id, schema.tables, tuple(reversed(kept.values())))
