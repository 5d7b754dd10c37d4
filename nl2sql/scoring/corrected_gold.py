"""Gold SQL that somebody has corrected, from a file of its own, put in the place of the benchmark's.

A JSON list of objects, one such object per line, or a JSON object of question id to SQL or to such an object:

    {"question_id": 7, "SQL": "SELECT ...", "db_id": "shop"}      also sql, gold, gold_sql or query; db_id optional

Ids may be numbers or text. Corrected questions or evidence, which some of these files hold too, are not read.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nl2sql.benchmarks import Problem
from nl2sql.errors import UserError
from nl2sql.rows import Question
from nl2sql.scoring.predictions import SEPARATOR

SQL_KEYS = ("SQL", "sql", "gold", "gold_sql", "query")
NAMED_IDS = 5  # how many question ids a problem names


@dataclass(frozen=True)
class Correction:
    """The corrected gold SQL of one question; `db_id` is '' where the file does not say."""

    question_id: str
    db_id: str
    sql: str


@dataclass(frozen=True)
class Corrections:
    """What a file holds, in its order, and what of it could not be read."""

    items: tuple[Correction, ...]
    problems: tuple[Problem, ...]


def load_corrections(path: str | Path) -> Corrections:
    """Read a file of corrected gold SQL; an entry that is none is left out and reported.

    Raises UserError when the file cannot be read or holds no correction.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); give a JSON or JSON lines file in UTF-8") from error
    problems: list[Problem] = []
    items = [
        c
        for where, key, entry in _entries(text, path, problems)
        if (c := _correction(where, key, entry, problems)) is not None
    ]
    if not items:
        first = f": {problems[0].where}: {problems[0].what}" if problems else ""
        raise UserError(
            f"{path}: holds no corrected gold{first}. Give it a list of {{'question_id': ..., 'SQL': ...}} or an object"
            " of question id to SQL"
        )
    return Corrections(tuple(items), tuple(problems))


def _entries(text: str, path: Path, problems: list[Problem]) -> Iterator[tuple[str, Any, Any]]:
    """Where an entry stands, the key it stands under (None without one), and what stands there."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        yield from _lines(text, path, problems)
        return
    if isinstance(whole, dict) and "question_id" not in whole:
        yield from ((f"{path}, key {key!r}", key, value) for key, value in whole.items())
        return
    items = whole if isinstance(whole, list) else [whole]
    yield from ((f"{path}, entry {place}", None, item) for place, item in enumerate(items))


def _lines(text: str, path: Path, problems: list[Problem]) -> Iterator[tuple[str, Any, Any]]:
    for place, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield f"{path}:{place}", None, json.loads(line)
            except (ValueError, RecursionError) as error:
                problems.append(Problem(f"{path}:{place}", f"is not JSON ({error}): left out"))


def _correction(where: str, key: Any, entry: Any, problems: list[Problem]) -> Correction | None:
    held = entry if isinstance(entry, dict) else {"SQL": entry}
    key = held.get("question_id", key)
    sql = next((held[name] for name in SQL_KEYS if name in held), None)
    if isinstance(key, bool) or not isinstance(key, (int, str)):
        problems.append(Problem(where, "has no question_id: left out"))
        return None
    if not isinstance(sql, str) or not sql.strip():
        problems.append(Problem(where, f"has no SQL under {', '.join(SQL_KEYS)}: left out"))
        return None
    sql, _, db_id = sql.partition(SEPARATOR)
    named = held.get("db_id", db_id.strip())
    return Correction(str(key), named if isinstance(named, str) else "", sql)


def correct_golds(
    corrections: Corrections, questions: Sequence[Question]
) -> tuple[tuple[Question, ...], frozenset[str], list[Problem]]:
    """The questions with corrected gold SQL, the ids of those whose gold is now another, and what was not used.

    Questions without a correction keep their gold. Of an id that stands more than once the first counts; one that no
    question has, and one for another database than the question's, is left out and reported.
    """
    by_id = {q.question_id: q for q in questions}
    chosen: dict[str, str] = {}
    unknown, repeated, other = [], [], []
    for item in corrections.items:
        question = by_id.get(item.question_id)
        if question is None:
            unknown.append(item.question_id)
        elif item.db_id and item.db_id != question.db_id:
            other.append(item.question_id)
        elif item.question_id in chosen:
            repeated.append(item.question_id)
        else:
            chosen[item.question_id] = item.sql
    corrected = tuple(replace(q, gold_sql=chosen.get(q.question_id, q.gold_sql)) for q in questions)
    changed = frozenset(c.question_id for c, q in zip(corrected, questions, strict=True) if c.gold_sql != q.gold_sql)
    kinds = (
        (unknown, "of questions that are not in the benchmark: left out"),
        (other, "for another database than the question's: left out"),
        (repeated, "that stand more than once: the first counts"),
    )
    return corrected, changed, [_problem(ids, what) for ids, what in kinds if ids]


def _problem(ids: Sequence[str], what: str) -> Problem:
    more = ", ..." if len(ids) > NAMED_IDS else ""
    return Problem("corrected gold", f"{len(ids)} corrections {what} ({', '.join(ids[:NAMED_IDS])}{more})")
