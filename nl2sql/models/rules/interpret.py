"""From a question to its frame, and from the frame to a query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from nl2sql.models.rules import (
    extremes,
    filters_from_evidence,
    filters_from_numbers,
    filters_from_values,
    groups,
    heads,
    negation,
)
from nl2sql.models.rules.anchors import anchor, place
from nl2sql.models.rules.evidence import read_evidence
from nl2sql.models.rules.frame import Frame, Item
from nl2sql.models.rules.joins import JoinGraph
from nl2sql.models.rules.lexicon import Lexicon
from nl2sql.models.rules.query import Query, assemble, column, names_in
from nl2sql.models.rules.reading import Reading, Span, is_sure, read_cells, read_spans
from nl2sql.models.rules.regions import mark_regions
from nl2sql.models.rules.resolution import column_resolver
from nl2sql.models.rules.scope import build_scope
from nl2sql.models.rules.values import Values
from nl2sql.rows import CellMatch, ColumnName

FAVOUR_EVIDENCE, FAVOUR_CELL, FAVOUR_ENTITY = (
    0.15,
    0.08,
    0.08,
)  # what a table gains when the evidence, a cell or the head speaks of it


@dataclass(frozen=True)
class Knowledge:
    """A database as the rules see it, prepared once."""

    lexicon: Lexicon
    graph: JoinGraph


# Names that columns of unrelated tables share.
GENERIC = frozenset({"id", "name", "title", "type", "date", "description", "status", "notes", "code", "year"})

# The order matters: evidence speaks before the question's words, conditions take their columns before the head does.
STEPS = (
    filters_from_evidence.add_evidence,
    filters_from_values.add_values,
    extremes.add_averages,
    extremes.add_formula_averages,
    extremes.add_any,
    filters_from_numbers.add_numbers,
    groups.add_groups,
    extremes.add_ordering,
    extremes.add_formula_extremes,
    extremes.add_superlatives,
    groups.add_formulas,
    heads.add_items,
    negation.add_negations,
    negation.join_alternatives,
    negation.join_by_or,
)


def interpret(
    question: str,
    evidence: str,
    cells: Sequence[CellMatch],
    links: Mapping[ColumnName, float],
    knowledge: Knowledge,
) -> Frame:
    """Read a question into a frame. Never raises for odd questions; the frame may then be empty."""
    lexicon = knowledge.lexicon
    cells = read_cells(question, cells)
    spelled = {(ColumnName(c.table, c.column), c.literal.casefold()): c.value for c in reversed(cells) if is_sure(c)}
    values = Values(lexicon, spelled)
    tokens, spans = read_spans(question, cells, lexicon)
    resolve = column_resolver(lexicon, tokens, links, knowledge.graph, _held_by_values(spans))
    anchors = anchor(read_evidence(evidence, resolve, values), tokens)
    spans = place(anchors, spans, tokens)
    reading = Reading(question, tokens, spans, mark_regions(tokens, spans))
    favoured = dict.fromkeys(_held_by_values(spans), FAVOUR_CELL)
    for item in anchors:
        conditions = [*item.hint.conditions, *([item.hint.formula] if item.hint.formula is not None else [])]
        favoured.update({c.table: FAVOUR_EVIDENCE for e in conditions for c in names_in(e)})
    frame = Frame(build_scope(reading, lexicon, knowledge.graph, values, links, favoured), anchors)
    frame.entity = _head_table(frame)
    if frame.entity:
        favoured[frame.entity] = favoured.get(frame.entity, 0.0) + FAVOUR_ENTITY
    for step in STEPS:
        step(frame)
    return frame


def _held_by_values(spans: Sequence[Span]) -> list[str]:
    """Tables in whose columns alone a value of the question stands."""
    holders = [{c.table for c in s.cells} for s in spans if s.kind == "value"]
    return [t for tables in holders if len(tables) == 1 for t in tables]


def _head_table(frame: Frame) -> str:
    """The table that the head of the question names first, else that of its first column, else the first one named."""
    scope = frame.scope
    mentions = sorted(scope.tables, key=lambda st: st[0].start)
    in_head = [t for s, t in mentions if scope.reading.region(s) == "h" and s.cue != "verb"]
    if in_head:
        return in_head[0]
    for span in scope.reading.spans:
        if (
            scope.reading.region(span) == "h"
            and span.kind in ("schema", "columns")
            and (names := frame.columns_of(span))
        ):
            return names[0].table
    return mentions[0][1] if mentions else ""


def to_query(frame: Frame, graph: JoinGraph) -> Query | None:
    """The query of a frame as it stands; None when nothing is wanted."""
    items = _wanted(frame)
    if not items:
        return None
    where = [*(c.expression for c in frame.conditions if c.name is not None)]
    where.extend(negation.exclusions(frame, lambda k, conditions, table: _keys(k, conditions, table, graph)))
    group = _grouping(frame, items)
    return _gathered(
        frame,
        Query(
            select=tuple(i.expression for i in items),
            where=tuple(where),
            group=tuple(column(c) for c in group),
            having=tuple(frame.having),
            order=tuple(frame.order),
            limit=frame.limit,
            distinct=frame.distinct
            and not group
            and not any(i.kind in ("count", "aggregate", "formula") for i in items),
            tables=tuple(_tables(frame, items)),
        ),
    )


def _gathered(frame: Frame, query: Query) -> Query:
    """Columns that the evidence names without a table move to a table that is read anyway and has them too."""
    told = {c for a in frame.anchors for c in (*a.hint.columns, *_columns_in(a.hint.conditions))}
    used = [c for e in [*query.select, *query.where, *(e for e, _ in query.order)] for c in names_in(e)]
    firm = {c.table for c in used if ColumnName(c.table, c.name) not in told} | set(query.tables)
    for found in used:
        name = ColumnName(found.table, found.name)
        others = [c for c in frame.scope.lexicon.schema.columns_named(found.name) if c.table in firm]
        if name in told and firm and found.table not in firm and len(others) == 1 and found.name.lower() not in GENERIC:
            found.set("table", column(others[0]).args["table"])
    return query


def _columns_in(expressions: Sequence[exp.Expr]) -> list[ColumnName]:
    return [ColumnName(c.table, c.name) for e in expressions for c in names_in(e)]


def _keys(key: ColumnName, conditions: Sequence[exp.Expr], table: str, graph: JoinGraph) -> exp.Subquery | None:
    query = Query(select=(column(key),), where=tuple(conditions), tables=(key.table, table))
    select = assemble(query, graph)
    return exp.Subquery(this=select) if select is not None else None


def _wanted(frame: Frame) -> list[Item]:
    lexicon = frame.scope.lexicon
    items: list[Item] = []
    for item in frame.items:
        if item.kind != "entity":
            items.append(item)
            continue
        for name in lexicon.display.get(item.table, ()):
            items.append(Item(column(name), item.start, "column", item.table, name))
    formulas = [i for i in items if i.kind == "formula"]
    if formulas and not frame.group and not frame.per_entity:
        items = _beside_formula(frame, items, formulas)
    if not items and not frame.group and (table := frame.entity or _read_table(frame)):
        items = [Item(column(n), 0, "column", table, n) for n in lexicon.display.get(table, ())]
    items = _without_fixed(frame, _with_group_columns(frame, items))
    if _mixes(items) and not frame.group and not frame.per_entity and not frame.order:
        frame.group = [i.name for i in items if i.kind == "column" and i.name is not None]
    return _unrepeated(items)


def _read_table(frame: Frame) -> str:
    """The table that orders or filters the rows, when the question names none."""
    ordered = [c.table for e, _ in frame.order for c in names_in(e)]
    return next(iter([*ordered, *(c.name.table for c in frame.conditions)]), "")


def _without_fixed(frame: Frame, items: list[Item]) -> list[Item]:
    """A column that must equal one value tells nothing: it is shown only when nothing else is wanted."""
    fixed = {
        c.name
        for c in frame.conditions
        if isinstance(c.expression, exp.EQ) and isinstance(c.expression.this, exp.Column)
    }
    kept = [i for i in items if i.kind != "column" or i.name not in fixed]
    return kept or items


def _beside_formula(frame: Frame, items: list[Item], formulas: list[Item]) -> list[Item]:
    """Beside a formula, plain counts and aggregates repeat it; a column stays when it is asked for on its own."""
    return (
        formulas[:1]
        if not any(i.kind == "column" for i in items)
        else [i for i in items if i.kind in ("column", "formula")]
        if _asks_more(frame)
        else formulas[:1]
    )


def _asks_more(frame: Frame) -> bool:
    words = frame.scope.reading.between(0, len(frame.scope.reading.tokens))
    return any(
        w in words
        for w in (
            " and list",
            ", list",
            " and state",
            " also ",
            "along with",
            " and what",
            " and which",
            "? ",
        )
    )


def _mixes(items: Sequence[Item]) -> bool:
    kinds = {i.kind for i in items}
    summed = any(isinstance(i.expression, (exp.Sum, exp.Avg)) for i in items)
    return "column" in kinds and ("count" in kinds or summed)


def _with_group_columns(frame: Frame, items: list[Item]) -> list[Item]:
    shown = {i.name for i in items if i.kind == "column"}
    if not frame.order or frame.limit is None:
        missing = [c for c in frame.group if c not in shown]
        if not shown and frame.per_entity and frame.entity and not frame.having and not frame.order:
            missing = [
                *missing,
                *(c for c in frame.scope.lexicon.display.get(frame.entity, ()) if c not in missing),
            ]
        added = [Item(column(c), 0, "column", c.table, c) for c in missing]
        counts_first = any(i.kind == "aggregate" for i in items)
        return [*items, *added] if counts_first else [*added, *items]
    if not items and frame.group:
        return [Item(column(c), 0, "column", c.table, c) for c in frame.group]
    return items


def _unrepeated(items: Sequence[Item]) -> list[Item]:
    kept: list[Item] = []
    for item in items:
        if not any(item.expression == k.expression for k in kept):
            kept.append(item)
    return kept


def _grouping(frame: Frame, items: Sequence[Item]) -> list[ColumnName]:
    columns = [i.name for i in items if i.kind == "column" and i.name is not None]
    if frame.group:
        return frame.group
    if not frame.per_entity:
        return columns if frame.having and not any(i.kind == "count" for i in items) else []
    key = frame.scope.lexicon.key_of(frame.entity) if frame.entity else None
    if (
        key is not None
        and (not columns or any(c.table == frame.entity for c in columns))
        and frame.counted != frame.entity
    ):
        return [key]
    if columns:
        own = [frame.scope.lexicon.key_of(c.table) for c in columns[:1]]
        display = frame.scope.lexicon.display.get(columns[0].table, ())
        if own[0] is not None and columns[0] in display and columns[0].table != frame.counted:
            return [own[0]]
        return columns
    return [key] if key is not None else []


def _tables(frame: Frame, items: Sequence[Item]) -> list[str]:
    """The tables that must be joined beyond those whose columns are named: counted ones and those only spoken of."""
    needed = [i.table for i in items if i.kind == "count" and i.table] + ([frame.counted] if frame.counted else [])
    excluded = {t for t, _ in frame.excluded}
    if frame.per_entity and frame.entity and (needed or not items):
        needed.append(frame.entity)
    spoken = [t for s, t in frame.scope.tables if frame.scope.reading.region(s) == "f" and t not in excluded]
    named = [i.table for i in items if i.table]
    verbs = [t for s, t in frame.scope.tables if s.cue == "verb" and t not in excluded]
    grouped = bool(frame.having) or any(e.find(exp.AggFunc) for e, _ in frame.order)
    if frame.excluded or frame.intersected or (frame.order and not grouped):
        spoken = []
    elif frame.anchors and not grouped:
        spoken = verbs
    if frame.all_spoken:
        needed.extend(t for _, t in frame.scope.tables if t not in excluded)
    where = {c.name.table for c in frame.conditions} if frame.anchors else set()
    needed.extend(t for t in [*spoken, *verbs] if not any(frame.scope.graph.to_one(n, t) for n in {*named, *where}))
    if frame.excluded or frame.intersected:
        needed.insert(0, frame.entity)
    if not needed and not named and frame.entity:
        needed.append(frame.entity)
    return list(dict.fromkeys(t for t in needed if t))


def widened(frame: Frame, **changes: object) -> Frame:
    """A copy of a frame with some fields changed; lists are copied so that variants do not share them."""
    fresh = replace(
        frame,
        items=list(frame.items),
        conditions=list(frame.conditions),
        having=list(frame.having),
        group=list(frame.group),
        order=list(frame.order),
        excluded=list(frame.excluded),
        intersected=list(frame.intersected),
        used=set(frame.used),
    )
    return replace(fresh, **changes)  # type: ignore[arg-type]
