"""Repairs of functions and syntax of other dialects, and of text compared with numbers."""

from collections.abc import Callable

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from nl2sql.online.repairs.failure import Facts, Failure, ParsedQuery, is_one_query, on_tree

DIALECTS = ("sqlite", "mysql", "postgres", "tsql")
PARTS = {"YEAR": "%Y", "MONTH": "%m", "DAY": "%d", "HOUR": "%H", "MINUTE": "%M", "SECOND": "%S"}
ARITHMETIC: dict[str, type[exp.Binary]] = {
    "ADD": exp.Add,
    "PLUS": exp.Add,
    "SUBTRACT": exp.Sub,
    "MINUS": exp.Sub,
    "MULTIPLY": exp.Mul,
    "DIVIDE": exp.Div,
}
WRAPPED_DATES = (exp.TsOrDsToDate, exp.Date, exp.TsOrDsToTimestamp, exp.Cast)


def translate_dialect(failure: Failure) -> str | None:
    """Say in SQLite what MySQL, PostgreSQL, SQL Server or BIRD's evidence (DIVIDE, SUBTRACT) say in their own way.

    Only for a statement that does not run: CONCAT, YEAR, EXTRACT, LEFT, IF, ILIKE, TOP, casts with '::' and such.
    """
    if not _is_foreign(failure.error) or not is_one_query(failure.sql):
        return None
    for dialect in DIALECTS:
        try:
            trees = sqlglot.parse(failure.sql, read=dialect)
            if len(trees) != 1 or not isinstance(trees[0], exp.Query):
                continue
            sql = trees[0].transform(_translate).sql("sqlite")
        except (SqlglotError, RecursionError):
            continue
        if sql != failure.sql:
            return sql
    return None


def _is_foreign(error: str) -> bool:
    signs = ("no such function", "syntax error", "unrecognized token", "wrong number of arguments")
    return any(sign in error for sign in signs)


def _translate(node: exp.Expr) -> exp.Expr:
    for kind, translate in TRANSLATIONS.items():
        if isinstance(node, kind):
            return translate(node)
    return node


def _part(code: str) -> Callable[[exp.Expr], exp.Expr]:
    return lambda node: _date_part(node.this, code)


def _date_part(value: exp.Expr, code: str) -> exp.Expr:
    while isinstance(value, WRAPPED_DATES):
        value = value.this
    text = exp.Anonymous(this="STRFTIME", expressions=[exp.Literal.string(code), value.copy()])
    return exp.cast(text, "INTEGER")


def _extract(node: exp.Expr) -> exp.Expr:
    code = PARTS.get(node.name.upper())
    return _date_part(node.expression, code) if code else node


def _concat(node: exp.Expr) -> exp.Expr:
    first, *rest = node.expressions
    for value in rest:
        first = exp.DPipe(this=first, expression=value)
    return exp.paren(first, copy=False)


def _arithmetic(node: exp.Expr) -> exp.Expr:
    kind = ARITHMETIC.get(str(node.this).upper())
    if kind is None or len(node.expressions) != 2:
        return node
    left, right = (exp.paren(e, copy=False) for e in node.expressions)
    if kind is exp.Div:
        left = exp.cast(left, "REAL")
    return exp.paren(kind(this=left, expression=right), copy=False)


def _left(node: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="SUBSTR", expressions=[node.this, exp.Literal.number(1), node.expression])


def _right(node: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="SUBSTR", expressions=[node.this, exp.Neg(this=node.expression)])


TRANSLATIONS: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Year: _part("%Y"),
    exp.Month: _part("%m"),
    exp.Day: _part("%d"),
    exp.Extract: _extract,
    exp.Concat: _concat,
    exp.Left: _left,
    exp.Right: _right,
    exp.Anonymous: _arithmetic,
}


@on_tree
def quote_date_part(query: ParsedQuery, facts: Facts) -> bool:
    """Compare the text that STRFTIME and SUBSTR give with text: in SQLite no text equals a number."""
    changed = False
    for comparison in query.tree.find_all(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In):
        sides = [comparison.this, comparison.expression, comparison.args.get("low"), comparison.args.get("high")]
        sides += comparison.args.get("expressions") or []
        texts = [s for s in sides if isinstance(s, exp.TimeToStr | exp.Substring)]
        for number in [s for s in sides if isinstance(s, exp.Literal) and not s.is_string]:
            if texts:
                number.replace(exp.Literal.string(number.name.zfill(_width(texts[0]))))
                changed = True
    return changed


def _width(text: exp.Expr) -> int:
    """How many digits the text has: 4 for a year, 2 for a month."""
    if isinstance(text, exp.TimeToStr):
        return 4 if text.args["format"].name == "%Y" else 2
    length = text.args.get("length")
    return int(length.name) if isinstance(length, exp.Literal) and length.name.isdigit() else 0
