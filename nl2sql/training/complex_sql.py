"""The same question in harder SQL: CTEs and window functions for nested queries, filters, groups and limits (op 3).

A rewriting is kept only where execution proves it: equal rows, as many of them, in the same order where the original
has one, on the database and on two copies of it that lost half of their rows each.
"""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeGuard

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from nl2sql.execution import ExecutionResult, Limits, execute_many, open_read_only
from nl2sql.schema import Schema, quote, read_schema
from nl2sql.sql_edits import Edit, Facts, Rule, apply_edits, column_of, name_node, tables_of

COPIES = 2
LARGEST_COPIED = 64 * 2**20  # bytes of a database; of larger ones no copies are made
ROWS_COMPARED = 1000  # whose order counts
PLACE = "place"


def rewrite_complex(sql: str, facts: Facts) -> list[Edit]:
    """Rewritings of a statement, the most telling first; none of them was executed."""
    return apply_edits(sql, facts, RULES)


@dataclass(frozen=True)
class Proof:
    """What equal statements must agree on, from a database or a copy of it."""

    digest: str
    row_count: int
    rows: tuple[tuple[object, ...], ...]  # in their order, () where that does not count


def prove_equal(
    originals: Sequence[str], rewritten: Sequence[str], paths: Sequence[str | Path], limits: Limits | None = None
) -> list[bool]:
    """Whether each statement gives what its original gives, on the database and its copies, `paths` in this order.

    A pair that gives nothing on the database itself proves nothing, and neither does one that fails anywhere.
    """
    limits = limits or Limits()
    limits = Limits(limits.seconds, limits.rows, limits.bytes, ROWS_COMPARED)
    jobs = [(path, sql) for path in paths for sql in chain(originals, rewritten)]
    results = execute_many(jobs, limits)
    pairs, size = len(originals), 2 * len(originals)
    return [
        all(
            _same(results[start + i], results[start + pairs + i], originals[i], vacuous=start > 0)
            for start in range(0, len(results), size)
        )
        for i in range(pairs)
    ]


def _same(one: ExecutionResult, other: ExecutionResult, sql: str, vacuous: bool) -> bool:
    shown = one.outcome == "ok" or (vacuous and one.ran)
    return shown and other.ran and _proof(one, sql) == _proof(other, sql)


def _proof(result: ExecutionResult, sql: str) -> Proof:
    ordered = "ORDER BY" in sql.upper()
    return Proof(result.digest, result.row_count, result.rows if ordered else ())


def thinned_copies(path: str | Path, folder: Path, seed: int = 0, copies: int = COPIES) -> list[Path]:
    """Copies of a database in which each row of each table was kept with even chances; [] for a large database.

    Triggers are dropped from the copies. Tables that refuse are left whole: virtual ones.
    """
    if Path(path).stat().st_size > LARGEST_COPIED:
        return []
    return [_thinned(path, folder / f"thinned-{number}.sqlite", f"{seed}-{number}") for number in range(copies)]


def _thinned(path: str | Path, target: Path, seed: str) -> Path:
    source = open_read_only(path)
    copy = sqlite3.connect(target)
    try:
        source.backup(copy)
        _drop_triggers(copy)
        rng = random.Random(seed)
        copy.create_function("kept", 0, lambda: rng.random() < 0.5)
        for table in read_schema(copy, "").tables:
            if not table.is_view:
                _thin_table(copy, table.name)
        copy.commit()
    finally:
        copy.close()
        source.close()
    return target


def _drop_triggers(copy: sqlite3.Connection) -> None:
    # They are a stranger's programs, and would run with each deletion, without a limit.
    copy.execute("PRAGMA trusted_schema = 0")
    for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        copy.execute(f"DROP TRIGGER {quote(name)}")


def _thin_table(copy: sqlite3.Connection, table: str) -> None:
    try:
        copy.execute(f"DELETE FROM {quote(table)} WHERE NOT kept()")
    except sqlite3.Error:  # a trigger or a virtual table that takes no deletion
        return


# --- rules ----------------------------------------------------------------------------------------------------------


