"""The readings that a question leaves open: each pattern turns the frame into one query."""

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from nl2sql.models.rules.frame import Condition, Frame, Item
from nl2sql.models.rules.interpret import to_query, widened
from nl2sql.models.rules.joins import JoinGraph
from nl2sql.models.rules.query import Query, assemble, column, tables_of
from nl2sql.models.rules.values import compared
from nl2sql.rows import ColumnName

Pattern = Callable[[Frame, JoinGraph], Query | None]


def direct(frame: Frame, graph: JoinGraph) -> Query | None:
    """The frame as it was read; a count or sum of the rows that reach an extreme needs them all."""
    whole = bool(frame.items) and all(i.kind in ("count", "aggregate", "formula") for i in frame.items)
    if whole and (reached := extreme_value(frame, graph)) is not None:
        return reached
    return to_query(widened(frame), graph)


def distinct_count(frame: Frame, graph: JoinGraph) -> Query | None:
    """Count each row of the counted table once, when joins repeat it."""
    base = to_query(widened(frame), graph)
    if base is None or len(tables_of(base)) < 2 or base.group:
        return None
    items = [_distinct(frame, i) for i in frame.items]
    if items == frame.items:
        return None
    return to_query(widened(frame, items=items), graph)


def _distinct(frame: Frame, item: Item) -> Item:
    if item.kind != "count" or not item.table or item.expression.find(exp.Distinct):
        return item
    key = item.name or frame.scope.lexicon.key_of(item.table)
    if key is None:
        return item
    return Item(exp.Count(this=exp.Distinct(expressions=[column(key)])), item.start, "count", item.table, key)


def extreme_value(frame: Frame, graph: JoinGraph) -> Query | None:
    """All rows that reach the extreme, instead of the first one by order."""
    if len(frame.order) != 1 or frame.limit != 1 or frame.group or frame.per_entity:
        return None
    subject, descending = frame.order[0]
    base = to_query(widened(frame, order=[], limit=None), graph)
    if base is None or not isinstance(subject, exp.Column):
        return None
    function = exp.Max(this=subject.copy()) if descending else exp.Min(this=subject.copy())
    inner = assemble(Query(select=(function,), where=base.where), graph)
    if inner is None:
        return None
    best = compared(subject.copy(), "=", exp.Subquery(this=inner))
    return Query(base.select, (*base.where, best), distinct=base.distinct, tables=base.tables)


def other_projection(frame: Frame, graph: JoinGraph) -> Query | None:
    """The second-best column for the first thing wanted."""
    for place, item in enumerate(frame.items):
        span = next((s for s in frame.scope.reading.spans if s.start == item.start and s.kind == "schema"), None)
        if item.kind != "column" or span is None:
            continue
        other = next((c for c in frame.scope.columns(span) if c != item.name), None)
        if other is not None:
            items = list(frame.items)
            items[place] = Item(column(other), item.start, "column", other.table, other)
            return to_query(widened(frame, items=items), graph)
    return None


def named_by_key(frame: Frame, graph: JoinGraph) -> Query | None:
    """Rows shown by their key rather than by their name."""
    items = [_keyed(frame, i) for i in frame.items]
    return to_query(widened(frame, items=items), graph) if items != frame.items else None


def _keyed(frame: Frame, item: Item) -> Item:
    key = frame.scope.lexicon.key_of(item.table) if item.kind == "entity" else None
    return Item(column(key), item.start, "column", key.table, key) if key is not None else item


def summed(frame: Frame, graph: JoinGraph) -> Query | None:
    """Add a number up instead of showing it ("how much", "how many")."""
    words = frame.scope.reading.between(0, len(frame.scope.reading.tokens))
    if len(frame.items) != 1 or frame.items[0].kind != "column" or not ("how m" in words or "amount" in words):
        return None
    item = frame.items[0]
    if item.name is None or not frame.scope.lexicon.is_numeric(item.name) or frame.order:
        return None
    total = Item(exp.Sum(this=column(item.name)), item.start, "aggregate", item.table, item.name)
    return to_query(widened(frame, items=[total]), graph)


def swapped_columns(frame: Frame, graph: JoinGraph) -> Query | None:
    """Two columns the other way round: a count before what it is of, an aggregate after it."""
    base = to_query(widened(frame), graph)
    return replace(base, select=base.select[::-1]) if base is not None and len(base.select) == 2 else None


def joined_mentions(frame: Frame, graph: JoinGraph) -> Query | None:
    """With every table that the question speaks of, so that rows without a partner there drop out."""
    return to_query(widened(frame, all_spoken=True), graph)


def other_column_of_value(frame: Frame, graph: JoinGraph) -> Query | None:
    """The next column that holds a value of the question too."""
    for span in frame.scope.reading.spans:
        condition = next((c for c in frame.conditions if c.kind == "equal" and c.start == span.start), None)
        if span.kind != "value" or condition is None:
            continue
        cell = next(
            (c for c in span.cells if (c.table, c.column) != (condition.name.table, condition.name.column)), None
        )
        if cell is not None:
            name = ColumnName(cell.table, cell.column)
            equal = compared(column(name), "=", frame.scope.values.literal(name, cell.value))
            kept = [c for c in frame.conditions if c is not condition]
            return to_query(widened(frame, conditions=[*kept, Condition(name, equal, span.start, "equal")]), graph)
    return None


def without_last_item(frame: Frame, graph: JoinGraph) -> Query | None:
    """Without the last thing wanted, which may only describe the others."""
    if len(frame.items) < 2:
        return None
    last = max(frame.items, key=lambda i: i.start)
    return to_query(widened(frame, items=[i for i in frame.items if i is not last]), graph)


def counted_rows(frame: Frame, graph: JoinGraph) -> Query | None:
    """Rows counted where a number was read ("how many goals")."""
    if len(frame.items) != 1 or frame.items[0].kind != "column" or frame.order or frame.group:
        return None
    if "how many" not in frame.scope.reading.between(0, len(frame.scope.reading.tokens)):
        return None
    item = frame.items[0]
    return to_query(widened(frame, items=[Item(exp.Count(this=exp.Star()), item.start, "count", item.table)]), graph)


def grouped_by_name(frame: Frame, graph: JoinGraph) -> Query | None:
    """Groups by what is shown instead of by the key: rows of the same name fall together."""
    base = to_query(widened(frame), graph)
    plain = [e for e in base.select if isinstance(e, exp.Column)] if base is not None else []
    return replace(base, group=tuple(plain)) if base is not None and base.group and plain else None


def evidence_only(frame: Frame, graph: JoinGraph) -> Query | None:
    """Without the conditions that only the question's words suggest."""
    kept = [c for c in frame.conditions if c.kind == "evidence"]
    if not kept or len(kept) == len(frame.conditions):
        return None
    return to_query(widened(frame, conditions=kept), graph)


PATTERNS: tuple[Pattern, ...] = (
    direct,
    extreme_value,
    distinct_count,
    summed,
    swapped_columns,
    other_projection,
    joined_mentions,
    other_column_of_value,
    without_last_item,
    counted_rows,
    named_by_key,
    evidence_only,
    grouped_by_name,
)
