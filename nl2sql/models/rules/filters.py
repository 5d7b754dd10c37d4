"""Conditions: from the evidence, from matched cells, from numbers with comparisons."""

import re
from collections.abc import Sequence

from sqlglot import exp

from nl2sql.models.rules import cues
from nl2sql.models.rules.anchors import literals_in
from nl2sql.models.rules.frame import Condition, Frame
from nl2sql.models.rules.query import column, number, text
from nl2sql.models.rules.reading import Span
from nl2sql.models.rules.values import compared, parse_date
from nl2sql.rows import ColumnName


def add_evidence(frame: Frame) -> None:
    """Conditions that the evidence states. Those on aggregates become HAVING."""
    counted = [a.hint.formula for a in frame.anchors if a.hint.formula is not None]
    for item in frame.anchors:
        if item.hint.must_anchor and item.start < 0:
            continue
        for condition in item.hint.conditions:
            if item.hint.formula is None and _is_counted(condition, counted):
                continue
            if list(condition.find_all(exp.AggFunc)):
                _add_aggregate_condition(frame, condition)
                continue
            names = [ColumnName(c.table, c.name) for c in condition.find_all(exp.Column)]
            if names and condition not in [c.expression for c in frame.conditions]:
                frame.conditions.append(Condition(names[0], condition, item.start, "evidence"))
    for span in frame.unused("condition"):
        frame.used.add(span)
    for item in frame.anchors:
        if item.hint.value and not item.hint.conditions:
            _add_described_value(frame, item.hint.value, item.hint.meaning, item.start)


def _is_counted(condition: exp.Expression, formulas: Sequence[exp.Expression]) -> bool:
    """Whether a formula already counts the rows that meet this condition: filtering by it would make 100 % of it."""
    wanted = condition.sql()
    return any(case.this.sql() == wanted for f in formulas for case in f.find_all(exp.If))


def _add_aggregate_condition(frame: Frame, condition: exp.Expression) -> None:
    """`COUNT(x) > 5` filters groups; `cost > AVG(cost)` filters rows against all rows."""
    if isinstance(condition, exp.Binary) and isinstance(condition.this, exp.Column):
        name = ColumnName(condition.this.table, condition.this.name)
        frame.conditions.append(Condition(name, _against_all(condition, name), -1, "evidence"))
    elif not frame.having:
        frame.having.append(condition)


def _against_all(condition: exp.Binary, name: ColumnName) -> exp.Expression:
    right = condition.expression.copy()
    aggregates = list(right.find_all(exp.AggFunc))
    average = exp.Avg(this=exp.column(exp.to_identifier(name.column, quoted=True)))
    if isinstance(right, exp.Div) and len(aggregates) == 2:
        right = average  # DIVIDE(SUM(x), COUNT(x)) is the average
    for found in right.find_all(exp.Column):
        found.set("table", None)
    subquery = exp.Subquery(this=exp.select(right).from_(exp.Table(this=exp.to_identifier(name.table, quoted=True))))
    return type(condition)(this=condition.this.copy(), expression=subquery)


def _add_described_value(frame: Frame, value: str, meaning: Sequence[str], start: int) -> None:
    """`'Vice President' is a position`: the column whose words the description holds, and that holds the value."""
    lexicon, spelled = frame.scope.lexicon, frame.scope.values.spelled
    known = {text for (_, text) in spelled}
    wanted = set(meaning)
    if not wanted or value.casefold() in literals_in([c.expression for c in frame.conditions]):
        return
    holders = [c for (c, text) in spelled if text == value.casefold()]
    if not holders and " " in value and all(w.casefold() in known for w in value.split()):
        return  # a person's full name: its parts are found on their own
    scored = [(len(wanted & set(lexicon.words[c])) + 0.5 * len(wanted & set(lexicon.table_words[c.table])), c)
              for c in (holders or [])]
    if not scored and value.casefold() not in known:
        scored = [(len(wanted & set(w)) - 0.05 * len(w) + 0.6 * len(wanted & set(lexicon.table_words[c.table])), c)
                  for c, w in lexicon.words.items() if wanted & set(w) and not lexicon.is_key(c)]
        if not any(ch.isupper() or ch.isdigit() for ch in value):
            return
    asked = frame.scope.reading.question.casefold()
    if not holders and re.search(rf"(?<!\w){re.escape(value.casefold())}(?!\w)", asked) is None:
        return
    best = max(scored, default=(0.0, None), key=lambda s: s[0])
    if best[1] is not None and best[0] >= 0.9:
        frame.conditions.append(Condition(best[1], frame.scope.values.compare(best[1], "=", value), start, "evidence"))


