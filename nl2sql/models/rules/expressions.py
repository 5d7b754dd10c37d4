"""Read the expressions in which evidence is written: conditions, aggregates, DIVIDE(...), BETWEEN, YEAR(...)."""

import re

from sqlglot import exp

from nl2sql.models.rules.evidence_pieces import FUNCTIONS, NotAnExpression, Piece, Reader, Resolver, pieces_of
from nl2sql.models.rules.formulas import aggregated, arithmetic, divided, is_condition, multiplied, where
from nl2sql.models.rules.query import column, number, text
from nl2sql.models.rules.values import Values, compared
from nl2sql.rows import ColumnName

AGGREGATE = {"SUM", "COUNT", "AVG", "MAX", "MIN"}
CONNECTIVES = {
    "and",
    "or",
    "where",
    "when",
    "if",
    "for",
    "with",
    "between",
    "like",
    "is",
    "in",
    "not",
    "as",
    "whose",
    "that",
}
COMPARISON_SIGNS = ("=", "!=", "<>", "<", "<=", ">", ">=")
MAX_DEPTH = 12


def read_expression(clause: str, resolve: Resolver, values: Values) -> tuple[exp.Expr, tuple[exp.Expr, ...]]:
    """The expression that a clause is, and the conditions that stand after a formula ("... where x = 1").

    Raises NotAnExpression when the clause is prose.
    """
    reader = Reader(pieces_of(clause), resolve, values)
    found = _conditions(reader)
    while reader.word() in (
        "where",
        "when",
        "with",
        "if",
        "for",
        "and",
        "as",
        "percentage",
        "percent",
        "%",
        ",",
    ):
        connective = reader.word()
        reader.place += 1
        if connective in ("where", "when", "with", "if", "for", "and", ",") and reader.peek() is not None:
            reader.outside.append(_conditions(reader))
    if reader.peek() is not None:
        raise NotAnExpression(clause)
    return found, tuple(reader.outside)


def _conditions(reader: Reader) -> exp.Expr:
    left = _condition(reader)
    while reader.word() in ("and", "or"):
        place, connective = reader.place, reader.word()
        reader.place += 1
        try:
            right = _condition(reader)
        except NotAnExpression:
            right = _same_column(reader, left)
            if right is None:
                reader.place = place
                raise
        if is_condition(left) and isinstance(right, exp.Column):
            reader.place = place  # "x = 1 and courses refers to id": not a second condition
            break
        left = (exp.and_ if connective == "and" else exp.or_)(left, right)
    return left


def _same_column(reader: Reader, left: exp.Expr) -> exp.Expr | None:
    """`x = 'a' or 'b'`, `x > 5 and < 10`: the second condition leaves its column out."""
    last = left.expression if isinstance(left, (exp.And, exp.Or)) else left
    piece = reader.peek()
    if not isinstance(last, exp.Binary) or piece is None:
        return None
    operator = reader.word() if reader.word() in ("=", "!=", "<", ">", "<=", ">=") else ""
    reader.place += bool(operator)
    value = reader.peek()
    if value is None or value.kind not in ("text", "number"):
        return None
    reader.place += 1
    names = list(last.this.find_all(exp.Column))
    wanted = reader.values.literal(_name(names[0]), value.value) if len(names) == 1 else _literal(value)
    return (
        compared(last.this.copy(), operator, wanted)
        if operator
        else type(last)(this=last.this.copy(), expression=wanted)
    )


def _condition(reader: Reader) -> exp.Expr:
    left = _sum(reader)
    following = reader.peek()
    spare = following is not None and following.kind == "word" and following.value.lower() not in CONNECTIVES
    if isinstance(left, exp.Column) and spare and reader.word(1) in COMPARISON_SIGNS:
        reader.place += 1  # "Sentiment_Polarity score = 0.5"
    word = reader.word()
    if word in COMPARISON_SIGNS:
        reader.place += 1
        return _comparison(reader, left, word)
    if word == "between":
        reader.place += 1
        return _between(reader, left)
    if word == "like" and isinstance(left, exp.Column):
        reader.place += 1
        return exp.Like(this=left, expression=text(_value(reader).value))
    if (skipped := _containing(reader)) and isinstance(left, exp.Column):
        reader.place += skipped
        return exp.Like(this=left, expression=text(f"%{_value(reader).value}%"))
    if word == "in" and reader.word(1) == "(":
        reader.place += 2
        return _membership(reader, left)
    if word == "is" and reader.word(1) in ("not", "null"):
        reader.place += 1
        negated = reader.take("not")
        if not reader.take("null"):
            raise NotAnExpression(word)
        missing = exp.Is(this=left, expression=exp.Null())
        return exp.Not(this=missing) if negated else missing
    return left


