"""Formulas of the evidence, and "for each": one row per value of a column or per row of a table."""

from sqlglot import exp

from nl2sql.models.rules.frame import Frame, Item
from nl2sql.models.rules.reading import Span


def add_formulas(frame: Frame) -> None:
    """The formula of the evidence is what is wanted, unless it picks a row."""
    for item in frame.anchors:
        formula = item.hint.formula
        if formula is None or (isinstance(formula, (exp.Max, exp.Min)) and frame.order):
            continue
        span = next((s for s in frame.unused("formula") if frame.anchors[int(s.cue)] is item), None)
        if span is not None:
            frame.used.add(span)
        elif item.start >= 0:
            continue
        if any(c.expression.find(exp.Subquery) and formula.sql() == _inner(c.expression) for c in frame.conditions):
            continue
        if frame.order and formula in [e for e, _ in frame.order]:
            continue
        if not any(i.expression == formula for i in frame.items):
            frame.items.append(Item(formula, max(item.start, 0), "formula"))


def _inner(condition: exp.Expr) -> str:
    """What a condition's subquery selects, without tables."""
    select = condition.find(exp.Select)
    return select.expressions[0].sql() if select is not None and select.expressions else ""


def add_groups(frame: Frame) -> None:
    """ "for each X", "per X": one row per value of a column or per row of a table."""
    for span in frame.unused("each"):
        after = frame.next_span(span.end, ("schema", "columns", "distinct"), 1)
        if after is not None and after.kind == "distinct":
            after = frame.next_span(after.end, ("schema", "columns"), 1)
        if after is None or not _has_aggregate(frame):
            continue
        frame.used.add(span)
        table = frame.scope.table(after)
        if not table and (owner := _owner(frame, after)):
            table = owner
        if table:
            frame.entity, frame.per_entity = table, True
            frame.scope.favour(table)
        else:
            names = frame.columns_of(after)
            if not names:
                continue
            frame.group.extend(n for n in names if n not in frame.group)
            if frame.scope.reading.region(after) != "h" or span.start > _first_aggregate(frame):
                frame.used.add(after)


def _owner(frame: Frame, span: Span) -> str:
    """ "each maker" where Maker refers to the table of makers: its rows are meant."""
    name = next(iter(frame.columns_of(span)), None)
    profile = frame.scope.lexicon.profiles.get(name) if name is not None else None
    if profile is None or not profile.references:
        return ""
    target = profile.references[0].table
    words = frame.scope.lexicon.table_words[target]
    return target if set(span.words) & set(words) else ""


def _has_aggregate(frame: Frame) -> bool:
    return (
        bool(frame.unused("count", "aggregate"))
        or any(i.kind == "formula" for i in frame.items)
        or bool(
            [
                s
                for s in frame.unused("superlative")
                if s.cue
                in (
                    "maximum",
                    "minimum",
                    "max",
                    "min",
                    "highest",
                    "lowest",
                    "largest",
                    "smallest",
                    "most",
                    "oldest",
                    "youngest",
                )
            ]
        )
    )


def _first_aggregate(frame: Frame) -> int:
    found = [s.start for s in frame.scope.reading.spans if s.kind in ("count", "aggregate", "superlative")]
    return min(found, default=0)
