"""Which training questions can be learnt from: those whose gold SQL runs as our own SQL must, and returns something."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import SqlglotError

from nl2sql.execution import ExecutionResult, Limits, execute_many
from nl2sql.normalise_style import quote_strings
from nl2sql.rows import ColumnName, Question
from nl2sql.schema import Schema
from nl2sql.sql_edits import parse_query, write_sql
from nl2sql.sql_usage import UnreadableSQL, read_usage


@dataclass(frozen=True)
class CheckedGold:
    """A question with the SQL to learn, and what it gives. `fault` says why it is not to be learnt, '' when it is."""

    question: Question
    sql: str
    result: ExecutionResult | None  # None without a database
    fault: str

    @property
    def verified(self) -> bool:
        """Whether it was executed."""
        return self.result is not None


def check_golds(
    questions: Sequence[Question], schema: Schema, database_path: str, limits: Limits, empty_is_wrong: bool
) -> list[CheckedGold]:
    """Clean and execute the gold SQL of questions on one database; '' for `database_path` when there is none.

    Faults: no SQL, SQL that cannot be read, error, timeout, too_large, and with `empty_is_wrong` empty and all_null.
    """
    written = [clean_sql(q.gold_sql, schema) for q in questions]
    if not database_path:
        return [CheckedGold(q, s, None, _unread(s)) for q, s in zip(questions, written, strict=True)]
    results = execute_many([(database_path, sql or "SELECT") for sql in written], limits)
    return [
        CheckedGold(q, sql, result, _unread(sql) or _fault(result, empty_is_wrong))
        for q, sql, result in zip(questions, written, results, strict=True)
    ]


def clean_sql(sql: str, schema: Schema) -> str:
    """A query as it is to be learnt: one line, no comments, no closing semicolon, strings in single quotes.

    '' for what is no query. A query that needs none of this stays as it was written.
    """
    tree = parse_query(sql.strip().rstrip(";"))
    if tree is None:
        return ""
    before = write_sql(tree)
    try:
        quote_strings(tree, schema)
    except (SqlglotError, RecursionError):
        return ""
    plain = " ".join(sql.strip().rstrip(";").split())
    dirty = write_sql(tree) != before or "--" in sql or "/*" in sql or _spaced_strings(tree)
    return write_sql(tree) if dirty else plain


def needed_columns(sql: str, schema: Schema) -> tuple[ColumnName, ...]:
    """The columns that a query reads, and one of each table of which it reads none; all when that cannot be said."""
    try:
        used = list(read_usage(sql, schema).columns)
    except UnreadableSQL:
        return schema.column_names
    tree = parse_query(sql)
    named = {t.name.casefold() for t in tree.find_all(exp.Table)} if tree else set()
    seen = {c.table.casefold() for c in used}
    bare = [t for t in schema.tables if t.name.casefold() in named - seen and t.columns]
    return (*used, *(ColumnName(t.name, (*t.primary_key, t.columns[0].name)[0]) for t in bare))


def _spaced_strings(tree: exp.Expr) -> bool:
    """Whether blanks inside a string or a name count, so that the text cannot be put on one line by words."""
    texts = [n.name for n in tree.find_all(exp.Literal, exp.Identifier)]
    return any(" ".join(t.split()) != t for t in texts)


def _unread(sql: str) -> str:
    return "" if sql else "gold: is no query that can be read"


def _fault(result: ExecutionResult, empty_is_wrong: bool) -> str:
    if not result.ran:
        return f"gold: {result.outcome}: {' '.join(result.error.split())[:200]}".rstrip(": ")
    return f"gold: {result.outcome}" if empty_is_wrong and result.outcome != "ok" else ""
