"""Evidence in BIRD's manner ("full name refers to first_name, last_name") turned into columns, conditions, formulas."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from nl2sql.models.rules.evidence_pieces import NotAnExpression, Resolver, pieces_of
from nl2sql.models.rules.expressions import read_expression
from nl2sql.models.rules.formulas import is_condition, multiplied
from nl2sql.models.rules.values import Values
from nl2sql.models.rules.words import tokenise
from nl2sql.rows import ColumnName

MAX_EVIDENCE = 4_000  # characters that are read
MAX_NESTING = 3  # "x refers to y refers to z": how far meanings are followed
CLAUSE_END = re.compile(
    r";|\.\s+(?=[A-Z'\"])|\.\s*$|\n|,\s*(?=(?!\s*it\s)(?:and\s+)?[^,;=()]{2,60}?\s(?:refers?|means?|stands?)\s(?:to|for|that)?)"
    r"|,\s*(?=[^,;=()]{2,40}?\s(?:is|are)\s(?:a|an|the)\s)"
)
LINK = re.compile(
    r"\s+(?:refers?(?:\s+to)?|means?(?:\s+that)?|stands?\s+for|is\s+represented\s+by|can\s+be\s+calculated\s+(?:by|as|using)"
    r"|represents?|indicates?|implies|denotes?|corresponds?\s+to|(?:is|are)\s+when|:)\s+",
    re.IGNORECASE,
)
IS_A = re.compile(
    r"^\s*(?:both\s+)?(?P<values>(?:'(?:[^']|'(?=\w))+'|\"[^\"]+\"|[^'\"=<>()]+?))\s+(?:is|are)\s+"
    r"(?:both\s+)?(?:the\s+|an?\s+)?(?P<what>[^'\"=<>()]+?)\s*$",
    re.IGNORECASE,
)
EQUATION = re.compile(r"^\s*(?P<phrase>[^=<>()'\"]{2,80}?)\s*=\s*(?P<formula>.+)$", re.DOTALL)
FRAGMENT = re.compile(r"\b\w[\w.]*\s*(?:=|<=?|>=?|!=)\s*(?:'[^']*'|\d+(?:\.\d+)?)")
JOINERS = re.compile(r"\s*(?:,\s*and\s|,|\band\b|\+|&|\bor\b)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Hint:
    """What one clause of the evidence says. `phrase` are the stems of what the question calls it."""

    phrase: tuple[str, ...]
    columns: tuple[ColumnName, ...] = ()
    conditions: tuple[exp.Expr, ...] = ()
    formula: exp.Expr | None = None
    value: str = ""  # "'Vice President' is a position": a value whose column is described by `meaning`
    meaning: tuple[str, ...] = ()
    must_anchor: bool = False  # an explanation: it holds only where the question speaks of it


def read_evidence(evidence: str, resolve: Resolver, values: Values) -> tuple[Hint, ...]:
    """The hints of a text, in its order. Prose that fits no form is passed over."""
    hints = [h for clause in _clauses(evidence[:MAX_EVIDENCE]) for h in _read_clause(clause, resolve, values)]
    return tuple(_chained(hints))


def _clauses(evidence: str) -> list[str]:
    """Cut at semicolons and full stops outside quotes."""
    hidden = re.sub(
        r"(?<!\w)'(?:[^'\n]|''|'(?=\w))*'|\"[^\"\n]*\"", lambda m: re.sub(r"[;.,:]", "\x00", m.group()), evidence
    )
    cuts = [0]
    for match in CLAUSE_END.finditer(hidden):
        cuts.extend((match.start(), match.end()))
    cuts.append(len(evidence))
    return [c for a, b in zip(cuts[::2], cuts[1::2], strict=False) if (c := evidence[a:b].strip(" ,.;"))]


def _read_clause(clause: str, resolve: Resolver, values: Values) -> list[Hint]:
    parts = LINK.split(clause, maxsplit=1)
    if len(parts) == 2:
        left, right = parts
        if hint := _reversed(left, right, resolve, values):
            return [hint]
        hint = _read_meaning(stems(left), right.strip(" ,."), resolve, values)
        return [hint] if hint else []
    try:
        return [_from_expression((), clause, resolve, values)]
    except NotAnExpression:
        pass
    equation = EQUATION.match(clause)
    hint = _read_meaning(stems(equation["phrase"]), equation["formula"], resolve, values) if equation else None
    if hint is not None and (hint.conditions or hint.columns or hint.formula is not None):
        return [hint]
    if match := IS_A.match(clause):
        return _read_kind(match["values"], match["what"], resolve)
    found = _read_tail(clause, resolve, values)
    stated = None if found else _read_fragments((), clause, resolve, values)
    return [stated] if stated else found


def _read_tail(clause: str, resolve: Resolver, values: Values) -> list[Hint]:
    """`attendance of over 20 students COUNT(event_id) > 20`: prose that runs into an expression."""
    words = list(re.finditer(r"\S+", clause))[1:30]
    for word in words:
        tail = clause[word.start() :]
        if not re.search(r"[=<>(]|\b(between|like|is not null|is null)\b", tail, re.IGNORECASE):
            break
        try:
            return [_from_expression(stems(clause[: word.start()]), tail, resolve, values)]
        except NotAnExpression:
            continue
    return []


def _reversed(left: str, right: str, resolve: Resolver, values: Values) -> Hint | None:
    """`remaining < 0 means that the cost exceeded the budget`: the condition first, its words after."""
    if not re.search(r"[=<>]|\bis null\b|\bis not null\b|\bbetween\b", left, re.IGNORECASE):
        return None
    left = re.sub(r"^\s*if\s+|,?\s*it\s*$", "", left, flags=re.IGNORECASE)
    try:
        hint = _from_expression(stems(right), left, resolve, values)
    except NotAnExpression:
        return None
    return replace(hint, must_anchor=True) if hint.conditions and hint.formula is None else None


def _read_meaning(phrase: tuple[str, ...], text: str, resolve: Resolver, values: Values, depth: int = 0) -> Hint | None:
    if depth > MAX_NESTING:
        return None
    columns = _column_list(text, resolve)
    if columns:
        return Hint(phrase, columns=columns)
    try:
        return _from_expression(phrase, text, resolve, values)
    except NotAnExpression:
        pass
    head, _, tail = _split_where(text)
    if tail:
        rest = _read_meaning(phrase, tail, resolve, values, depth + 1)
        listed = _column_list(head, resolve) or ()
        if rest is not None:
            formula = rest.formula
            if formula is None and not listed:
                return rest
            return replace(rest, columns=listed or rest.columns)
    if match := EQUATION.match(text):
        return _read_meaning(phrase + stems(match["phrase"]), match["formula"], resolve, values, depth + 1)
    further = LINK.split(re.sub(r"\b(?:which|that)\s+(?=refers?|means?)", "", text), maxsplit=1)
    if len(further) == 2 and (hint := _read_meaning(phrase, further[1].strip(" ,."), resolve, values, depth + 1)):
        return hint
    if ended := _read_tail(text, resolve, values):
        return replace(ended[0], phrase=phrase)
    if stated := _read_fragments(phrase, text, resolve, values):
        return stated
    if match := re.match(r"^(?:the\s+)?'?(?P<value>[^'=]+)'?$", text.strip()):
        return Hint(phrase, value=match["value"].strip(), meaning=stems(match["value"]))
    return None


def _read_fragments(phrase: tuple[str, ...], text: str, resolve: Resolver, values: Values) -> Hint | None:
    """The comparisons inside prose: "an excellent grade in which grade = 'A' for the course"."""
    found = []
    for match in FRAGMENT.finditer(text):
        try:
            condition, outside = read_expression(match.group(), resolve, values)
        except NotAnExpression:
            continue
        found.extend(c for c in (condition, *outside) if is_condition(c))
    return Hint(phrase, conditions=tuple(found)) if found else None


def _split_where(text: str) -> tuple[str, str, str]:
    match = re.search(r"\s(where|when|if|with|whose|in which)\s", text, re.IGNORECASE)
    return (text[: match.start()], match[1], text[match.end() :]) if match else (text, "", "")


def _from_expression(phrase: tuple[str, ...], text: str, resolve: Resolver, values: Values) -> Hint:
    found, outside = read_expression(text, resolve, values)
    if (
        isinstance(found, exp.EQ)
        and isinstance(found.this, exp.Column)
        and isinstance(found.expression, (exp.Max, exp.Min))
    ):
        found = found.expression
    if is_condition(found):
        columns = tuple(ColumnName(c.table, c.name) for c in outside if isinstance(c, exp.Column))
        return Hint(phrase, columns, (found, *(c for c in outside if is_condition(c))))
    conditions = tuple(c for c in outside if is_condition(c))
    if isinstance(found, exp.Column):
        return Hint(phrase, columns=(ColumnName(found.table, found.name),), conditions=conditions)
    if not list(found.find_all(exp.AggFunc)) and not list(found.find_all(exp.Column)):
        raise NotAnExpression(text)
    if "percent" in " ".join((*phrase, text.lower())) or "%" in text.replace("'", ""):
        found = _as_percentage(found)
    return Hint(phrase, conditions=conditions, formula=found)


def _as_percentage(found: exp.Expr) -> exp.Expr:
    hundred = any(literal.name in ("100", "100.0") for literal in found.find_all(exp.Literal))
    if hundred or not list(found.find_all(exp.Div)):
        return found
    return multiplied(found, exp.Literal.number("100"))


def _column_list(text: str, resolve: Resolver) -> tuple[ColumnName, ...]:
    """`first_name, last_name` or `the first_name and the last_name`; () when a part names no column."""
    found = []
    for part in JOINERS.split(text.strip(" .;,()")):
        pieces = pieces_of(re.sub(r"^(?:the|both|column)\s+", "", part.strip()))
        words = [p.value for p in pieces]
        column = resolve(words) if words and all(p.kind == "word" for p in pieces) else None
        if column is None:
            return tuple(dict.fromkeys(found)) if len(found) > 1 else ()
        found.append(column)
    return tuple(dict.fromkeys(found))


def _read_kind(values: str, what: str, resolve: Resolver) -> list[Hint]:
    """`'Vice President' is a position of the club`."""
    found = []
    for value in re.split(r"\s*(?:,|\band\b|&)\s*", values) if "'" not in values and '"' not in values else [values]:
        bare = value.strip(" '\"")
        if bare:
            found.append(Hint(stems(bare), value=bare, meaning=stems(what)))
    return found


def _chained(hints: Sequence[Hint]) -> list[Hint]:
    """ "Name of students means the full name; full name refers to first_name, last_name": follow the second."""
    by_phrase = {h.phrase: h for h in hints if h.columns or h.conditions or h.formula is not None}
    found = []
    for hint in hints:
        means = hint.value and hint.meaning == stems(hint.value)
        target = (
            by_phrase.get(tuple(w for w in hint.meaning if w not in ("the", "all", "list", "a", "to")))
            if means
            else None
        )
        found.append(replace(target, phrase=hint.phrase) if target is not None else hint)
    return found


def stems(text: str) -> tuple[str, ...]:
    """The stems of a phrase, without marks."""
    return tuple(t.stem for t in tokenise(text) if t.lower[0].isalnum())
