"""What remains of a question or a query when names and values are masked: how it asks, not what it asks about."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

VALUE, NUMBER, DATE, COLUMN, BLANK = "<value>", "<number>", "<date>", "<column>", "_"
LONGEST_QUESTION = 4000  # characters that are masked and kept; a skeleton of more says nothing

MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?"
DAY = r"\d{1,2}(?:st|nd|rd|th)?"
DATE_PATTERN = (
    rf"\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{1,4}}|{MONTH}\s+{DAY},?\s+\d{{4}}|{DAY}\s+(?:of\s+)?{MONTH},?\s+\d{{4}}"
)
DATES = re.compile(rf"(?<![\w])(?:{DATE_PATTERN})(?!\w)", re.IGNORECASE)
QUOTED = re.compile(r"""(?<!\w)(?:"[^"]+"|'[^']+(?:'(?=\w)[^']*)*'|“[^”]+”|‘[^’]+’|`[^`]+`|«[^»]+»)(?!\w)""")
NUMBERS = re.compile(r"(?<!\w)[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\w)")
CAPITALISED = re.compile(
    r"(?<!\w)[^\W\d_a-z]\S*?(?:[\s]+(?:(?:of|the|de|der|den|du|la|van|von|&)\s+)*[^\W\d_a-z][^\s,;:?!]*)*(?=[\s,;:?!.)]|$)"
)
WORD = re.compile(r"\w+(?:['’]\w+)*")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9\u0080-\U0010ffff]+")

# Capitalised because a sentence starts with them, or always: no entities.
STARTERS = frozenset(
    """
    a about according after all also among an and any are as at average based be before between both by
    calculate can compare compute consider could count did display do does draw during each find for from
    give given had has have he her here his how how's i id identify if in into is it its let lets list me
    mention more most name no of on or order out over per percentage please provide return select she
    should show since some sort sql state sum tell than that the their them there they this to under was
    we were what what's whats when where which while who who's whom whose why will with within would write
    you your
    """.split()  # noqa: SIM905
)


class SqlNames(NamedTuple):
    """The strings that a query compares with and the column names that it uses, each once, in order."""

    literals: tuple[str, ...]
    columns: tuple[str, ...]


def mask_question(question: str, literals: Iterable[str] = (), columns: Iterable[str] = ()) -> str:
    """The skeleton of a question: quoted texts, given literals and names become <value>, numbers <number>, dates
    <date>, words of the given column names <column>.

    `literals` are values known to be meant, whatever their case; `columns` are names as the database spells them.
    Without either only what can be seen in the text is masked. Questions are cut at LONGEST_QUESTION characters.
    """
    text = question[:LONGEST_QUESTION]
    taken: list[tuple[int, int, str]] = []
    for start, end, mark in _spans(text, literals, columns):
        if all(end <= a or start >= b for a, b, _ in taken):
            taken.append((start, end, mark))
    for start, end, mark in sorted(taken, reverse=True):
        text = f"{text[:start]}{mark}{text[end:]}"
    return re.sub(rf"({VALUE}|{COLUMN})(?:\s+\1)+", r"\1", " ".join(text.split()))


def _spans(text: str, literals: Iterable[str], columns: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    """Everything that could be masked, the surest first."""
    for match in QUOTED.finditer(text):
        yield *match.span(), VALUE
    for match in DATES.finditer(text):
        yield *match.span(), DATE
    for literal in sorted(set(literals), key=len, reverse=True):
        if literal.strip() and not NUMBERS.fullmatch(literal):
            pattern = rf"(?<!\w){re.escape(literal.strip())}(?!\w)"
            yield from ((*m.span(), VALUE) for m in re.finditer(pattern, text, re.IGNORECASE))
    for match in NUMBERS.finditer(text):
        yield *match.span(), NUMBER
    yield from _column_spans(text, columns)
    yield from _entities(text)


def _column_spans(text: str, columns: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    phrases = {tuple(_stem(w) for w in CAMEL.split(c) if w) for c in columns}
    words = [(m.start(), m.end(), _stem(m.group())) for m in WORD.finditer(text)]
    for phrase in sorted((p for p in phrases if p), key=lambda p: (-len(p), p)):
        for i in range(len(words) - len(phrase) + 1):
            if all(w[2] == p for w, p in zip(words[i:], phrase, strict=False)):
                yield words[i][0], words[i + len(phrase) - 1][1], COLUMN


def _stem(word: str) -> str:
    """A word without case and English plural: cities, boxes and names read as city, box and name."""
    word = word.casefold()
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _entities(text: str) -> Iterator[tuple[int, int, str]]:
    """Runs of capitalised words, without the words that merely start a sentence."""
    for match in CAPITALISED.finditer(text):
        start, end = match.span()
        words = list(WORD.finditer(text, start, end))
        while words and words[0].group().casefold() in STARTERS:
            words.pop(0)
        while words and words[-1].group().casefold() in STARTERS:
            words.pop()
        if words and not (len(words) == 1 and _starts_sentence(text, words[0].start())):
            yield words[0].start(), words[-1].end(), VALUE


def _starts_sentence(text: str, position: int) -> bool:
    before = text[:position].rstrip()
    return not before or before[-1] in ".?!"


def sql_skeleton(sql: str) -> str:
    """A query with tables, columns and values blanked to `_`, aliases dropped, keywords in upper case.

    A statement that does not parse is blanked word by word; one that cannot be cut into words gives ''.
    """
    tree = _parsed(sql)
    if tree is None:
        return _blanked_words(sql)
    try:
        return _blanked(tree)
    except (SqlglotError, RecursionError, ValueError):
        return _blanked_words(sql)


def _blanked(tree: exp.Expr) -> str:
    blanked = tree.transform(_blank)
    return blanked.sql(dialect="sqlite", comments=False, copy=False) if blanked else ""


def _blank(node: exp.Expr) -> exp.Expr | None:
    if isinstance(node, exp.Column | exp.Literal | exp.Null | exp.Boolean):
        keep = isinstance(node, exp.Column) and isinstance(node.this, exp.Star)
        return node if keep or isinstance(node, exp.Null) else exp.to_identifier(BLANK)
    if isinstance(node, exp.Table):
        return exp.Table(this=exp.to_identifier(BLANK))
    if isinstance(node, exp.Alias):
        return node.this.transform(_blank, copy=False)
    if isinstance(node, exp.Subquery) and node.alias:
        node.set("alias", None)
    return node


def _blanked_words(sql: str) -> str:
    try:
        tokens = sqlglot.tokenize(sql, dialect="sqlite")
    except SqlglotError:
        return ""
    names = {TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER}
    return " ".join(BLANK if t.token_type in names else t.text.upper() for t in tokens)


def sql_names(sql: str) -> SqlNames:
    """The string literals and column names of a query; both empty when it does not parse."""
    tree = _parsed(sql)
    if tree is None:
        return SqlNames((), ())
    literals = [n.name.strip("%_ ") for n in tree.find_all(exp.Literal) if n.is_string]
    columns = [n.name for n in tree.find_all(exp.Column) if not isinstance(n.this, exp.Star)]
    return SqlNames(tuple(dict.fromkeys(v for v in literals if v)), tuple(dict.fromkeys(columns)))


@lru_cache(maxsize=64)
def _parsed(sql: str) -> exp.Expr | None:
    """The syntax tree, shared between callers: transform copies it, nothing may change it."""
    try:
        return sqlglot.parse_one(sql, dialect="sqlite")
    except (SqlglotError, RecursionError):
        return None
