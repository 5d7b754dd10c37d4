"""The highest, the most, the most common, above the average: rows picked by comparing them with all rows."""

from sqlglot import exp

from nl2sql.models.rules import cues
from nl2sql.models.rules.frame import Condition, Frame
from nl2sql.models.rules.query import column
from nl2sql.models.rules.reading import Span
from nl2sql.models.rules.values import compared
from nl2sql.rows import ColumnName


def add_averages(frame: Frame) -> None:
    """ "above the average age", "older than average": a comparison with an aggregate of all rows."""
    for cue in frame.unused("compare"):
        aggregate = frame.next_span(cue.end, ("aggregate",), 2)
        if aggregate is None:
            extreme = frame.next_span(cue.end, ("superlative",), 1)
            if extreme is None or extreme.cue not in (
                "lowest",
                "highest",
                "minimum",
                "maximum",
                "smallest",
                "largest",
            ):
                continue
            aggregate, kind = extreme, "MIN" if cues.SUPERLATIVES[extreme.cue] == "ASC" else "MAX"
        else:
            kind = cues.AGGREGATES[aggregate.cue]
        if kind == "SUM":
            continue
        name = _compared_column(frame, cue, aggregate)
        if name is not None:
            frame.used.update({cue, aggregate})
            frame.conditions.append(_against(frame, name, kind, cues.COMPARISONS[cue.cue], cue.start))


def add_formula_averages(frame: Frame) -> None:
    """ "higher than the average order", when the evidence gives the average: rows are compared with it."""
    for span in frame.unused("formula"):
        formula = frame.anchors[int(span.cue)].hint.formula
        cue = frame.previous_span(span.start, ("compare",), 2)
        kind = {exp.Avg: "AVG", exp.Max: "MAX", exp.Min: "MIN"}.get(type(formula))
        if cue is None or kind is None or formula is None or not isinstance(formula.this, exp.Column):
            continue
        name = ColumnName(formula.this.table, formula.this.name)
        frame.used.update({cue, span})
        frame.conditions.append(_against(frame, name, kind, cues.COMPARISONS[cue.cue], cue.start))


def _compared_column(frame: Frame, cue: Span, aggregate: Span) -> ColumnName | None:
    after = frame.next_span(aggregate.end, ("schema", "columns"), 1)
    before = frame.previous_span(cue.start, ("schema", "columns"), 4)
    word = cue.cue.split()[0]
    for side in (after, before):
        found = next((c for c in (frame.columns_of(side) if side else []) if frame.scope.lexicon.is_numeric(c)), None)
        if side is not None and found is not None:
            if side is after or frame.scope.reading.region(side) == "f":
                frame.used.add(side)
            return found
    return frame.column_for(cues.ADJECTIVES[word]) if word in cues.ADJECTIVES else None


def _against(frame: Frame, name: ColumnName, kind: str, operator: str, start: int) -> Condition:
    function = {"AVG": exp.Avg, "MAX": exp.Max, "MIN": exp.Min}[kind]
    bare = column(name)
    bare.set("table", None)
    source = exp.Table(this=column(ColumnName(name.table, name.table)).this)
    subquery = exp.Subquery(this=exp.select(function(this=bare)).from_(source))
    return Condition(name, compared(column(name), operator, subquery), start, "compare")


def add_formula_extremes(frame: Frame) -> None:
    """MAX(x) and MIN(x) of the evidence pick a row; MAX(COUNT(x)) picks a group."""
    for span in frame.unused("formula"):
        _formula_extreme(frame, span, frame.anchors[int(span.cue)].hint.formula)
    for item in frame.anchors:
        if item.start < 0 and item.hint.formula is not None and isinstance(item.hint.formula, (exp.Max, exp.Min)):
            cue = next(iter(frame.unused("superlative", "frequency")), None)
            if cue is not None and not frame.order:
                _pick(frame, item.hint.formula, cue)


def _formula_extreme(frame: Frame, span: Span, formula: exp.Expr | None) -> None:
    if not isinstance(formula, (exp.Max, exp.Min)) or frame.order:
        return
    simple = isinstance(formula.this, exp.Column)
    if simple and _is_wanted_itself(frame, span):
        return
    _pick(frame, formula, span)


def _is_wanted_itself(frame: Frame, span: Span) -> bool:
    """ "What is the highest amount spent?" wants the amount; "which event has the highest amount" wants the event."""
    reading = frame.scope.reading
    if reading.region(span) != "h":
        return False
    other = [
        s
        for s in reading.spans
        if s.kind in ("schema", "columns", "count")
        and s.start < span.start
        and reading.region(s) == "h"
        and s not in frame.used
    ]
    asked = reading.between(span.start - 4, span.start).split()
    if any(a.hint.formula is not None and not isinstance(a.hint.formula, (exp.Max, exp.Min)) for a in frame.anchors):
        return False
    hinted = [
        s
        for s in reading.spans
        if s.kind == "columns"
        and reading.region(s) == "h"
        and s not in frame.used
        and "and" not in reading.between(span.end, s.start).split()
    ]
    return not other and not hinted and bool({"what", "what's", "how", "calculate", "find", "state"} & set(asked))


