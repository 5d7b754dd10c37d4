"""Numbers, years and dates of the question with their comparisons become conditions."""

from sqlglot import exp

from nl2sql.models.rules import cues
from nl2sql.models.rules.anchors import literals_in
from nl2sql.models.rules.filters_from_evidence import stated_literals
from nl2sql.models.rules.frame import Condition, Frame
from nl2sql.models.rules.number_columns import column_of_number, year_like
from nl2sql.models.rules.query import number
from nl2sql.models.rules.reading import Span
from nl2sql.models.rules.values import compared
from nl2sql.rows import ColumnName

NEGATED: dict[cues.Operator, cues.Operator] = {"=": "!=", ">": "<=", "<": ">=", ">=": "<", "<=": ">", "!=": "="}
FLIPPED: dict[cues.Operator, cues.Operator] = {"=": "=", ">": "<", "<": ">", ">=": "<=", "<=": ">=", "!=": "!="}


def add_numbers(frame: Frame) -> None:
    """Numbers, years and dates with their comparisons become conditions on the column that stands near."""
    said = stated_literals(frame) | literals_in(frame.having)
    for span in frame.unused("number", "date"):
        if span.text in said or span in frame.used or _is_limit(frame, span):
            continue
        _add_number(frame, span)


def _is_limit(frame: Frame, span: Span) -> bool:
    before = frame.previous_span(span.start, ("superlative", "frequency"), 0)
    after = frame.next_span(span.end, ("superlative",), 0)
    return (before is not None and before.cue in ("top", "first", "last", "best")) or (
        after is not None and span.kind == "number"
    )


def _add_number(frame: Frame, span: Span) -> None:
    between = _range(frame, span)
    operator, cue = _operator(frame, span)
    name = column_of_number(frame, span, cue)
    if name is None and (earlier := _listed_before(frame, span)):
        name, operator = earlier
    if name is None:
        _add_counted(frame, span, operator, cue)
        return
    frame.used.add(span)
    if cue is not None and cue.cue.split()[0] in cues.FLIPPED_BY_DATES and frame.scope.lexicon.is_date(name):
        operator = FLIPPED[operator]  # older ships were built earlier
    if between is not None:
        frame.used.add(between)
        found = frame.scope.values.between(name, span.text, between.text)
    elif _is_whole_year(frame, span, name):
        found = frame.scope.values.in_part(name, "year", operator, span.text)
    else:
        found = frame.scope.values.compare(name, operator, span.text)
    frame.conditions.append(
        Condition(name, found, span.start, "equal" if operator == "=" and not between else "compare")
    )


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
    return (
        span.kind == "number"
        and year_like(span.text)
        and profile is not None
        and profile.date_format.startswith("%")
        and profile.longest > 4
    )


def _range(frame: Frame, span: Span) -> Span | None:
    """The upper end of "between 5 and 10" or "from 5 to 10"."""
    reading = frame.scope.reading
    before = reading.between(span.start - 2, span.start)
    following = frame.next_span(span.end, ("number", "date"), 2)
    if following is None:
        return None
    joint = reading.between(span.end, following.start)
    opened = ("between" in before and joint in ("and", "to")) or (
        "from" in before.split() and joint in ("to", "until", "through")
    )
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
            operator = "=" if cue.cue == "from" else cues.COMPARISONS[cue.cue]
            return _negated(frame, cue, operator), cue
    words = reading.between(span.start - 5, span.start).split()
    if "than" in words:
        rest = [w for w in words[: words.index("than")] if w in cues.COMPARATIVES]
        if rest:
            return (
                "<" if rest[-1] in ("less", "fewer", "lower", "smaller", "younger", "lighter", "shorter") else ">"
            ), None
    return _negated(frame, span, "="), None


def _negated(frame: Frame, span: Span, operator: cues.Operator) -> cues.Operator:
    before = frame.previous_span(span.start, ("negation",), 3)
    if before is None or before in frame.used or before.cue in ("without", "except", "excluding"):
        return operator
    frame.used.add(before)
    return NEGATED[operator]


def _add_counted(frame: Frame, span: Span, operator: cues.Operator, cue: Span | None) -> None:
    """ "more than 3 models": how many rows of another table belong to each row wanted."""
    after = frame.next_span(span.end, ("schema",), 2)
    if after is None or span.kind != "number" or year_like(span.text):
        return
    table = frame.scope.table(after) or next((c.table for c in frame.scope.columns(after)), "")
    if not table or not (cue or operator != "=" or frame.scope.reading.region(span) == "f"):
        return
    frame.used.update({span, after})
    frame.counted = table
    frame.per_entity = True
    frame.having.append(compared(exp.Count(this=exp.Star()), operator, number(span.text)))
