"""The tokens of evidence, and the place of a reader among them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from nl2sql.models.rules.values import Values
from nl2sql.rows import ColumnName

PIECES = re.compile(
    r"(?<!\w)'(?P<single>(?:[^']|''|'(?=\w))*)'|\"(?P<double>[^\"]*)\"|[“‘](?P<curly>[^”’]*)[”’]|`(?P<tick>[^`]*)`"
    r"|(?P<number>(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?![\w.]*[A-Za-z_]))|(?P<word>[^\W\d][\w./#&?-]*\w|\w+)"
    r"|(?P<operator><\s?=|>\s?=|<>|!\s?=|==|[=<>+\-*/(),%])"
)


Resolver = Callable[[Sequence[str]], ColumnName | None]


class NotAnExpression(ValueError):
    """The text is prose, or names a column that does not exist."""


# What evidence calls a function, and what it is: an SQL name, an operator or a part of a date.
FUNCTIONS = {
    "sum": "SUM",
    "count": "COUNT",
    "avg": "AVG",
    "average": "AVG",
    "max": "MAX",
    "min": "MIN",
    "divide": "/",
    "divde": "/",
    "subtract": "-",
    "substract": "-",
    "subtraction": "-",
    "multiply": "*",
    "add": "+",
    "year": "year",
    "month": "month",
    "day": "day",
    "distinct": "DISTINCT",
    "strftime": "STRFTIME",
    "abs": "ABS",
    "round": "ROUND",
    "substr": "SUBSTR",
    "substring": "SUBSTR",
    "instr": "INSTR",
    "lower": "LOWER",
    "upper": "UPPER",
    "date": "DATE",
    "julianday": "JULIANDAY",
    "multiplication": "*",
    "addition": "+",
    "division": "/",
    "avgerage": "AVG",
    "length": "LENGTH",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A token of evidence: kind is text, number, word or operator."""

    kind: str
    value: str


@dataclass
class Reader:
    """A recursive descent over the pieces of one clause."""

    pieces: list[Piece]
    resolve: Resolver
    values: Values
    place: int = 0
    depth: int = 0
    outside: list[exp.Expr] = field(default_factory=list)  # conditions that follow a whole formula

    def peek(self, offset: int = 0) -> Piece | None:
        """The piece at the place, None at the end."""
        index = self.place + offset
        return self.pieces[index] if index < len(self.pieces) else None

    def word(self, offset: int = 0) -> str:
        """The lower-case word or operator at the place, '' at the end or before a literal."""
        piece = self.peek(offset)
        return piece.value.lower() if piece is not None and piece.kind in ("word", "operator") else ""

    def take(self, value: str) -> bool:
        """Step over this word or operator when it stands here."""
        if self.word() == value:
            self.place += 1
            return True
        return False


def pieces_of(clause: str) -> list[Piece]:
    """The tokens of a clause of evidence."""
    found = []
    for match in PIECES.finditer(clause):
        kind = match.lastgroup or ""
        value = match[kind]
        if kind in ("single", "double", "curly"):
            kind, value = "text", value.replace("''", "'")
        elif kind == "tick":
            kind = "word"
        elif kind == "operator":
            value = value.replace(" ", "").replace("==", "=")
        found.append(Piece(kind, value))
    return found