def _pick(frame: Frame, formula: exp.Expr, span: Span) -> None:
    descending = isinstance(formula, exp.Max)
    inner = formula.this
    aggregated = isinstance(inner, exp.AggFunc) or bool(list(inner.find_all(exp.AggFunc)))
    frame.used.add(span)
    inside = {(c.table, c.name) for c in inner.find_all(exp.Column)}
    for cue in frame.unused("superlative", "frequency"):
        if abs(cue.start - span.start) <= 8:
            frame.used.add(cue)
            named = frame.next_span(cue.end, ("schema",), 2) if not aggregated else None
            if named is not None and any((s.table, s.column) in inside for s in named.senses[:4]):
                frame.used.add(named)
    frame.order.append((inner.copy(), descending))
    frame.limit = _limit_near(frame, span) or 1
    frame.per_entity = frame.per_entity or aggregated
    counted = inner.this if aggregated and isinstance(inner, exp.AggFunc) else None
    if isinstance(counted, exp.Column) and not isinstance(inner, exp.Sum):
        name = ColumnName(counted.table, counted.name)
        if not frame.scope.lexicon.is_key(name) and not frame.group:
            frame.group = [name]


def _limit_near(frame: Frame, span: Span) -> int | None:
    """The 3 of "top 3" or "the three highest"."""
    if (stated := _stated_limit(frame)) is not None:
        return stated
    words = [t.lower for t in frame.scope.reading.tokens[max(span.start - 4, 0) : span.end + 1]]
    if not (
        {
            "top",
            "first",
            "last",
            "highest",
            "most",
            "lowest",
            "oldest",
            "youngest",
            "best",
            "largest",
            "biggest",
        }
        & set(words)
    ):
        return None
    for span_ in frame.scope.reading.spans:
        if span_.kind == "number" and span.start - 4 <= span_.start <= span.end and span_.text.isdigit():
            value = int(span_.text)
            if value <= 100:
                frame.used.add(span_)
                return value
    return None


def add_ordering(frame: Frame) -> None:
    """ "sorted by age in descending order": the rows stay, only their order is asked for."""
    reading = frame.scope.reading
    for span in frame.unused("order"):
        frame.used.add(span)
        end = next(
            (i for i in range(span.end, len(reading.tokens)) if reading.tokens[i].text in ".?!;"),
            len(reading.tokens),
        )
        inside = [s for s in reading.spans if span.end <= s.start < end]
        words = {t.lower for t in reading.tokens[span.start : end]}
        named = [(s, c) for s in inside if s.kind in ("schema", "columns") for c in frame.columns_of(s)]
        counted = any(s.kind == "count" for s in inside)
        frame.used.update(s for s in inside if s.kind in ("schema", "columns", "superlative", "count", "aggregate"))
        if not frame.order and (counted or named):
            subject = exp.Count(this=exp.Star()) if counted else column(named[0][1])
            frame.order.append((subject, bool(words & cues.DESCENDING)))


def _stated_limit(frame: Frame) -> int | None:
    """The 3 of "top three names with the highest price", wherever it stands."""
    reading = frame.scope.reading
    for span in reading.spans:
        before = reading.between(span.start - 1, span.start)
        if span.kind == "number" and span.text.isdigit() and before in ("top", "bottom") and int(span.text) <= 100:
            frame.used.add(span)
            return int(span.text)
    return None


def add_any(frame: Frame) -> None:
    """ "any three films": as many rows as are asked for, whichever."""
    reading = frame.scope.reading
    for span in frame.unused("number"):
        if reading.between(span.start - 1, span.start) == "any" and span.text.isdigit() and frame.limit is None:
            frame.used.add(span)
            frame.limit = int(span.text)


def add_superlatives(frame: Frame) -> None:
    """Superlatives in the question's own words, where the evidence has not given the column."""
    for span in frame.unused("frequency", "superlative", "aggregate"):
        if frame.order:
            return
        if span.kind == "aggregate" and (span.cue not in cues.SUPERLATIVES or frame.scope.reading.region(span) != "f"):
            continue
        if span.kind == "frequency":
            _add_frequency(frame, span)
        else:
            _add_superlative(frame, span)


def _add_frequency(frame: Frame, span: Span) -> None:
    """ "the most common hometown": the group with the most rows."""
    after = frame.next_span(span.end, ("schema", "columns"), 3)
    before = frame.previous_span(span.start, ("schema", "columns"), 4)
    name = next((c for s in (after, before) if s for c in frame.columns_of(s)), None)
    if name is None and after is not None and (table := frame.scope.table(after)):
        name = next(iter(frame.scope.lexicon.display[table]), None)
    if name is None:
        return
    frame.used.add(span)
    frame.group = [name]
    frame.order.append((exp.Count(this=exp.Star()), span.cue in cues.FREQUENCY))
    frame.limit = _limit_near(frame, span) or 1