def rank_rows(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """ORDER BY .. LIMIT n as ROW_NUMBER() in a CTE whose first n places are read."""
    if not _is_plain(tree) or not tree.args.get("limit") or not tree.args.get("order") or tree.args.get("distinct"):
        return
    inner = tree.copy()
    limit, order = inner.args["limit"].expression, inner.args["order"]
    names = _name_results(inner)
    if names is None or tree.args.get("offset"):
        return
    by_alias = {s.alias.casefold(): s.this for s in inner.expressions if isinstance(s, exp.Alias)}
    ordered = order.transform(lambda n: _spelled_out(n, by_alias))
    window = exp.Window(this=exp.RowNumber(), order=ordered)
    inner.set("limit", None)
    inner.set("order", None)
    inner.append("expressions", exp.alias_(window, PLACE))
    first = limit.name == "1"
    kept = exp.EQ if first else exp.LTE
    outer = _read("ranked", names).where(kept(this=exp.column(PLACE), expression=limit.copy()))
    yield (outer if first else outer.order_by(PLACE)).with_("ranked", inner)


def rank_extremes(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """WHERE x = (SELECT MAX(x) FROM the same table) as RANK() = 1."""
    where = tree.args.get("where")
    if not _is_plain(tree) or where is None or tree.args.get("joins") or tree.args.get("group"):
        return
    found = _extreme(where.this, tables_of(tree))
    if found is None or any(tree.args.get(k) for k in ("order", "limit", "distinct", "having")):
        return
    column, descending = found
    inner = tree.copy()
    names = _name_results(inner)
    if names is None or any(n.find(exp.AggFunc) for n in inner.expressions):
        return
    order = exp.Order(expressions=[exp.Ordered(this=column.copy(), desc=descending, nulls_first=not descending)])
    inner.set("where", exp.Where(this=column.copy().is_(exp.null()).not_()))
    inner.append("expressions", exp.alias_(exp.Window(this=exp.Anonymous(this="RANK"), order=order), PLACE))
    yield _read("ranked", names).where(exp.column(PLACE).eq(1)).with_("ranked", inner)


def group_first(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """HAVING as the WHERE of a query over a CTE that groups."""
    if not _is_plain(tree) or not tree.args.get("having") or tree.args.get("order") or tree.args.get("distinct"):
        return
    inner = tree.copy()
    names, condition = _name_results(inner), inner.args["having"].this
    if names is None or inner.args.get("limit") or condition.find(exp.Query):
        return
    inner.set("having", None)
    found = [
        n for n in condition.find_all(exp.AggFunc, exp.Column) if n is condition or not n.find_ancestor(exp.AggFunc)
    ]
    for number, node in enumerate(found, 1):
        name = f"condition_{number}"
        inner.append("expressions", exp.alias_(node.copy(), name))
        condition = _with_node(condition, node, exp.column(name))
    yield _read("grouped", names).where(condition).with_("grouped", inner)


def filter_first(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """The conditions on one joined table in a CTE that reads only what is needed of it."""
    if not _is_plain(tree) or not tree.args.get("where") or not tree.args.get("joins") or tree.find(exp.Star):
        return
    if (
        any(j.args.get("side") or not j.args.get("on") for j in tree.args["joins"])
        or len(list(tree.find_all(exp.Select))) > 1
    ):
        return
    for alias, table in tables_of(tree).items():
        made = _filtered(tree.copy(), alias, table, facts.schema)
        if made is not None:
            yield made


def lift_subqueries(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """Nested queries that stand on their own as CTEs."""
    if not isinstance(tree, exp.Query) or tree.args.get("with_"):
        return
    copy = tree.copy()
    lifted = [s for s in traverse_scope(copy) if _stands_alone(s)]
    if not lifted:
        return
    for number, scope in enumerate(lifted, 1):
        name, inner = f"part_{number}", scope.expression
        holder = inner.parent
        if scope.is_derived_table and isinstance(holder, exp.Subquery):
            body = inner.copy()
            holder.replace(
                exp.alias_(exp.to_table(name), holder.alias, table=True) if holder.alias else exp.to_table(name)
            )
        else:
            body = inner.copy()
            inner.replace(exp.select("*").from_(name))
        copy = copy.with_(name, body, copy=False)
    yield copy


def name_sides(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """The two sides of INTERSECT, EXCEPT and UNION as CTEs."""
    sides = (tree.this, tree.expression) if isinstance(tree, exp.SetOperation) else ()
    if not sides or tree.args.get("with_") or not all(isinstance(s, exp.Select) for s in sides):
        return
    copy = tree.copy()
    assert isinstance(copy, exp.SetOperation)
    copy.set("this", exp.select("*").from_("first_part"))
    copy.set("expression", exp.select("*").from_("second_part"))
    yield copy.with_("first_part", sides[0].copy(), copy=False).with_("second_part", sides[1].copy(), copy=False)


def _is_plain(tree: exp.Expr) -> TypeGuard[exp.Select]:
    """Whether a tree is one SELECT over something, without CTEs of its own."""
    return isinstance(tree, exp.Select) and not tree.args.get("with_") and bool(_source(tree))


def _source(select: exp.Expr) -> exp.Expr | None:
    return select.args.get("from_") or select.args.get("from")


def _read(table: str, names: Sequence[str]) -> exp.Select:
    return exp.select(*(exp.Column(this=name_node(n)) for n in names)).from_(table)


def _name_results(select: exp.Select) -> list[str] | None:
    """Give every result column a name of its own, in place; None where a star leaves open what they are."""
    if any(
        isinstance(s, exp.Star) or (isinstance(s, exp.Column) and isinstance(s.this, exp.Star))
        for s in select.expressions
    ):
        return None
    names: list[str] = []
    made = []
    for number, node in enumerate(select.expressions, 1):
        name = node.alias_or_name if isinstance(node, exp.Alias | exp.Column) else _called(node, number)
        name = f"{name}_{number}" if name.casefold() in {PLACE, *(n.casefold() for n in names)} else name
        names.append(name)
        bare = isinstance(node, exp.Column) and node.name == name
        made.append(node.copy() if bare else exp.Alias(this=node.unalias().copy(), alias=name_node(name)))
    select.set("expressions", made)
    return names


def _called(node: exp.Expr, number: int) -> str:
    kind = {exp.Count: "total", exp.Sum: "total", exp.Avg: "average", exp.Max: "highest", exp.Min: "lowest"}
    return f"{kind.get(type(node), 'value')}_{number}"


def _spelled_out(node: exp.Expr, by_alias: dict[str, exp.Expr]) -> exp.Expr:
    """An output's name as what it stands for: a window cannot name outputs."""
    if isinstance(node, exp.Column) and not node.table and node.name.casefold() in by_alias:
        return by_alias[node.name.casefold()].copy()
    return node


def _extreme(condition: exp.Expr, tables: dict[str, str]) -> tuple[exp.Expr, bool] | None:
    """The column, and whether its maximum is meant, of x = (SELECT MAX(x) FROM table)."""
    if not isinstance(condition, exp.EQ) or not isinstance(condition.expression, exp.Subquery):
        return None
    column, inner = condition.this, condition.expression.this
    if not isinstance(column, exp.Column) or not isinstance(inner, exp.Select) or len(inner.expressions) != 1:
        return None
    value = inner.expressions[0]
    bare = not any(inner.args.get(k) for k in ("where", "joins", "group", "having", "limit", "distinct"))
    same = [t.casefold() for t in tables_of(inner).values()] == [t.casefold() for t in tables.values()]
    if not bare or not same or not isinstance(value, exp.Max | exp.Min) or value.this.name != column.name:
        return None
    return column, isinstance(value, exp.Max)


def _with_node(tree: exp.Expr, node: exp.Expr, new: exp.Expr) -> exp.Expr:
    if node is tree:
        return new
    node.replace(new)
    return tree


def _filtered(tree: exp.Select, alias: str, table: str, schema: Schema) -> exp.Expr | None:
    conditions = list(tree.args["where"].this.flatten()) if isinstance(tree.args["where"].this, exp.And) else []
    conditions = conditions or [tree.args["where"].this]
    own = [c for c in conditions if _all_of(c, alias)]
    columns = {n.name.casefold(): column_of(n, schema) for n in tree.find_all(exp.Column) if _is_of(n, alias)}
    if not own or not table or any(n.table == "" for n in tree.find_all(exp.Column)) or None in columns.values():
        return None
    node = next(t for t in tree.find_all(exp.Table) if t.alias_or_name.casefold() == alias)
    name = f"chosen_{table}" if schema.table(f"chosen_{table}") is None else "chosen_rows"
    inner = exp.select(*(exp.Column(this=name_node(c.column)) for c in columns.values() if c))
    bare = exp.and_(*(c.transform(_unqualified) for c in own))
    inner = inner.from_(exp.Table(this=name_node(table))).where(bare)
    rest = [c.copy() for c in conditions if c not in own]
    tree.set("where", exp.Where(this=exp.and_(*rest)) if rest else None)
    node.replace(exp.Table(this=name_node(name), alias=exp.TableAlias(this=exp.to_identifier(node.alias_or_name))))
    return tree.with_(name_node(name), inner, copy=False)


def _all_of(condition: exp.Expr, alias: str) -> bool:
    columns = list(condition.find_all(exp.Column))
    return bool(columns) and all(_is_of(n, alias) for n in columns)


def _is_of(node: exp.Column, alias: str) -> bool:
    return node.table.casefold() == alias


def _unqualified(node: exp.Expr) -> exp.Expr:
    return exp.Column(this=node.this.copy()) if isinstance(node, exp.Column) else node


def _stands_alone(scope: Scope) -> bool:
    inside = scope.is_derived_table or scope.is_subquery
    if not inside or not isinstance(scope.expression, exp.Query):
        return False
    own = {name.casefold() for name in scope.sources}
    if any(c.table and c.table.casefold() not in own for c in scope.columns):
        return False
    # A nested one goes with the query that holds it.
    above = scope.parent
    return above is not None and above.is_root


RULES: Sequence[tuple[str, Rule]] = (
    ("window: place", rank_rows),
    ("window: rank", rank_extremes),
    ("cte: nested queries", lift_subqueries),
    ("cte: group first", group_first),
    ("cte: set operation", name_sides),
    ("cte: filter first", filter_first),
)
