"""Find where in the question each hint of the evidence speaks, and put it there in place of what stood there."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from nl2sql.models.rules.evidence import Hint
from nl2sql.models.rules.reading import Span
from nl2sql.models.rules.vocabulary import STOPWORDS
from nl2sql.models.rules.words import Token

LEAST_OVERLAP = 0.5
LIGHT = STOPWORDS - {
    "name",
    "names",
    "id",
    "ids",
    "year",
    "month",
    "day",
    "date",
    "time",
    "type",
    "kind",
    "number",
    "value",
    "first",
    "last",
    "average",
    "total",
    "most",
    "least",
    "more",
    "less",
    "top",
    "new",
    "old",
}


@dataclass(frozen=True)
class Anchor:
    """A hint and its window of tokens; -1, -1 when the question does not hold its words."""

    hint: Hint
    start: int
    end: int


def anchor(hints: Sequence[Hint], tokens: Sequence[Token]) -> tuple[Anchor, ...]:
    """Place every hint at the tightest window that holds most of its phrase's words."""
    found = []
    for hint in hints:
        start, end = _window(hint.phrase, tokens)
        if start >= 0 and hint.columns and not hint.conditions and hint.formula is None:
            end = _trimmed(hint.phrase, tokens, start, end)
        found.append(Anchor(hint, start, end))
    return tuple(found)


def _trimmed(phrase: Sequence[str], tokens: Sequence[Token], start: int, end: int) -> int:
    """The end of the first unbroken run of the phrase's words: "name" of "name and date of events"."""
    for i in range(start, end):
        if tokens[i].stem not in phrase and tokens[i].lower not in (
            "of",
            "the",
            "a",
            "an",
            "all",
            "for",
            "'s",
            "'",
        ):
            return i
    while end - 1 > start and tokens[end - 1].text[0].isdigit():
        end -= 1  # "course ID 18": the number is the column's value
    return end


def _window(phrase: Sequence[str], tokens: Sequence[Token]) -> tuple[int, int]:
    wanted = [w for w in phrase if w not in LIGHT] or list(phrase)
    if not wanted:
        return (-1, -1)
    places = [i for i, t in enumerate(tokens) if t.stem in wanted or _alike(t.stem, wanted)]
    best, window = 0.0, (-1, -1)
    limit = 2 * len(phrase) + 4
    for a, start in enumerate(places):
        for end in places[a : a + len(wanted) + 2]:
            if end - start >= limit:
                break
            held = {tokens[i].stem for i in places if start <= i <= end}
            share = len(held) / len(set(wanted))
            score = share - 0.02 * (end - start - len(held) + 1)
            if share >= LEAST_OVERLAP and score > best:
                best, window = score, (start, end + 1)
    return window


def _alike(word: str, wanted: Sequence[str]) -> bool:
    return len(word) > 5 and any(len(w) > 5 and w[:5] == word[:5] for w in wanted)


def place(anchors: Sequence[Anchor], spans: Sequence[Span], tokens: Sequence[Token]) -> tuple[Span, ...]:
    """The spans with those of hints among them. A hint hides the spans inside its window that it explains."""
    added = [s for i, a in enumerate(anchors) if a.start >= 0 for s in [_span_of(i, a)] if s is not None]
    kept = [s for s in spans if not any(_hides(a, s, anchors, tokens) for a in added)]
    chosen: list[Span] = []
    for span in sorted(added, key=lambda s: (s.kind == "columns", s.end - s.start)):
        if not any(span.start < c.end and c.start < span.end and c.kind == span.kind for c in chosen):
            chosen.append(span)
    return tuple(sorted([*kept, *chosen], key=lambda s: (s.start, s.end)))


def _span_of(index: int, item: Anchor) -> Span | None:
    hint = item.hint
    if hint.columns and not hint.conditions and hint.formula is None:
        return Span(item.start, item.end, "columns", str(index))
    kind = (
        "formula" if hint.formula is not None else "condition" if hint.conditions else "columns" if hint.columns else ""
    )
    return Span(item.start, item.end, kind, str(index)) if kind else None


def _hides(hint: Span, span: Span, anchors: Sequence[Anchor], tokens: Sequence[Token]) -> bool:
    if span.kind in ("value", "schema") and hint.kind != "columns":
        said = {t.stem for t in tokens[span.start : span.end] if t.lower[0].isalnum() and t.stem not in LIGHT}
        if not said <= set(anchors[int(hint.cue)].hint.phrase):
            return False
    if hint.kind == "columns" and span.kind == "count" and hint.start < span.end and span.start < hint.end:
        return bool({"number", "count", "amount"} & set(anchors[int(hint.cue)].hint.phrase))
    inside = hint.start <= span.start and span.end <= hint.end
    if not inside:
        return False
    if hint.kind == "columns":
        said = anchors[int(hint.cue)].hint
        return span.kind == "schema" and _speaks_of(span, said)
    if hint.kind == "condition":
        return span.kind in (
            "value",
            "number",
            "date",
            "compare",
            "superlative",
            "negation",
            "aggregate",
        ) or (span.kind == "schema" and bool(span.senses[0].column))
    return span.kind in ("aggregate", "superlative", "compare", "number", "frequency", "count", "value") or (
        span.kind == "schema" and _is_inside(span, anchors[int(hint.cue)].hint.formula)
    )


def _is_inside(span: Span, formula: exp.Expr | None) -> bool:
    """Whether a column of a formula is named; one that MAX(COUNT(..)) counts is wanted itself."""
    if formula is None or (isinstance(formula, (exp.Max, exp.Min)) and formula.this.find(exp.AggFunc)):
        return False
    said = {(s.table, s.column) for s in span.senses[:4]}
    if not isinstance(formula, (exp.Max, exp.Min)):
        return bool(span.senses[0].column)
    return any((c.table, c.name) in said for c in formula.find_all(exp.Column))


def _speaks_of(span: Span, hint: Hint) -> bool:
    """Whether a phrase inside the window belongs to the hint: "location" in "name and location of events" does not."""
    columns = {(c.table, c.column) for c in hint.columns}
    if any((s.table, s.column) in columns for s in span.senses):
        return True
    return bool(span.words) and set(span.words) <= set(hint.phrase)


def literals_in(expressions: Sequence[exp.Expr]) -> set[str]:
    """The literals of expressions, casefolded: what the evidence has said need not be read again in the question."""
    found = set()
    for expression in expressions:
        for literal in expression.find_all(exp.Literal):
            found.add(literal.name.casefold().strip("%"))
    return found
