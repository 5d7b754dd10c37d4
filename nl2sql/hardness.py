"""How hard Spider calls a question, by the shape of its gold SQL (criteria of Yu et al. 2018 and their evaluation).

Only the outermost SELECT is counted; nested ones and set operations count as one nesting each. Not covered: the
official script's own parser, which misreads some statements that SQLite runs; such a question may be one level off.
"""

from collections.abc import Iterator
from functools import lru_cache

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError


@lru_cache(maxsize=16384)
def hardness(sql: str) -> str:
    """One of easy, medium, hard, extra; '' for what does not parse as a query."""
    try:
        tree = parse_one(sql, read="sqlite")
    except SqlglotError:
        return ""
    query = tree.this if isinstance(tree, exp.Subquery) else tree
    set_operations = 0
    while isinstance(query, exp.SetOperation):
        set_operations += 1
        query = query.this
    if not isinstance(query, exp.Select):
        return ""
    return _level(_components(query), _nestings(query) + set_operations, _extras(query))


def _level(components: int, nestings: int, extras: int) -> str:
    if components <= 1 and extras == 0 and nestings == 0:
        return "easy"
    if nestings == 0 and ((components <= 1 and extras <= 2) or (components <= 2 and extras < 2)):
        return "medium"
    if nestings == 0 and ((components <= 2 and extras > 2) or (components == 3 and extras <= 2)):
        return "hard"
    if nestings <= 1 and components <= 1 and extras == 0:
        return "hard"
    return "extra"


def _own(query: exp.Select, *kinds: type[exp.Expr]) -> Iterator[exp.Expr]:
    """Nodes of some kinds that belong to this SELECT and not to one inside it."""
    inner = (exp.Select, exp.SetOperation)
    for node in query.walk(prune=lambda n: n is not query and isinstance(n, inner)):
        if isinstance(node, kinds):
            yield node


def _components(query: exp.Select) -> int:
    """WHERE, GROUP BY, ORDER BY, LIMIT, each join, each OR, each LIKE."""
    clauses = sum(query.args.get(name) is not None for name in ("where", "group", "order", "limit"))
    return clauses + sum(1 for _ in _own(query, exp.Join, exp.Or, exp.Like))


def _nestings(query: exp.Select) -> int:
    inner = (exp.Select, exp.SetOperation)
    found = query.walk(prune=lambda n: n is not query and isinstance(n, inner))
    return sum(n is not query and isinstance(n, inner) for n in found)


def _extras(query: exp.Select) -> int:
    """More than one aggregate, selected column, condition or grouping column: one each."""
    where, group = query.args.get("where"), query.args.get("group")
    conditions = 1 + sum(1 for _ in where.find_all(exp.And, exp.Or)) if where else 0
    aggregates = sum(1 for _ in _own(query, exp.AggFunc))
    counts = (aggregates, len(query.expressions), conditions, len(group.expressions) if group else 0)
    return sum(count > 1 for count in counts)
