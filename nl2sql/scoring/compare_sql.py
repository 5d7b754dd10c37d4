"""Which table, column, value or join of a statement differs from the gold's, in words that a person can act on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from nl2sql.rows import ColumnName
from nl2sql.schema import Schema
from nl2sql.scoring.sql_text import QUERIES, count_statements, first_word
from nl2sql.sql_usage import AS_WRITTEN, WRAPPERS, UnreadableSQL, resolve_columns

Places = dict[int, ColumnName]
Join = frozenset[str]  # the two columns, 'table.column'; one where a column is joined with itself
OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.Is: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.Like: "LIKE",
    exp.Glob: "GLOB",
}
MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
# What changes a result without naming a column, in the words of the explanation.
SHAPES: dict[str, tuple[type[exp.Expr], ...]] = {
    "DISTINCT": (exp.Distinct,),
    "GROUP BY": (exp.Group,),
    "HAVING": (exp.Having,),
    "ORDER BY": (exp.Order,),
    "LIMIT": (exp.Limit,),
    "OFFSET": (exp.Offset,),
    "a set operation": (exp.SetOperation,),
    "CASE or IIF": (exp.Case, exp.If),
    "a window": (exp.Window,),
}
SAID = 5  # differences that are told
LISTED = 4  # names in one of them


@dataclass(frozen=True)
class Condition:
    """An expression compared with a value: `left` holds 'table.column', maybe inside a function."""

    left: str
    operator: str
    value: str


@dataclass(frozen=True)
class Facts:
    """What a statement says, apart from how it is written. Columns are 'table.column', without those of joins."""

    tables: frozenset[str]
    columns: frozenset[str]
    joins: frozenset[Join]
    conditions: frozenset[Condition]
    aggregates: frozenset[str]
    shapes: frozenset[str]
    outputs: frozenset[str]  # columns and functions that the statement returns


def compare_sql(sql: str, gold_sql: str, schema: Schema) -> str:
    """What of the gold SQL a statement lacks, adds or has otherwise; '' when either cannot be analysed.

    Tables, then joins, values, what is returned, other columns, aggregates and clauses, at most SAID of them. Not
    every difference is a mistake: there are many ways to ask for the same rows. Left out: arithmetic, the order of
    columns and of sorting, and which columns are grouped.
    """
    if count_statements(sql) != 1 or not first_word(sql).startswith(QUERIES):
        return ""
    try:
        mine, gold = read_facts(sql, schema), read_facts(gold_sql, schema)
    except UnreadableSQL:
        return ""
    said = list(_differences(mine, gold))
    if not said:
        return "the same tables, columns, joins and values as the gold: what differs is how they are combined"
    more = [f"and {len(said) - SAID} more"] if len(said) > SAID else []
    return "; ".join([*said[:SAID], *more])


def read_facts(sql: str, schema: Schema) -> Facts:
    """Read the facts of a query. Raises UnreadableSQL."""
    tree, places = resolve_columns(sql, schema)
    joins = frozenset(_joins(tree, places))
    in_joins = {id(side) for pair in _joined_nodes(tree, places) for side in pair}
    found = (schema.table(t.name) for t in tree.find_all(exp.Table))
    return Facts(
        tables=frozenset(table.name for table in found if table),
        columns=frozenset(_named(c) for node, c in places.items() if node not in in_joins),
        joins=joins,
        conditions=frozenset(_conditions(tree, places)),
        aggregates=frozenset(_aggregate(node) for node in tree.find_all(exp.AggFunc)),
        shapes=frozenset(name for name, kinds in SHAPES.items() if tree.find(*kinds)),
        outputs=frozenset(_outputs(tree, places)),
    )


def _outputs(tree: exp.Expr, places: Places) -> Iterator[str]:
    for select in tree.selects if isinstance(tree, exp.Query) else ():
        name = _left_side(select.unalias(), places)
        if name:
            yield name


def _named(column: ColumnName) -> str:
    return f"{column.table}.{column.column}"


def _unwrapped(node: exp.Expr) -> exp.Expr:
    while isinstance(node, WRAPPERS):
        node = node.this
    return node


def _joined_nodes(tree: exp.Expr, places: Places) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """Pairs of columns that are set equal, also by = or IN with a query that gives one column."""
    for node in tree.find_all(exp.EQ, exp.In):
        left, right = _unwrapped(node.this), _right_side(node)
        if right is not None and id(left) in places and id(right) in places:
            yield left, right


def _right_side(node: exp.Expr) -> exp.Expr | None:
    query = node.expression if isinstance(node, exp.EQ) else node.args.get("query")
    if isinstance(node, exp.EQ) and not isinstance(query, exp.Subquery):
        return _unwrapped(node.expression)
    inner = query.this if isinstance(query, exp.Subquery) else None
    selects = inner.selects if isinstance(inner, exp.Query) else []
    return selects[0].unalias() if len(selects) == 1 else None


def _joins(tree: exp.Expr, places: Places) -> Iterator[Join]:
    for left, right in _joined_nodes(tree, places):
        yield frozenset((_named(places[id(left)]), _named(places[id(right)])))


def _conditions(tree: exp.Expr, places: Places) -> Iterator[Condition]:
    for node in tree.find_all(*OPERATORS, exp.In, exp.Between):
        negated = isinstance(node.parent, exp.Not)
        for left, operator, right in _comparisons(node):
            name, value = _left_side(left, places), _value(right, places)
            if name and value:
                yield Condition(name, f"NOT {operator}" if negated else operator, value)


def _comparisons(node: exp.Expr) -> Iterable[tuple[exp.Expr, str, exp.Expr]]:
    if isinstance(node, exp.In):
        return [(node.this, "=", value) for value in node.expressions]
    if isinstance(node, exp.Between):
        return [(node.this, ">=", node.args["low"]), (node.this, "<=", node.args["high"])]
    operator = OPERATORS[type(node)]
    sides = node.this, node.expression
    return [(sides[0], operator, sides[1]), (sides[1], MIRRORED.get(operator, operator), sides[0])]


def _left_side(node: exp.Expr, places: Places) -> str:
    """A column, or a function of columns: COUNT(event.id). '' for a literal."""
    node = _unwrapped(node)
    if id(node) in places:
        return _named(places[id(node)])
    columns = list(dict.fromkeys(_named(places[id(c)]) for c in node.find_all(exp.Column) if id(c) in places))
    if isinstance(node, exp.Func):
        return f"{node.sql_name()}({', '.join(columns) or '*'})"
    return f"an expression of {', '.join(columns)}" if columns else ""


def _value(node: exp.Expr, places: Places) -> str:
    node = _unwrapped(node)
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return f"-{_value(node.this, places)}"
    if isinstance(node, exp.Null):
        return "NULL"
    if isinstance(node, exp.Literal):
        return repr(node.name) if node.is_string else _number(node.name)
    is_quoted = isinstance(node, exp.Column) and not node.table and node.this.args.get("quoted")
    return repr(node.this.meta.get(AS_WRITTEN, node.name)) if is_quoted and id(node) not in places else ""


def _number(text: str) -> str:
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _aggregate(node: exp.Expr) -> str:
    return str(node.sql_name()) if isinstance(node, exp.Func) else node.key.upper()


def _differences(mine: Facts, gold: Facts) -> Iterator[str]:
    yield from _sets(mine.tables, gold.tables, "gold also reads table", "reads table")
    yield from _join_differences(mine, gold)
    yield from _condition_differences(mine, gold)
    shared = mine.tables & gold.tables
    columns = [frozenset(c for c in side if c.rpartition(".")[0] in shared) for side in (mine.columns, gold.columns)]
    yield from _sets(mine.outputs, gold.outputs, "gold also returns", "returns")
    told = {c.left for c in mine.conditions ^ gold.conditions} | (mine.outputs ^ gold.outputs)
    yield from _sets(columns[0] - told, columns[1] - told, "gold also uses", "uses")
    yield from _sets(mine.aggregates, gold.aggregates, "gold also computes", "computes")
    yield from _sets(mine.shapes, gold.shapes, "gold also has", "has")


def _sets(mine: frozenset[str], gold: frozenset[str], lacks: str, adds: str) -> Iterator[str]:
    if gold - mine:
        yield f"{lacks} {_listed(gold - mine)}"
    if mine - gold:
        yield f"{adds} {_listed(mine - gold)}, the gold does not"


def _listed(names: Iterable[str]) -> str:
    found = sorted(names)
    return ", ".join(found[:LISTED]) + (f" and {len(found) - LISTED} more" if len(found) > LISTED else "")


def _join_differences(mine: Facts, gold: Facts) -> Iterator[str]:
    """Joins between tables that both read; those of other tables go without saying."""
    lacking, added = gold.joins - mine.joins, mine.joins - gold.joins
    for join in sorted(added, key=sorted):
        others = [other for other in lacking if _tables(other) == _tables(join)]
        if others:
            yield f"joins by {_equation(join)} where the gold has {_equation(min(others, key=sorted))}"
            lacking -= set(others)
        elif _tables(join) <= gold.tables:
            yield f"joins by {_equation(join)}, the gold does not"
    for join in sorted(lacking, key=sorted):
        if _tables(join) <= mine.tables:
            yield f"gold also joins by {_equation(join)}"


def _tables(join: Join) -> set[str]:
    return {name.rpartition(".")[0] for name in join}


def _equation(join: Join) -> str:
    sides = sorted(join)
    return f"{sides[0]} = {sides[-1]}"


def _condition_differences(mine: Facts, gold: Facts) -> Iterator[str]:
    lacking, added = gold.conditions - mine.conditions, mine.conditions - gold.conditions
    for left in sorted({c.left for c in lacking} | {c.left for c in added}):
        has, wanted = ([c for c in side if c.left == left] for side in (added, lacking))
        if has and wanted:
            same = {c.operator for c in has} == {c.operator for c in wanted} == {"="}
            shown = (_values(side) if same else _conditions_of(side) for side in (has, wanted))
            yield "compares {} with {} where the gold has {}".format(left, *shown)
        elif wanted:
            yield f"gold also asks for {left} {_conditions_of(wanted)}"
        else:
            yield f"asks for {left} {_conditions_of(has)}, the gold does not"


def _values(conditions: Iterable[Condition]) -> str:
    return _listed(c.value for c in conditions)


def _conditions_of(conditions: Iterable[Condition]) -> str:
    return _listed(f"{c.operator} {c.value}" for c in conditions)
