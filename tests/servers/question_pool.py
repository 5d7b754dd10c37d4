"""Which question a prompt is about, and SQL that recorded systems, or small mistakes, make of it."""

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nl2sql.benchmarks import load_benchmark
from nl2sql.prompts.fences import harmless
from nl2sql.rows import Database, Question
from nl2sql.scoring.predictions import load_predictions

TAIL = 3_000  # characters at the end of a prompt where the question is looked for first
WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Known:
    """A question with the SQL that there is for it and the columns of its database (table -> columns)."""

    question: Question
    pool: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]


def luck(*said: object) -> int:
    """A large number that depends on nothing but what is said."""
    return int.from_bytes(hashlib.sha256(repr(said).encode("utf-8", "surrogatepass")).digest()[:8], "big")


class QuestionPool:
    """The questions of a dataset, found by their text."""

    def __init__(self, dataset: str, predictions: str = "", systems: Sequence[str] = ()) -> None:
        benchmark = load_benchmark(dataset)
        written = _written(predictions, systems) if predictions else {}
        columns = {d.db_id: read_columns(d) for d in benchmark.databases if not d.error}
        self._known = {
            harmless(q.question).strip(): Known(q, written.get(q.question_id) or mutations(q), columns[q.db_id])
            for q in benchmark.questions
            if q.db_id in columns
        }
        self.columns = columns

    def find(self, text: str) -> Known | None:
        """The question that stands last in a text; of those that contain each other the longest."""
        for part in (text[-TAIL:], text):
            places = [(part.rfind(q) + len(q), len(q), q) for q in self._known if q in part]
            if places:
                return self._known[max(places)[2]]
        return None


def _written(path: str, systems: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for item in load_predictions(Path(path)).items:
        if item.is_text and item.sql.strip() and (not systems or item.model in systems):
            found.setdefault(item.question_id, []).append(item.sql.strip())
    return {key: tuple(sqls) for key, sqls in found.items()}


def read_columns(database: Database) -> dict[str, tuple[str, ...]]:
    """Table -> its columns."""
    connection = sqlite3.connect(f"{Path(database.path).resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        tables = [
            row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        ]
        named = {t: connection.execute("SELECT name FROM pragma_table_info(?)", (t,)).fetchall() for t in tables}
    finally:
        connection.close()
    return {table: tuple(name for (name,) in rows) for table, rows in named.items()}


def mutations(question: Question) -> tuple[str, ...]:
    """The gold SQL, three times as likely as each of the mistakes that can be made in it."""
    gold = question.gold_sql
    wrong = (
        re.sub(r"\bDISTINCT\s+", "", gold),
        re.sub(r"\bSELECT\s+(?!DISTINCT|COUNT|SUM|AVG|MIN|MAX)", "SELECT DISTINCT ", gold, count=1),
        re.sub(r"\bCOUNT\((?!\*)", "COUNT(DISTINCT ", gold, count=1),
        re.sub(r"'([^']+)'", lambda m: "'" + m[1].swapcase() + "'", gold, count=1),
        re.sub(r"\bDESC\b", "ASC", gold),
        re.sub(r">=?", "<", gold, count=1),
        re.sub(r"\s+WHERE\s+.*?(?=\s+(?:GROUP|ORDER|LIMIT)\b|$)", "", gold, count=1, flags=re.DOTALL),
        re.sub(r"\bSELECT\s+(\w+)", r"SELECT \1_of", gold, count=1),
        gold[: len(gold) * 2 // 3],
    )
    return (gold, gold, gold, *(sql for sql in wrong if sql != gold))


def used_columns(sql: str, columns: Mapping[str, Iterable[str]]) -> list[tuple[str, str]]:
    """Columns of the tables that a query names, as far as their names stand in it; a sketch, not a parser."""
    words = {word.casefold() for word in re.findall(r"\w+", sql)} | {
        q.casefold() for q in re.findall(r"[`\"\[]([^`\"\]]+)", sql)
    }
    return [
        (table, column)
        for table, names in columns.items()
        if table.casefold() in words
        for column in names
        if column.casefold() in words
    ]


def literals(question: str) -> list[str]:
    """What a reader would look up: quoted text, numbers, capitalised words after the first."""
    quoted = [a or b for a, b in re.findall(r"[\"“]([^\"”]+)[\"”]|'([^']{2,})'", question)]
    numbers = re.findall(r"\b\d[\d./:-]*\b", question)
    names = re.findall(r"(?<!^)(?<![.?!] )\b[A-Z][\w-]*(?: [A-Z][\w-]*)*", question)
    return list(dict.fromkeys([*quoted, *names, *numbers]))


def keywords(question: str) -> list[str]:
    """The longer words."""
    return list(dict.fromkeys(word for word in WORD.findall(question) if len(word) > 3))[:12]
