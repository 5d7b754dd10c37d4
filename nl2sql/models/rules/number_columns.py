"""Which column a number, year or date of the question belongs to."""

import re
from collections.abc import Sequence

from nl2sql.models.rules import cues
from nl2sql.models.rules.frame import Frame
from nl2sql.models.rules.reading import Span
from nl2sql.models.rules.values import parse_date
from nl2sql.rows import ColumnName


def year_like(value: str) -> bool:
    """Whether a number reads as a year of our times."""
    return re.fullmatch(r"1[5-9]\d\d|20\d\d", value) is not None


def column_of_number(frame: Frame, span: Span, cue: Span | None) -> ColumnName | None:
    """The numeric or date column that a number belongs to: beside it, spoken of by an adjective, or a year."""
    if found := _column_of_adjective(frame, cue.start if cue is not None else span.start, cue):
        return found
    beside = _sides(frame, span, cue)
    if year_like(span.text) or span.kind == "date":
        dated = next(
            (
                c
                for s in beside
                for c in _columns(frame, s)[:3]
                if frame.scope.lexicon.is_date(c) and _fits(frame, span, c)
            ),
            None,
        )
        plain = (cue is not None and "than" in cue.cue) or (
            cue is not None and cue.cue in ("over", "above", "below", "under")
        )
        adjacent = [s for s in beside if s.end == span.start or span.end == s.start]
        dated = dated or _column_beside(
            frame, span, [s for s in adjacent if s.kind == "columns" or s.senses[0].quality >= 0.9]
        )
        found = dated or (None if plain else _date_column(frame, span))
        if found is not None:
            frame.used.update(s for s in beside if found in _columns(frame, s) and frame.scope.reading.region(s) == "f")
            return found
    return _column_beside(frame, span, beside, cue)


def _sides(frame: Frame, span: Span, cue: Span | None) -> list[Span]:
    after = frame.next_span(span.end, ("schema", "columns"), 0)
    before = _subject_before(frame, cue.start if cue is not None else span.start)
    inside = frame.previous_span(span.start, ("schema", "columns"), 1)
    if inside is None and cue is None:
        inside = _within_comparison(frame, span)
    return sorted((s for s in (inside, after, before) if s is not None), key=lambda s: s.kind != "columns")


def _within_comparison(frame: Frame, span: Span) -> Span | None:
    """The column inside "a greater weight than 10"."""
    than = frame.scope.reading.between(span.start - 1, span.start)
    return frame.previous_span(span.start - 1, ("schema", "columns"), 0) if than == "than" else None


def _column_beside(frame: Frame, span: Span, beside: Sequence[Span], cue: Span | None = None) -> ColumnName | None:
    for side in beside:
        if frame.scope.table(side) and not _plays_column(frame, side) and not _names_key(frame, side):
            continue
        named = _columns(frame, side)
        close = [c for c in named[:3] if side.kind == "columns" or _quality(side, c) >= 0.6]
        found = next(
            (
                c
                for c in close
                if _fits(frame, span, c) and (not frame.scope.lexicon.is_key(c) or _says_key(frame, side))
            ),
            None,
        )
        if found is not None:
            if side.end >= (cue.start if cue is not None else span.start) or frame.scope.reading.region(side) == "f":
                frame.used.add(side)
            return found
    return None


def _quality(span: Span, name: ColumnName) -> float:
    return max((s.quality for s in span.senses if (s.table, s.column) == (name.table, name.column)), default=0.0)


def _says_key(frame: Frame, span: Span) -> bool:
    said = frame.scope.reading.between(span.start, span.end).split()
    return span.kind == "columns" or bool({"id", "ids", "number", "code", "no", "key", "zip"} & set(said))


def _column_of_adjective(frame: Frame, place: int, cue: Span | None) -> ColumnName | None:
    """ "older than 20", "weighing more than 20", "aged 20", "20 years old"."""
    word = cue.cue.split()[0] if cue is not None else ""
    before = _subject_before(frame, place)
    spoken_of = word in cues.ADJECTIVES and word not in ("before", "after", "since")
    if spoken_of and (before is None or frame.scope.table(before)):
        return frame.column_for(cues.ADJECTIVES[word], frame.tables_before(place))
    reading = frame.scope.reading
    said = [
        w for w in reading.between(place - 2, place).split() if w in ("aged", "weighing", "weigh", "weighs", "weighed")
    ]
    if said:
        return frame.column_for(cues.ADJECTIVES[said[-1]], frame.tables_before(place))
    if reading.between(place - 1, place + 5).find("years old") >= 0 or "year old" in reading.between(
        place - 1, place + 4
    ):
        return frame.column_for(("age",), frame.tables_before(place))
    return None


def _columns(frame: Frame, span: Span) -> list[ColumnName]:
    return frame.scope.columns(span) if span.kind == "schema" else frame.columns_of(span)


def _plays_column(frame: Frame, span: Span) -> bool:
    lexicon = frame.scope.lexicon
    return any(
        s.column
        and s.quality >= 0.9
        and not lexicon.is_key(ColumnName(s.table, s.column))
        and lexicon.is_numeric(ColumnName(s.table, s.column))
        for s in span.senses
    )


def _names_key(frame: Frame, span: Span) -> bool:
    """ "area code 608" where a table is called area code too."""
    return _says_key(frame, span) and any(s.column and s.quality >= 0.9 for s in span.senses)


def _subject_before(frame: Frame, place: int) -> Span | None:
    """The column said just before a comparison: "whose weight is heavier than 10"."""
    found = frame.previous_span(place, ("schema", "columns"), 4)
    if found is None:
        return None
    if any(t.text in ",;" for t in frame.scope.reading.tokens[found.end : place]):
        return None
    return found


def _fits(frame: Frame, span: Span, name: ColumnName) -> bool:
    lexicon = frame.scope.lexicon
    if span.kind == "date":
        return lexicon.is_date(name) and not lexicon.is_key(name)
    if year_like(span.text) and lexicon.is_date(name):
        return True
    profile = lexicon.profiles.get(name)
    return profile is not None and profile.numeric_fraction >= 0.8


def _date_column(frame: Frame, span: Span) -> ColumnName | None:
    """The date or year column of the tables spoken of, nearest first."""
    lexicon, scope = frame.scope.lexicon, frame.scope
    tables = [t for s, t in sorted(scope.tables, key=lambda st: abs(st[0].start - span.start))]
    tables += [t for t in scope.favoured if t not in tables] + ([frame.entity] if frame.entity else [])
    first = next(iter(tables), "")
    others = (
        sorted((scope.graph.distance(first, t.name), i, t.name) for i, t in enumerate(lexicon.schema.tables))
        if first
        else []
    )
    tables += [t for d, _, t in others if d <= 2.0]
    for table in dict.fromkeys(tables):
        held = [
            c
            for c in lexicon.words
            if c.table == table and lexicon.is_date(c) and not lexicon.is_key(c) and _could_hold(frame, c, span)
        ]
        if held:
            return max(
                held,
                key=lambda c: (
                    scope.links.get(c, 0.0),
                    "year" in lexicon.words[c],
                    "date" in lexicon.words[c],
                ),
            )
    return None


def _could_hold(frame: Frame, name: ColumnName, span: Span) -> bool:
    profile = frame.scope.lexicon.profiles[name]
    if profile.date_format:
        return True
    if span.kind == "date":
        return parse_date(profile.top_values[0]) is not None if profile.top_values else False
    return bool(profile.top_values) and year_like(profile.top_values[0])
