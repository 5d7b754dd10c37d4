"""Repairs of the text around and inside a statement that does not even parse."""

import re

from nl2sql.online.repairs.failure import STRING_OR_NAME, Failure
from nl2sql.schema import quote

# Where a statement ends and something else begins; the quoted parts are matched first and so skipped.
END = re.compile(
    STRING_OR_NAME + r"|(?P<end>;|```|\\|\n\s*\n|\b(?:Comment|Explanation|Note|Answer|Question)\s*:)", re.I
)
START = re.compile(r"\b(?:SELECT|WITH)\b", re.I)
FENCE = re.compile(r"```[ \t]*(?:\w+[ \t]*\n)?(.*?)(?:```|$)", re.S)
WORDS = r"[^\W\d][\w'.&-]*(?:[ ][^\W\d][\w'.&-]*)*"
BARE_WORDS = re.compile(rf"(?P<sign>=|<>|\bLIKE\b)\s*(?P<words>{WORDS})", re.I)
KEYWORD = re.compile(r"\s+(?:AND|OR|GROUP|ORDER|LIMIT|HAVING|UNION|EXCEPT|INTERSECT|THEN)\b.*$", re.I)


def take_first_statement(failure: Failure) -> str | None:
    """Keep the first query of a text: no Markdown fence, no words before or after it, no second statement."""
    if failure.outcome != "error":
        return None
    text = failure.sql
    if fenced := FENCE.search(text):
        text = fenced.group(1)
    start = START.search(text)
    if start is None:
        return None
    text = text[start.start() :]
    end = next((m.start() for m in END.finditer(text) if m.group("end")), len(text))
    text = text[:end].strip()
    return text if text != failure.sql.strip().rstrip(";").strip() else None


def double_apostrophes(failure: Failure) -> str | None:
    """Double the apostrophe inside a word: 'Women's', and what other languages write as 'Women\\'s'."""
    if not _is_syntax_error(failure):
        return None
    text = re.sub(r"\\'", "''", failure.sql)
    text = re.sub(r"(?<=[^\W\d_])'(?=[^\W\d_])", "''", text)
    return text if text != failure.sql else None


def close_quote(failure: Failure) -> str | None:
    """Close the quote that is open at the end of the text."""
    if not failure.error.startswith("unrecognized token"):
        return None
    rest = re.sub(STRING_OR_NAME, "", failure.sql)
    quotes = [c for c in rest if c in "'\""]
    return failure.sql.rstrip().rstrip(";") + quotes[0] if len(quotes) == 1 else None


def quote_names(failure: Failure) -> str | None:
    """Quote the schema's names that SQLite does not read as names: with spaces or signs in them, or keywords."""
    near = re.search(r'near "(.*)": syntax error', failure.error)
    schema = failure.facts.schema
    names = {c.column for c in schema.column_names} | {t.name for t in schema.tables}
    wanted = [n for n in names if not re.fullmatch(r"\w+", n) or (near and n.casefold() == near.group(1).casefold())]
    text = failure.sql
    for name in sorted(wanted, key=len, reverse=True):
        pattern = re.compile(rf"{STRING_OR_NAME}|(?P<name>(?<!\w){re.escape(name)}(?!\w))", re.I)
        text = pattern.sub(lambda m, name=name: quote(name) if m.group("name") else m.group(), text)
    return text if text != failure.sql else None


def quote_words(failure: Failure) -> str | None:
    """Quote the bare words after a comparison when they are, as a whole, a cell of the database."""
    if not _is_syntax_error(failure):
        return None

    def quoted(match: re.Match[str]) -> str:
        found = KEYWORD.sub("", match.group("words"))
        rest = match.group("words")[len(found) :]
        is_cell = any(c.value.casefold() == found.casefold() for c in failure.facts.cells_like(found))
        if not is_cell:
            return match.group()
        return f"{match.group('sign')} '" + found.replace("'", "''") + "'" + rest

    text = BARE_WORDS.sub(quoted, failure.sql)
    return text if text != failure.sql else None


def bare_words(sql: str) -> list[str]:
    """Give the bare words after comparisons: they may be cells."""
    return [KEYWORD.sub("", m.group("words")) for m in BARE_WORDS.finditer(sql)]


def quote_dates(failure: Failure) -> str | None:
    """Quote a bare date: without quotes 2019-08-20 is the number 1991."""
    pattern = re.compile(STRING_OR_NAME + r"|(?P<date>(?<![\w-])\d{4}-\d{1,2}-\d{1,2}(?![\w-]))")
    text = pattern.sub(lambda m: f"'{m.group()}'" if m.group("date") else m.group(), failure.sql)
    return text if text != failure.sql else None


def drop_repeated_distinct(failure: Failure) -> str | None:
    """Keep the first DISTINCT of `SELECT DISTINCT a, DISTINCT b`."""
    if 'near "DISTINCT"' not in failure.error:
        return None
    text = re.sub(r",\s*DISTINCT\b", ",", failure.sql, flags=re.I)
    return text if text != failure.sql else None


def _is_syntax_error(failure: Failure) -> bool:
    return "syntax error" in failure.error or "unrecognized token" in failure.error