def _containing(reader: Reader) -> int:
    """How many words say "which contains" before a literal, 0 when none do."""
    for size in (1, 2):
        piece = reader.peek(size)
        if (
            reader.word(size - 1) in ("contains", "containing", "contain", "includes")
            and piece
            and piece.kind == "text"
        ):
            return size
    return 0


def _comparison(reader: Reader, left: exp.Expr, operator: str) -> exp.Expr:
    operator = "!=" if operator == "<>" else operator
    piece = reader.peek()
    if piece is None:
        raise NotAnExpression(operator)
    if piece.kind in ("text", "number") and reader.word(1) not in ("*", "/", "+", "-"):
        reader.place += 1
        return _against_value(reader, left, operator, piece.value)
    if (piece.kind == "word" and piece.value.lower() in ("true", "false", "null", "none")) or piece.value == "-":
        reader.place += 1
        following = reader.peek()
        if piece.value == "-" and following is not None:
            reader.place += 1
            return compared(left, operator, number("-" + following.value))
        return _against_value(reader, left, operator, piece.value)
    place = reader.place
    try:
        return compared(left, operator, _sum(reader))
    except NotAnExpression:
        reader.place = place
        return _against_value(reader, left, operator, _bare_words(reader))


def _bare_words(reader: Reader) -> str:
    """A value without quotes: `state = New York`."""
    words = []
    while (piece := reader.peek()) is not None and piece.kind in ("word", "number"):
        if piece.value.lower() in CONNECTIVES:
            break
        words.append(piece.value)
        reader.place += 1
    if not words:
        raise NotAnExpression("value")
    return " ".join(words)


def _against_value(reader: Reader, left: exp.Expr, operator: str, value: str) -> exp.Expr:
    if isinstance(left, exp.Column):
        name = _name(left)
        if value.lower() in ("null", "none") and reader.values.spelled.get((name, value.casefold())) is None:
            missing = exp.Is(this=left, expression=exp.Null())
            return missing if operator == "=" else exp.Not(this=missing)
        if "%" in value and operator == "=" and not value.endswith(" %"):
            return exp.Like(this=left, expression=text(value))
        return reader.values.compare(name, operator, value)
    if isinstance(left, exp.Anonymous) and left.name in ("SUBSTR", "STRFTIME"):
        names = list(left.find_all(exp.Column))
        part = left.args.get("part", "")
        if names and part:
            return reader.values.in_part(_name(names[0]), part, operator, value)
        return compared(left, operator, text(value))
    return compared(left, operator, number(value.replace(",", "")) if _is_number(value) else text(value))


def _between(reader: Reader, left: exp.Expr) -> exp.Expr:
    low = _value(reader)
    if not reader.take("and"):
        raise NotAnExpression("between")
    high = _value(reader)
    if isinstance(left, exp.Column):
        return reader.values.between(_name(left), low.value, high.value)
    return exp.Between(this=left, low=_literal(low), high=_literal(high))


def _membership(reader: Reader, left: exp.Expr) -> exp.Expr:
    found = []
    while not reader.take(")"):
        value = _value(reader)
        found.append(
            reader.values.literal(_name(left), value.value) if isinstance(left, exp.Column) else _literal(value)
        )
        reader.take(",")
    return exp.In(this=left, expressions=found)


def _value(reader: Reader) -> Piece:
    piece = reader.peek()
    if piece is None or piece.kind not in ("text", "number"):
        raise NotAnExpression("value")
    reader.place += 1
    return piece


def _literal(piece: Piece) -> exp.Expr:
    return (
        number(piece.value.replace(",", ""))
        if piece.kind == "number" and _is_number(piece.value)
        else text(piece.value)
    )


def _is_number(value: str) -> bool:
    return re.fullmatch(r"-?\d[\d,]*(\.\d+)?", value) is not None


def _sum(reader: Reader) -> exp.Expr:
    left = _product(reader)
    while reader.word() in ("+", "-"):
        kind = exp.Add if reader.word() == "+" else exp.Sub
        reader.place += 1
        left = kind(this=left, expression=_product(reader))
    return left


