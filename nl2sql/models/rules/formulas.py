"""Sums, quotients and aggregates with conditions, as a person means them."""

from sqlglot import exp

from nl2sql.models.rules.query import number


def multiplied(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """left * right; a quotient is multiplied above its line, so that floats round as in a * 100 / b."""
    inner = left.this if isinstance(left, exp.Paren) else left
    if isinstance(inner, exp.Div) and isinstance(right, exp.Literal):
        return exp.Div(
            this=exp.Mul(this=inner.this, expression=right),
            expression=inner.expression,
            typed=True,
            safe=True,
        )
    if isinstance(inner, exp.Literal) and isinstance(right, exp.Div):
        return multiplied(right, inner)
    return exp.Mul(this=grouped(left), expression=grouped(right))


def divided(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """left / right in floating point, as a person means it."""
    if left.find(exp.Cast) is None or isinstance(left, (exp.Sub, exp.Add)):
        left = exp.Cast(this=left, to=exp.DataType.build("REAL", dialect="sqlite"))
    return exp.Div(this=left, expression=grouped(right), typed=True, safe=True)


def grouped(expression: exp.Expr) -> exp.Expr:
    """The expression in brackets when it is arithmetic."""
    return exp.Paren(this=expression) if isinstance(expression, (exp.Add, exp.Sub, exp.Mul, exp.Div)) else expression


def where(value: exp.Expr, condition: exp.Expr) -> exp.Expr:
    """`COUNT(x) when y = 1` means COUNT(x when y = 1)."""
    if isinstance(value, exp.AggFunc):
        inner = value.this
        return aggregated(type(value).__name__.upper(), inner, condition) if is_condition(condition) else value
    return aggregated("SUM", value, condition)


def arithmetic(name: str, operands: list[exp.Expr]) -> exp.Expr:
    """The operands joined by + - * or /, from left to right."""
    if len(operands) < 2:
        return operands[0]
    left = operands[0]
    for right in operands[1:]:
        left, right = (as_value(left), as_value(right))
        if name == "/":
            left = divided(left, right)
        elif name == "*":
            left = multiplied(left, right)
        else:
            kind = {"-": exp.Sub, "+": exp.Add}[name]
            left = kind(this=grouped(left), expression=grouped(right))
    return left


def as_value(operand: exp.Expr) -> exp.Expr:
    """A bare condition inside a formula counts the rows that meet it."""
    return aggregated("SUM", operand, None) if is_condition(operand) else operand


def is_condition(expression: exp.Expr) -> bool:
    """Whether an expression is true or false rather than a value."""
    inner = expression.this if isinstance(expression, exp.Paren) else expression
    return isinstance(inner, (exp.Predicate, exp.Connector, exp.Not, exp.Between, exp.In, exp.Like, exp.Is))


def aggregated(name: str, value: exp.Expr, condition: exp.Expr | None) -> exp.Expr:
    """SUM, COUNT, AVG, MAX or MIN of a value, of a condition, or of a value where a condition holds."""
    if condition is not None and not is_condition(condition):
        condition = None
    if is_condition(value) and name in ("SUM", "COUNT", "AVG"):
        condition = value if condition is None else exp.and_(value, condition)
        value = number(1)
        name = "SUM" if name == "COUNT" else name
    elif condition is not None and name == "COUNT":
        name, value = "SUM", number(1)
    if condition is not None:
        case = exp.Case().when(condition, value)
        value = case.else_(number(0)) if (name in ("SUM", "AVG") and value == number(1)) or name == "SUM" else case
    kind = {"SUM": exp.Sum, "COUNT": exp.Count, "AVG": exp.Avg, "MAX": exp.Max, "MIN": exp.Min}[name]
    return kind(this=value)
