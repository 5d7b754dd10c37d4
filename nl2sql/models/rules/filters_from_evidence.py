"""Conditions: from the evidence, from matched cells, from numbers with comparisons."""

import re
from collections.abc import Sequence

from sqlglot import exp

from nl2sql.models.rules.anchors import literals_in
from nl2sql.models.rules.frame import Condition, Frame
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


def _is_counted(condition: exp.Expr, formulas: Sequence[exp.Expr]) -> bool:
    """Whether a formula already counts the rows that meet this condition: filtering by it would make 100 % of it."""
    wanted = condition.sql()
    return any(case.this.sql() == wanted for f in formulas for case in f.find_all(exp.If))


def _add_aggregate_condition(frame: Frame, condition: exp.Expr) -> None:
    """`COUNT(x) > 5` filters groups; `cost > AVG(cost)` filters rows against all rows."""
    if isinstance(condition, exp.Binary) and isinstance(condition.this, exp.Column):
        name = ColumnName(condition.this.table, condition.this.name)
        frame.conditions.append(Condition(name, _against_all(condition, name), -1, "evidence"))
    elif not frame.having:
        frame.having.append(condition)


def _against_all(condition: exp.Binary, name: ColumnName) -> exp.Expr:
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
    if not wanted or value.casefold() in stated_literals(frame):
        return
    holders = [c for (c, text) in spelled if text == value.casefold()]
    if not holders and " " in value and all(w.casefold() in known for w in value.split()):
        return  # a person's full name: its parts are found on their own
    scored = [
        (len(wanted & set(lexicon.words[c])) + 0.5 * len(wanted & set(lexicon.table_words[c.table])), c)
        for c in (holders or [])
    ]
    if not scored and value.casefold() not in known:
        scored = [
            (len(wanted & set(w)) - 0.05 * len(w) + 0.6 * len(wanted & set(lexicon.table_words[c.table])), c)
            for c, w in lexicon.words.items()
            if wanted & set(w) and not lexicon.is_key(c)
        ]
        if not any(ch.isupper() or ch.isdigit() for ch in value):
            return
    asked = frame.scope.reading.question.casefold()
    if not holders and re.search(rf"(?<!\w){re.escape(value.casefold())}(?!\w)", asked) is None:
        return
    best = max(scored, default=(0.0, None), key=lambda s: s[0])
    if best[1] is not None and best[0] >= 0.9:
        frame.conditions.append(Condition(best[1], frame.scope.values.compare(best[1], "=", value), start, "evidence"))


def stated_literals(frame: Frame) -> set[str]:
    """The literals of all conditions and formulas so far, casefolded."""
    formulas = [a.hint.formula for a in frame.anchors if a.hint.formula is not None]
    return literals_in([c.expression for c in frame.conditions] + formulas)


def covered(literal: str, said: set[str]) -> bool:
    """Whether a literal, or what it is a part of, has been said already."""
    bare = literal.strip("'\" ")
    return any(
        bare == s
        or (len(bare) > 2 and re.search(rf"\b{re.escape(bare)}\b", s))
        or (len(s) > 3 and not s.isdigit() and re.search(rf"\b{re.escape(s)}\b", bare))
        for s in said
    )
