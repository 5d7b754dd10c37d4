"""SQL as text, read by SQLite's lexical rules and without a parser, so that broken SQL is read too."""

import re
from collections.abc import Iterator

# What SQLite's tokenizer takes as a whole; an unfinished string or comment reaches to the end of the text.
PIECE = re.compile(
    r"""(?P<string>'[^']*(?:''[^']*)*'?)
      | (?P<name>"[^"]*(?:""[^"]*)*"? | `[^`]*(?:``[^`]*)*`? | \[[^\]]*\]?)
      | (?P<comment>--[^\n]* | /\*(?:.|\n)*?(?:\*/|\Z))
      | (?P<space>[ \t\n\f\r]+)
      | (?P<end>;)
      | (?P<code>[^'"`\[\-/ \t\n\f\r;]+ | .)""",
    re.VERBOSE,
)
QUERIES = ("SELECT", "WITH", "VALUES", "(")  # how a query begins
BROKEN = "\t\n\r"
BREAKS = re.compile(f"[{BROKEN}]")
BREAKS_KEPT = re.compile(f"([{BROKEN}])")


def pieces(sql: str) -> Iterator[tuple[str, str]]:
    """The text in pieces, each with its kind: string, name (quoted), comment, space, end (;) or code."""
    for found in PIECE.finditer(sql):
        yield found.lastgroup or "", found.group()


def count_statements(sql: str) -> int:
    """How many statements there are, as Python's sqlite3 counts them: comments and blanks are none."""
    count, inside = 0, False
    for kind, _ in pieces(sql):
        if kind == "end":
            inside = False
        elif kind not in ("space", "comment") and not inside:
            count, inside = count + 1, True
    return count


def first_word(sql: str) -> str:
    """The first word or sign of the statement in upper case, '' for none."""
    text = next((text for kind, text in pieces(sql) if kind not in ("space", "comment", "end")), "")
    return text.upper()


def one_line(sql: str) -> str:
    """The same statement without line breaks and tabs, comments and closing semicolons.

    A break inside a string becomes char(..), which gives the same value wherever an expression may stand. One inside
    a quoted name has no other spelling and stays.
    """
    parts: list[str] = []
    for kind, text in pieces(sql):
        if kind in ("space", "comment"):
            parts.append(" ")
        else:
            parts.append(_spelled_out(text) if kind == "string" and BREAKS.search(text) else text)
    return re.sub(r"[ ;]+$", "", "".join(_single_spaced(parts))).strip(" ")


def _single_spaced(parts: list[str]) -> Iterator[str]:
    last = ""
    for part in parts:
        if part != " " or last != " ":
            yield part
        last = part


def _spelled_out(string: str) -> str:
    if string.count("'") % 2:  # unfinished: broken SQL stays broken, on one line
        return BREAKS.sub(" ", string)
    texts = [text for text in BREAKS_KEPT.split(string[1:-1]) if text]
    return f"({' || '.join(f'char({ord(t)})' if t in BROKEN else _quoted(t) for t in texts)})"


def _quoted(text: str) -> str:
    return f"'{text}'"
