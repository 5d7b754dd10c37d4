"""Wrong SQL that looks right: small edits of a right statement that run and give another result (ops 2 and 4)."""

from collections.abc import Iterator, Sequence

from sqlglot import exp

from nl2sql.execution import ExecutionResult
from nl2sql.rows import ColumnName
from nl2sql.sql_edits import (
    Edit,
    Facts,
    Rule,
    apply_edits,
    changed,
    column_of,
    in_join,
    name_node,
    replaced,
    select_of,
    tables_of,
)

SWAPS = 2  # other columns, and other values, that one place is given
COMPARISONS: dict[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.GT: (exp.GTE, exp.LT),
    exp.GTE: (exp.GT, exp.LTE),
    exp.LT: (exp.LTE, exp.GT),
    exp.LTE: (exp.LT, exp.GTE),
    exp.EQ: (exp.NEQ,),
    exp.NEQ: (exp.EQ,),
}
AGGREGATES: dict[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.Max: (exp.Min, exp.Avg),
    exp.Min: (exp.Max,),
    exp.Sum: (exp.Avg, exp.Count),
    exp.Avg: (exp.Sum, exp.Max),
    exp.Count: (exp.Sum,),
}


def edit_results(sql: str, facts: Facts) -> list[Edit]:
    """Edits of a right statement that could change its result; none of them was executed."""
    return apply_edits(sql, facts, RULES)


def really_wrong(result: ExecutionResult, gold: ExecutionResult) -> bool:
    """Whether a statement ran and gives another set of rows than the gold does. An empty result counts as one."""
    return result.ran and gold.ran and result.digest != gold.digest