def add_values(frame: Frame) -> None:
    """Cells named in the question become equalities on their columns, unless the evidence has said so already."""
    said = _said(frame)
    for span in frame.unused("value"):
        literal = span.text.casefold()
        if _covered(literal, said):
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
        equal = (frame.scope.values.compare(name, "=", span.text) if cell is None
                 else compared(column(name), "=", frame.scope.values.literal(name, cell.value) if
                               frame.scope.lexicon.is_numeric(name) else wanted))
        frame.conditions.append(Condition(name, equal, span.start, "equal"))


def _said(frame: Frame) -> set[str]:
    formulas = [a.hint.formula for a in frame.anchors if a.hint.formula is not None]
    return literals_in([c.expression for c in frame.conditions] + formulas)


def _covered(literal: str, said: set[str]) -> bool:
    bare = literal.strip("'\" ")
    return any(bare == s or (len(bare) > 2 and re.search(rf"\b{re.escape(bare)}\b", s)) or
               (len(s) > 3 and not s.isdigit() and re.search(rf"\b{re.escape(s)}\b", bare)) for s in said)


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
        tables = {c.table for c in beside.cells if words[ColumnName(c.table, c.column)][:1] == (other,)} if beside else set()
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
    sides = (frame.previous_span(span.start, ("schema", "columns"), 4), frame.next_span(span.end, ("schema", "columns"), 1))
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
    if first and following[:1].isupper() or last and span.start and scope.reading.tokens[span.start - 1].text[:1].isupper():
        score += 0.2
    return score


def add_numbers(frame: Frame) -> None:
    """Numbers, years and dates with their comparisons become conditions on the column that stands near."""
    said = _said(frame) | literals_in(frame.having)
    for span in frame.unused("number", "date"):
        if span.text in said or span in frame.used or _is_limit(frame, span):
            continue
        _add_number(frame, span)


def _is_limit(frame: Frame, span: Span) -> bool:
    before = frame.previous_span(span.start, ("superlative", "frequency"), 0)
    after = frame.next_span(span.end, ("superlative",), 0)
    return before is not None and before.cue in ("top", "first", "last", "best") or after is not None and span.kind == "number"


def _add_number(frame: Frame, span: Span) -> None:
    between = _range(frame, span)
    operator, cue = _operator(frame, span)
    name = _column_of_number(frame, span, cue)
    if name is None and (earlier := _listed_before(frame, span)):
        name, operator = earlier
    if name is None:
        _add_counted(frame, span, operator, cue)
        return
    frame.used.add(span)
    if between is not None:
        frame.used.add(between)
        found = frame.scope.values.between(name, span.text, between.text)
    elif _is_whole_year(frame, span, name):
        found = frame.scope.values.in_part(name, "year", operator, span.text)
    else:
        found = frame.scope.values.compare(name, operator, span.text)
    frame.conditions.append(Condition(name, found, span.start, "equal" if operator == "=" and not between else "compare"))


def _listed_before(frame: Frame, span: Span) -> tuple[ColumnName, cues.Operator] | None:
    """ "32 or 33", "2014 and 2015": the second number belongs where the first one does."""
    first = frame.previous_span(span.start, ("number", "date"), 3)
    words = set(frame.scope.reading.between(first.end, span.start).split()) if first is not None else set()
    if first is None or not words & {"or", "and", ","} or words - {"or", "and", ",", "in", "year"}:
        return None
    found = next((c for c in frame.conditions if c.start == first.start and c.kind == "equal"), None)
    return (found.name, "=") if found else None