def _add_superlative(frame: Frame, span: Span) -> None:
    descending = cues.SUPERLATIVES[span.cue] == "DESC"
    if span.cue in ("first", "last") and _is_part_of_name(frame, span):
        return
    counted = _counted_table(frame, span)
    if counted:
        frame.used.add(span)
        frame.counted, frame.per_entity = counted, True
        frame.order.append((exp.Count(this=exp.Star()), descending))
        frame.limit = _limit_near(frame, span) or 1
        return
    name, side = _superlative_column(frame, span)
    if name is None or frame.scope.lexicon.is_key(name):
        return
    if span.cue in cues.FLIPPED_BY_DATES and frame.scope.lexicon.is_date(name):
        descending = not descending
    if _wants_the_extreme(frame, span, side):
        return
    frame.used.add(span)
    if side is not None:
        frame.used.add(side)
    frame.order.append((column(name), descending))
    frame.limit = _limit_near(frame, span) or 1


def _is_part_of_name(frame: Frame, span: Span) -> bool:
    following = frame.scope.reading.between(span.end, span.end + 1)
    return following in ("name", "names", "and", "or", ",")


def _counted_table(frame: Frame, span: Span) -> str:
    """The table of "the most car makers", "the largest number of concerts", "the most number of pets"."""
    reading = frame.scope.reading
    counting = frame.next_span(span.end, ("count",), 1)
    after = frame.next_span(counting.end if counting else span.end, ("schema",), 2)
    if after is None:
        return ""
    table = frame.scope.table(after)
    numeric = (
        any(frame.scope.lexicon.is_numeric(c) for c in frame.scope.columns(after)[:1])
        and after.senses[0].quality >= 0.7
    )
    if counting is not None:
        frame.used.add(counting)
        if table or not numeric:
            frame.used.add(after)
            return table or next((c.table for c in frame.scope.columns(after)), "")
        return ""
    plain = span.cue in ("fewest", "least") or (span.cue == "most" and reading.region(span) == "f")
    if plain and table and not (numeric and after.senses[0].column):
        frame.used.add(after)
        return table
    return ""


def _superlative_column(frame: Frame, span: Span) -> tuple[ColumnName | None, Span | None]:
    after = frame.next_span(span.end, ("schema", "columns"), 2)
    counting = frame.next_span(span.end, ("count",), 1)
    named_so = frame.next_span(span.end, ("aggregate",), 0)
    if named_so is not None:
        senses = [s for s in frame.scope.lexicon.lookup([named_so.cue]) if s.column and s.quality >= 0.9]
        if senses:
            frame.used.add(named_so)
            return ColumnName(senses[0].table, senses[0].column), None
    if counting is not None:
        after = frame.next_span(counting.end, ("schema", "columns"), 2)
    if after is not None and not frame.scope.table(after):
        found = _orderable(frame, after)
        if found is not None:
            return found, after
    if span.cue in ("top", "best", "first", "last") and (ranked := _ranked_by(frame, span)) is not None:
        return _orderable(frame, ranked), ranked
    if span.cue in cues.ADJECTIVES:
        near = [frame.scope.table(after)] if after is not None and frame.scope.table(after) else []
        found = frame.column_for(cues.ADJECTIVES[span.cue], near)
        if found is not None:
            return found, None
    before = frame.previous_span(span.start, ("schema", "columns"), 3)
    if before is not None and not frame.scope.table(before) and frame.scope.reading.region(before) == "f":
        return _orderable(frame, before), before
    return None, None


def _ranked_by(frame: Frame, span: Span) -> Span | None:
    """The tonnage of "top 3 ships by tonnage"."""
    reading = frame.scope.reading
    for later in reading.spans:
        words = reading.between(later.start - 3, later.start).split()
        if later.start > span.end and later.kind in ("schema", "columns") and {"by", "based"} & set(words):
            return later
    return None


def _orderable(frame: Frame, span: Span) -> ColumnName | None:
    lexicon = frame.scope.lexicon
    found = frame.columns_of(span) if span.kind == "columns" else frame.scope.columns(span)
    return next((c for c in found if lexicon.is_numeric(c) or lexicon.is_date(c)), None)


def _wants_the_extreme(frame: Frame, span: Span, side: Span | None) -> bool:
    """ "What is the highest salary": the head itself, so MAX; with anything else wanted before, a row is picked."""
    reading = frame.scope.reading
    ranked = side is not None and {"by", "based"} & set(reading.between(side.start - 3, side.start).split())
    if side is None or ranked or reading.region(span) != "h":
        return False
    before = [
        s
        for s in reading.spans
        if s.start < span.start
        and s.kind in ("schema", "columns", "count")
        and reading.region(s) == "h"
        and s not in frame.used
    ]
    joint = reading.between(span.start - 2, span.start)
    if before and joint.split()[-1:] != ["and"] and "and the" not in joint:
        return False
    follows = reading.between(side.end, side.end + 1)
    return follows in ("of", "", "?", ".", "for", "in", "and", ",", "among", "from", "that", "on", "by") or not before