def _product(reader: Reader) -> exp.Expr:
    left = _factor(reader)
    while reader.word() in ("*", "/", "%") and not (reader.word() == "%" and reader.peek(1) is None):
        word = reader.word()
        reader.place += 1
        if word == "%":
            continue
        right = _factor(reader)
        left = multiplied(left, right) if word == "*" else divided(left, right)
    return left


def _factor(reader: Reader) -> exp.Expr:
    reader.depth += 1
    if reader.depth > MAX_DEPTH:
        raise NotAnExpression("too deep")
    try:
        return _atom(reader)
    finally:
        reader.depth -= 1


def _atom(reader: Reader) -> exp.Expr:
    piece = reader.peek()
    if piece is None:
        raise NotAnExpression("end")
    if piece.kind == "number":
        reader.place += 1
        return _literal(piece)
    if piece.kind == "text" and reader.depth > 1:
        reader.place += 1
        return text(piece.value)
    if reader.take("("):
        inner = _conditions(reader)
        if not reader.take(")"):
            raise NotAnExpression("(")
        return exp.Paren(this=inner)
    name = FUNCTIONS.get(reader.word())
    if name is not None and reader.word(1) == "(":
        reader.place += 2
        return _call(reader, name)
    if name == "DISTINCT" and reader.peek(1) is not None:
        reader.place += 1
        return exp.Distinct(expressions=[_atom(reader)])
    return _column(reader)


def _column(reader: Reader) -> exp.Expr:
    """The longest run of words here that names a column."""
    words = []
    while (piece := reader.peek(len(words))) is not None and piece.kind in ("word", "number") and len(words) < 7:
        words.append(piece.value)
    for size in range(len(words), 0, -1):
        found = reader.resolve(words[:size])
        if found is not None:
            reader.place += size
            return column(found)
    raise NotAnExpression(" ".join(words))


def _call(reader: Reader, name: str) -> exp.Expr:
    arguments: list[tuple[exp.Expr, exp.Expr | None]] = []
    while not reader.take(")"):
        if reader.peek() is None:
            break  # evidence forgets closing brackets
        if reader.take("*"):
            arguments.append((exp.Star(), None))
        elif name == "STRFTIME" and (piece := reader.peek()) is not None and piece.kind == "text":
            reader.place += 1
            arguments.append((text(piece.value), None))
        else:
            arguments.append(_argument(reader))
        if not reader.take(",") and reader.word() not in (")", ""):
            raise NotAnExpression(name)
    if not arguments:
        raise NotAnExpression(name)
    if name in ("/", "-", "*", "+") and len(arguments) == 1 and reader.take(","):
        arguments.append(_argument(reader))  # SUBTRACT(SUM(a)), SUM(b)): a bracket too many
        reader.take(")")
    return _applied(reader, name, arguments)


def _argument(reader: Reader) -> tuple[exp.Expr, exp.Expr | None]:
    value = _conditions(reader)
    if reader.word() in ("where", "when", "if", "for", "with", "as"):
        reader.place += 1
        return value, _conditions(reader)
    return value, None


def _applied(reader: Reader, name: str, arguments: list[tuple[exp.Expr, exp.Expr | None]]) -> exp.Expr:
    value, condition = arguments[0]
    if name in AGGREGATE:
        more = [a for a, _ in arguments[1:] if is_condition(a)]
        condition = exp.and_(condition, *more) if more and condition is not None else condition
        if name == "SUM" and isinstance(value, exp.Column) and reader.values.lexicon.is_key(_name(value)):
            name = "COUNT"  # nobody adds up identifiers
        return aggregated(name, value, condition)
    if name in ("year", "month", "day"):
        if not isinstance(value, exp.Column):
            raise NotAnExpression(name)
        subject = reader.values.date_part(_name(value), name)
        if subject is not None:
            subject.set("part", name)
        return subject if subject is not None else value
    if name in ("/", "-", "*", "+"):
        operands = [a if c is None else where(a, c) for a, c in arguments]
        return arithmetic(name, operands)
    if name == "DISTINCT":
        return exp.Distinct(expressions=[value])
    return exp.Anonymous(this=name, expressions=[a for a, _ in arguments])


def _name(found: exp.Expr) -> ColumnName:
    assert isinstance(found, exp.Column)
    return ColumnName(found.table, found.name)