def _is_whole_year(frame: Frame, span: Span, name: ColumnName) -> bool:
    profile = frame.scope.lexicon.profiles.get(name)
    return span.kind == "number" and _year_like(span.text) and profile is not None and profile.date_format.startswith("%") \
        and profile.longest > 4


def _year_like(value: str) -> bool:
    return re.fullmatch(r"1[5-9]\d\d|20\d\d", value) is not None


def _range(frame: Frame, span: Span) -> Span | None:
    """The upper end of "between 5 and 10" or "from 5 to 10"."""
    reading = frame.scope.reading
    before = reading.between(span.start - 2, span.start)
    following = frame.next_span(span.end, ("number", "date"), 2)
    if following is None:
        return None
    joint = reading.between(span.end, following.start)
    opened = ("between" in before and joint in ("and", "to")) or ("from" in before.split() and joint in ("to", "until", "through"))
    return following if opened or joint in ("to", "-", "through") else None


def _operator(frame: Frame, span: Span) -> tuple[cues.Operator, Span | None]:
    reading = frame.scope.reading
    after = reading.between(span.end, span.end + 2)
    for phrase, operator in cues.AFTER_NUMBER.items():
        if after.startswith(phrase):
            return operator, None
    cue = frame.previous_span(span.start, ("compare",), 4)
    if cue is not None:
        inside = [s for s in reading.spans if cue.end <= s.start < span.start and s.kind in ("number", "value", "date")]
        if not inside and (cue.cue not in ("from",) or span.start - cue.end <= 1):
            operator = cues.COMPARISONS[cue.cue]
            if cue.cue == "from":
                operator = "=" if span.kind == "number" and not _year_like(span.text) else "="
            return _negated(frame, cue, operator), cue
    words = reading.between(span.start - 5, span.start).split()
    if "than" in words:
        rest = [w for w in words[: words.index("than")] if w in cues.COMPARATIVES]
        if rest:
            return ("<" if rest[-1] in ("less", "fewer", "lower", "smaller", "younger", "lighter", "shorter") else ">"), None
    return _negated(frame, span, "="), None


def _negated(frame: Frame, span: Span, operator: cues.Operator) -> cues.Operator:
    before = frame.previous_span(span.start, ("negation",), 3)
    if before is None or before in frame.used or before.cue in ("without", "except", "excluding"):
        return operator
    frame.used.add(before)
    flipped: dict[cues.Operator, cues.Operator] = {"=": "!=", ">": "<=", "<": ">=", ">=": "<", "<=": ">", "!=": "="}
    return flipped[operator]


def _column_of_number(frame: Frame, span: Span, cue: Span | None) -> ColumnName | None:
    """The numeric or date column that a number belongs to: beside it, spoken of by an adjective, or a year."""
    if found := _column_of_adjective(frame, cue.start if cue is not None else span.start, cue):
        return found
    beside = _sides(frame, span, cue)
    if _year_like(span.text) or span.kind == "date":
        dated = next((c for s in beside for c in _columns(frame, s)[:3] if frame.scope.lexicon.is_date(c)
                      and _fits(frame, span, c)), None)
        plain = cue is not None and "than" in cue.cue or cue is not None and cue.cue in ("over", "above", "below", "under")
        adjacent = [s for s in beside if s.end == span.start or span.end == s.start]
        dated = dated or _column_beside(frame, span, [s for s in adjacent if s.kind == "columns" or s.senses[0].quality >= 0.9])
        found = dated or (None if plain else _date_column(frame, span))
        if found is not None:
            frame.used.update(s for s in beside if found in _columns(frame, s) and frame.scope.reading.region(s) == "f")
            return found
    return _column_beside(frame, span, beside)


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


