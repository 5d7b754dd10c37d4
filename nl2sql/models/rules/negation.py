"""Not, without, both, either: conditions turned round, excluded rows, rows that meet two conditions at once."""

from collections.abc import Callable
from itertools import pairwise

from sqlglot import exp

from nl2sql.models.rules.frame import Condition, Frame
from nl2sql.models.rules.query import column
from nl2sql.models.rules.reading import Span
from nl2sql.rows import ColumnName

KeyQuery = Callable[[ColumnName, list[exp.Expr], str], exp.Subquery | None]


def add_negations(frame: Frame) -> None:
    """A negation turns the condition after it; when that is about another table's rows, these rows are excluded."""
    for span in frame.unused("negation"):
        if span.cue == "no" and frame.next_span(span.end, ("number", "compare"), 0):
            continue
        end = _reach(frame, span)
        inside = [c for c in frame.conditions if span.end <= c.start < end and c.kind != "evidence"]
        tables = [t for s, t in frame.scope.tables if span.end <= s.start < end and t != frame.entity]
        _apply(frame, span, inside, tables)


def _reach(frame: Frame, span: Span) -> int:
    """A negation reaches to the end of its clause."""
    tokens = frame.scope.reading.tokens
    for i in range(span.end, len(tokens)):
        if tokens[i].lower in (",", ".", "?", ";", "but") and i > span.end:
            return i
    return len(tokens)


def _apply(frame: Frame, span: Span, inside: list[Condition], tables: list[str]) -> None:
    graph, entity = frame.scope.graph, frame.entity
    if (
        inside
        and all(graph.to_one(entity, c.name.table) for c in inside)
        and not (tables and not graph.to_one(entity, tables[0]))
    ):
        frame.used.add(span)
        for condition in inside[:1]:
            frame.conditions[frame.conditions.index(condition)] = _turned(condition)
        return
    target = inside[-1].name.table if inside else next((t for t in tables if not graph.to_one(entity, t)), "")
    if target and entity and target != entity and frame.scope.lexicon.key_of(entity):
        frame.used.add(span)
        frame.excluded.append((target, inside))
        for condition in inside:
            frame.conditions.remove(condition)


def _turned(condition: Condition) -> Condition:
    found = condition.expression
    opposite = {
        exp.EQ: exp.NEQ,
        exp.NEQ: exp.EQ,
        exp.GT: exp.LTE,
        exp.LT: exp.GTE,
        exp.GTE: exp.LT,
        exp.LTE: exp.GT,
    }
    kind = opposite.get(type(found))
    if kind is None:
        return Condition(condition.name, exp.Not(this=found), condition.start, condition.kind)
    return Condition(
        condition.name, kind(this=found.this, expression=found.expression), condition.start, condition.kind
    )


def join_alternatives(frame: Frame) -> None:
    """Two equalities on one column cannot both hold: either of them, or both on different rows ("both ... and")."""
    _join_stated(frame)
    for name in dict.fromkeys(c.name for c in frame.conditions):
        same = [
            c
            for c in frame.conditions
            if c.name == name and c.kind == "equal" and isinstance(c.expression, (exp.EQ, exp.Like))
        ]
        if len({c.expression.sql() for c in frame.conditions if c.name == name and c.kind == "evidence"}) and same:
            for condition in same:
                frame.conditions.remove(condition)
            continue
        if len(same) < 2 or len({c.expression for c in same}) < 2:
            _drop_repeats(frame, same)
            continue
        for condition in same:
            frame.conditions.remove(condition)
        if _both(frame, same):
            frame.intersected.append((same[0], same[1]))
        else:
            joined = exp.or_(*(c.expression for c in same))
            frame.conditions.append(Condition(name, exp.Paren(this=joined), same[0].start, "alternative"))


def _join_stated(frame: Frame) -> None:
    """The same for what the evidence states."""
    for name in dict.fromkeys(c.name for c in frame.conditions):
        same = [
            c
            for c in frame.conditions
            if c.name == name
            and c.kind == "evidence"
            and isinstance(c.expression, exp.EQ)
            and isinstance(c.expression.this, exp.Column)
        ]
        if len({c.expression.sql() for c in same}) > 1:
            for condition in same:
                frame.conditions.remove(condition)
            either = exp.Paren(this=exp.or_(*(c.expression for c in same)))
            frame.conditions.append(Condition(name, either, same[0].start, "evidence"))


def join_by_or(frame: Frame) -> None:
    """ "with 8 cylinders or produced before 1980": two conditions with an "or" between them."""
    reading = frame.scope.reading
    own = sorted(
        (c for c in frame.conditions if c.kind in ("equal", "compare") and c.start >= 0),
        key=lambda c: c.start,
    )
    for left, right in pairwise(own):
        words = reading.between(left.start, right.start).split()
        if "or" in words and "and" not in words and left.name != right.name and left in frame.conditions:
            frame.conditions.remove(left)
            frame.conditions.remove(right)
            either = exp.Paren(this=exp.or_(left.expression, right.expression))
            frame.conditions.append(Condition(left.name, either, left.start, "alternative"))


def _drop_repeats(frame: Frame, same: list[Condition]) -> None:
    for condition in same[1:]:
        frame.conditions.remove(condition)


def _both(frame: Frame, same: list[Condition]) -> bool:
    words = frame.scope.reading.between(0, same[0].start).split()
    said = "both" in words or frame.scope.reading.between(same[0].start, same[1].start).find("and also") >= 0
    return said and bool(frame.entity) and frame.scope.lexicon.key_of(frame.entity) is not None


def exclusions(frame: Frame, assemble_keys: KeyQuery) -> list[exp.Expr]:
    """NOT IN for excluded rows and IN for each of two conditions that different rows meet."""
    key = frame.scope.lexicon.key_of(frame.entity) if frame.entity else None
    if key is None:
        return []
    found: list[exp.Expr] = []
    for table, conditions in frame.excluded:
        subquery = assemble_keys(key, [c.expression for c in conditions], table)
        if subquery is not None:
            found.append(exp.Not(this=exp.In(this=column(key), query=subquery)))
    for pair in frame.intersected:
        for condition in pair:
            subquery = assemble_keys(key, [condition.expression], condition.name.table)
            if subquery is not None:
                found.append(exp.In(this=column(key), query=subquery))
    return found
