"""Cells named in the question become equalities on their columns."""

import re
from collections.abc import Sequence

from sqlglot import exp

from nl2sql.models.rules.filters_from_evidence import covered, stated_literals
from nl2sql.models.rules.frame import Condition, Frame
from nl2sql.models.rules.query import column, text
from nl2sql.models.rules.reading import Span
from nl2sql.models.rules.values import compared
from nl2sql.rows import ColumnName


def add_values(frame: Frame) -> None:
    """Cells named in the question become equalities on their columns, unless the evidence has said so already."""
    said = stated_literals(frame)
    for span in frame.unused("value"):
        literal = span.text.casefold()
        if covered(literal, said):
            frame.used.add(span)
            continue
        if span.cue == "quoted" and (part := _pattern_cue(frame, span)):
            _add_pattern(frame, span, part)
            continue
        name = _column_of_value(frame, span)
        if name is None:
            continue
        frame.used.add(span)
        cell = next((c for c in span.cells if (c.table, c.column) == (name.table, name.column)), None)
        wanted = text(cell.value) if cell else frame.scope.values.literal(name, span.text)
        equal = (
            frame.scope.values.compare(name, "=", span.text)
            if cell is None
            else compared(
                column(name),
                "=",
                frame.scope.values.literal(name, cell.value) if frame.scope.lexicon.is_numeric(name) else wanted,
            )
        )
        frame.conditions.append(Condition(name, equal, span.start, "equal"))


def _pattern_cue(frame: Frame, span: Span) -> str:
    before = frame.scope.reading.between(span.start - 6, span.start)
    if re.search(r"\b(contain\w*|substring|includ\w*|the word|the letter|the string|the phrase|having|has)\b", before):
        exact = any(c.value.casefold() == span.text.casefold() for c in span.cells)
        return "" if exact else "%{}%"
    if re.search(r"\b(start\w*|begin\w*)\b", before):
        return "{}%"
    if re.search(r"\bend\w*\b", before):
        return "%{}"
    return ""


def _add_pattern(frame: Frame, span: Span, pattern: str) -> None:
    near = frame.previous_span(span.start, ("schema", "columns"), 8)
    after = frame.next_span(span.end, ("schema", "columns"), 4)
    found = next((c for s in (after, near) if s is not None for c in frame.columns_of(s)), None)
    if found is None:
        return
    frame.used.add(span)
    if near is not None and frame.scope.reading.region(near) == "f":
        frame.used.add(near)
    if after is not None and found in frame.columns_of(after):
        frame.used.add(after)
    like = exp.Like(this=column(found), expression=text(pattern.format(span.text)))
    frame.conditions.append(Condition(found, like, span.start, "equal"))


def _column_of_value(frame: Frame, span: Span) -> ColumnName | None:
    """The column meant by a cell: the one named beside it, else the likeliest of those that hold it."""
    holders = [ColumnName(c.table, c.column) for c in span.cells]
    if (part := _part_of_full_name(frame, span, holders)) is not None:
        return part
    near = _columns_beside(frame, span)
    named = [c for _, columns in near for c in columns]
    for side, columns in near:
        hit = next((c for c in columns if c in holders), None)
        if hit is not None:
            _consume(frame, side, span)
            return hit
    if not holders:
        if span.cue != "quoted":
            return None
        for side, columns in near:
            typed = [c for c in columns if not frame.scope.lexicon.is_numeric(c)]
            if typed:
                _consume(frame, side, span)
                return typed[0]
        return None
    return max(dict.fromkeys(holders), key=lambda c: _holder_score(frame, span, c, named))


def _part_of_full_name(frame: Frame, span: Span, holders: Sequence[ColumnName]) -> ColumnName | None:
    """ "Amy Firth": a first name before a last name of the same table, whatever else is called so."""
    words = frame.scope.lexicon.words
    for wanted, other, beside in (
        ("last", "first", frame.previous_span(span.start, ("value",), 0)),
        ("first", "last", frame.next_span(span.end, ("value",), 0)),
    ):
        tables = (
            {c.table for c in beside.cells if words[ColumnName(c.table, c.column)][:1] == (other,)} if beside else set()
        )
        found = next((h for h in holders if h.table in tables and words[h][:1] == (wanted,)), None)
        if found is not None:
            return found
    return None


def _consume(frame: Frame, side: Span, span: Span) -> None:
    """A column that only introduces a value is not wanted itself: "the country France", "whose country is France"."""
    region = frame.scope.reading.region(side)
    adjacent = side.end <= span.start <= side.end + 2 or span.end <= side.start <= span.end + 1
    if region == "f" or adjacent:
        frame.used.add(side)


def _columns_beside(frame: Frame, span: Span) -> list[tuple[Span, list[ColumnName]]]:
    sides = (
        frame.previous_span(span.start, ("schema", "columns"), 4),
        frame.next_span(span.end, ("schema", "columns"), 1),
    )
    known = sorted((s for s in sides if s is not None), key=lambda s: -s.senses[0].quality if s.senses else -1.0)
    return [(s, frame.scope.columns(s) if s.kind == "schema" else frame.columns_of(s)) for s in known]


def _holder_score(frame: Frame, span: Span, name: ColumnName, named: Sequence[ColumnName]) -> float:
    scope = frame.scope
    cell = max((c.score for c in span.cells if (c.table, c.column) == (name.table, name.column)), default=0.0)
    score = cell + 0.3 * scope.links.get(name, 0.0) + scope.favoured.get(name.table, 0.0)
    mentioned = [t for _, t in scope.tables]
    if name.table in mentioned:
        score += 0.3
    elif mentioned:
        score -= 0.05 * min(scope.graph.distance(mentioned[0], name.table), 6.0)
    if name in named:
        score += 0.5
    words = scope.lexicon.words[name]
    score += 0.1 if words[-1:] in (("name",), ("title",)) else 0.0
    neighbours = [c.name for c in frame.conditions if abs(c.start - span.start) <= 1]
    score += 0.3 * any(n.table == name.table for n in neighbours) - 0.6 * (name in neighbours)
    profile = scope.lexicon.profiles.get(name)
    if profile is not None and profile.references:
        score -= 0.2
    first = words[:2] == ("first", "name")
    last = words[:2] == ("last", "name")
    following = scope.reading.tokens[span.end].text if span.end < len(scope.reading.tokens) else ""
    if (first and following[:1].isupper()) or (
        last and span.start and scope.reading.tokens[span.start - 1].text[:1].isupper()
    ):
        score += 0.2
    return score