def _column_beside(frame: Frame, span: Span, beside: Sequence[Span]) -> ColumnName | None:
    for side in beside:
        if frame.scope.table(side) and not _plays_column(frame, side):
            continue
        named = _columns(frame, side)
        close = [c for c in named[:3] if side.kind == "columns" or _quality(side, c) >= 0.6]
        found = next((c for c in close if _fits(frame, span, c) and (not frame.scope.lexicon.is_key(c) or _says_key(frame, side))), None)
        if found is not None:
            if side.end >= span.start or frame.scope.reading.region(side) == "f":
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
    if word in cues.ADJECTIVES and word not in ("before", "after", "since"):
        if (before := _subject_before(frame, place)) is None or frame.scope.table(before):
            return frame.column_for(cues.ADJECTIVES[word], frame.tables_before(place))
    reading = frame.scope.reading
    said = [w for w in reading.between(place - 2, place).split() if w in ("aged", "weighing", "weigh", "weighs", "weighed")]
    if said:
        return frame.column_for(cues.ADJECTIVES[said[-1]], frame.tables_before(place))
    if reading.between(place - 1, place + 5).find("years old") >= 0 or "year old" in reading.between(place - 1, place + 4):
        return frame.column_for(("age",), frame.tables_before(place))
    return None


def _columns(frame: Frame, span: Span) -> list[ColumnName]:
    return frame.scope.columns(span) if span.kind == "schema" else frame.columns_of(span)


def _plays_column(frame: Frame, span: Span) -> bool:
    lexicon = frame.scope.lexicon
    return any(s.column and s.quality >= 0.9 and not lexicon.is_key(ColumnName(s.table, s.column))
               and lexicon.is_numeric(ColumnName(s.table, s.column)) for s in span.senses)


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
    if _year_like(span.text) and lexicon.is_date(name):
        return True
    profile = lexicon.profiles.get(name)
    return profile is not None and profile.numeric_fraction >= 0.8


def _date_column(frame: Frame, span: Span) -> ColumnName | None:
    """The date or year column of the tables spoken of, nearest first."""
    lexicon, scope = frame.scope.lexicon, frame.scope
    tables = [t for s, t in sorted(scope.tables, key=lambda st: abs(st[0].start - span.start))]
    tables += [t for t in scope.favoured if t not in tables] + ([frame.entity] if frame.entity else [])
    first = next(iter(tables), "")
    others = sorted((scope.graph.distance(first, t.name), i, t.name) for i, t in enumerate(lexicon.schema.tables)) if first else []
    tables += [t for d, _, t in others if d <= 2.0]
    for table in dict.fromkeys(tables):
        held = [c for c in lexicon.words if c.table == table and lexicon.is_date(c) and not lexicon.is_key(c)
                and _could_hold(frame, c, span)]
        if held:
            return max(held, key=lambda c: (scope.links.get(c, 0.0), "year" in lexicon.words[c], "date" in lexicon.words[c]))
    return None


def _could_hold(frame: Frame, name: ColumnName, span: Span) -> bool:
    profile = frame.scope.lexicon.profiles[name]
    if profile.date_format:
        return True
    if span.kind == "date":
        return parse_date(profile.top_values[0]) is not None if profile.top_values else False
    return bool(profile.top_values) and _year_like(profile.top_values[0])


def _add_counted(frame: Frame, span: Span, operator: cues.Operator, cue: Span | None) -> None:
    """ "more than 3 models": how many rows of another table belong to each row wanted."""
    after = frame.next_span(span.end, ("schema",), 2)
    if after is None or span.kind != "number" or _year_like(span.text):
        return
    table = frame.scope.table(after) or next((c.table for c in frame.scope.columns(after)), "")
    if not table or not (cue or operator != "=" or frame.scope.reading.region(span) == "f"):
        return
    frame.used.update({span, after})
    frame.counted = table
    frame.per_entity = True
    frame.having.append(compared(exp.Count(this=exp.Star()), operator, number(span.text)))