def swap_column(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """Another column of the same table and kind, outside of join conditions."""

    def others(node: exp.Expr) -> Iterator[exp.Expr]:
        name = column_of(node, facts.schema) if isinstance(node, exp.Column) and not in_join(node) else None
        for other in _similar(name, facts) if name else ():
            yield exp.column(name_node(other.column), table=node.args.get("table"))

    return replaced(tree, (exp.Column,), others)


def change_comparison(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """Another comparison: > for >=, <> for =."""

    def others(node: exp.Expr) -> Iterator[exp.Expr]:
        if not in_join(node):
            yield from (
                kind(this=node.this.copy(), expression=node.expression.copy()) for kind in COMPARISONS[type(node)]
            )

    return replaced(tree, tuple(COMPARISONS), others)


def change_value(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """Another value that the column holds, or a number that is a little off."""

    def others(node: exp.Expr) -> Iterator[exp.Expr]:
        compared = node.parent
        if not isinstance(compared, (*COMPARISONS, exp.Like, exp.In, exp.Between)):
            return
        if not node.is_string:
            yield from (exp.Literal.number(v) for v in _nearby(node.name))
        elif isinstance(compared.this, exp.Column) and (name := column_of(compared.this, facts.schema)):
            values = [v for v in facts.profiles[name].top_values if v != node.name] if name in facts.profiles else []
            yield from (exp.Literal.string(v) for v in values[:SWAPS])

    return replaced(tree, (exp.Literal,), others)


def drop_condition(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """One side of an AND alone, or no WHERE or HAVING at all."""

    def sides(node: exp.Expr) -> Iterator[exp.Expr | None]:
        if isinstance(node, exp.And):
            yield from () if in_join(node) else (node.this.copy(), node.expression.copy())
        else:
            yield None

    return replaced(tree, (exp.And, exp.Where, exp.Having), sides)


def add_condition(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """A condition that nobody asked for: a column of the same table has one of its common values."""

    def others(node: exp.Expr) -> Iterator[exp.Expr]:
        named = [(n, c) for n in node.find_all(exp.Column) if (c := column_of(n, facts.schema))]
        for column, name in named[:SWAPS]:
            for other in _similar(name, facts)[:1]:
                values = facts.profiles[other].top_values if other in facts.profiles else ()
                left = exp.column(name_node(other.column), table=column.args.get("table"))
                yield from (
                    exp.Where(this=exp.and_(node.this.copy(), left.eq(_literal(v, other, facts)))) for v in values[:1]
                )

    return replaced(tree, (exp.Where,), others)


def change_distinct(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """COUNT without its DISTINCT or with one, and so other aggregates."""

    def change(node: exp.Expr) -> bool:
        if isinstance(node.this, exp.Distinct):
            node.set("this", node.this.expressions[0])
            return True
        if not isinstance(node.this, exp.Column) or isinstance(node.this.this, exp.Star):
            return False
        node.set("this", exp.Distinct(expressions=[node.this.copy()]))
        return True

    return changed(tree, (exp.Count, exp.Sum, exp.Avg), change)


def change_aggregate(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """Another aggregate over the same values."""

    def others(node: exp.Expr) -> Iterator[exp.Expr]:
        if node.this is not None and not isinstance(node.this, exp.Star) and not node.expressions:
            yield from (kind(this=node.this.copy()) for kind in AGGREGATES[type(node)])

    return replaced(tree, tuple(AGGREGATES), others)


def lose_join(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """A join without its condition, a left join for an inner one, or no join where its table is not named again."""

    def change(node: exp.Expr, how: str) -> bool:
        if how == "condition" and node.args.get("on"):
            node.set("on", None)
            node.set("kind", "CROSS")
            return True
        if how == "side" and not node.args.get("side") and node.args.get("on"):
            node.set("side", "LEFT")
            node.set("kind", None)
            return True
        return False

    yield from changed(tree, (exp.Join,), lambda n: change(n, "condition"))
    yield from changed(tree, (exp.Join,), lambda n: change(n, "side"))
    yield from replaced(tree, (exp.Join,), lambda n: [] if _named_elsewhere(n) else [None])


def change_order(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """The other direction, where a LIMIT makes it count, and another LIMIT."""

    def turn(node: exp.Expr) -> bool:
        select = select_of(node)
        node.set("desc", not node.args.get("desc"))
        node.set("nulls_first", not node.args.get("desc"))  # as SQLite has it, so that it is not written
        return select is not None and select.args.get("limit") is not None

    def limits(node: exp.Expr) -> Iterator[exp.Expr | None]:
        number = node.expression.name if node.expression else ""
        yield from (exp.Limit(expression=exp.Literal.number(v)) for v in _nearby(number) if int(v) > 0)

    yield from changed(tree, (exp.Ordered,), turn)
    yield from replaced(tree, (exp.Limit,), limits)


def change_connective(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """OR for AND, AND for OR."""

    def others(node: exp.Expr) -> Iterator[exp.Expr]:
        kind = exp.Or if isinstance(node, exp.And) else exp.And
        if not in_join(node):
            yield kind(this=node.this.copy(), expression=node.expression.copy())

    return replaced(tree, (exp.And, exp.Or), others)


def _similar(name: ColumnName, facts: Facts) -> list[ColumnName]:
    """Other columns of the table that hold the same type of value, those nearest in the table first."""
    table = facts.schema.table(name.table)
    kinds = {c.name: _kind(ColumnName(name.table, c.name), facts) for c in table.columns} if table else {}
    place = list(kinds).index(name.column) if name.column in kinds else 0
    same = [c for c in kinds if c != name.column and kinds[c] == kinds.get(name.column)]
    nearest = sorted(same, key=lambda c: abs(list(kinds).index(c) - place))
    return [ColumnName(name.table, c) for c in nearest[:SWAPS]]


def _kind(name: ColumnName, facts: Facts) -> str:
    profile = facts.profiles.get(name)
    if profile is None:
        return ""
    return "text" if profile.texts > profile.integers + profile.reals else "number"


def _literal(value: str, name: ColumnName, facts: Facts) -> exp.Expr:
    number = _kind(name, facts) == "number" and value.lstrip("-").replace(".", "", 1).isdigit()
    return exp.Literal.number(value) if number else exp.Literal.string(value)


def _nearby(number: str) -> list[str]:
    return [str(int(number) + 1), str(int(number) - 1)] if number.isdigit() and number.isascii() else []


def _named_elsewhere(join: exp.Expr) -> bool:
    alias, select = join.this.alias_or_name.casefold(), select_of(join)
    if select is None or alias not in tables_of(select):
        return True
    inside = {id(n) for n in join.find_all(exp.Column)}
    return any(
        (n.table.casefold() == alias or not n.table) and id(n) not in inside for n in select.find_all(exp.Column)
    )


RULES: Sequence[tuple[str, Rule]] = (
    ("column swap", swap_column),
    ("changed comparison", change_comparison),
    ("changed value", change_value),
    ("dropped condition", drop_condition),
    ("added condition", add_condition),
    ("changed distinct", change_distinct),
    ("other aggregate", change_aggregate),
    ("lost join condition", lose_join),
    ("other order", change_order),
    ("and for or", change_connective),
)
