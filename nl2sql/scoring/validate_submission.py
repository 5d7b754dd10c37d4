"""What gets a submission rejected or scored against the wrong questions, found before it is sent.

Stricter than scoring (predictions.py), which makes the best of a file: here everything that an official script would
stumble over, or silently read otherwise than its author meant, is a fault.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from nl2sql.rows import Question
from nl2sql.scoring.predictions import SEPARATOR
from nl2sql.scoring.sql_text import QUERIES, count_statements, first_word

FAULTS = {
    "encoding": "the file is not UTF-8, or begins with a byte order mark, which official scripts do not skip",
    "not_json": "the file is not one JSON object",
    "duplicate_key": "a key stands twice: only the last entry is read",
    "missing": "a question has no entry or line",
    "unknown": "an entry or line belongs to no question",
    "order": "the entries are not in the order of the questions: official scripts ignore keys",
    "not_string": "the value is not a string",
    "separator": "not SQL, tab, '----- bird -----', tab, db_id",
    "wrong_database": "the db_id is not the question's",
    "blank": "there is no SQL",
    "line_break": "a tab, a line break or a NUL inside the SQL",
    "several_statements": "more than one statement",
    "no_query": "the SQL begins neither with SELECT nor with WITH",
}
BREAKS = ("\t", "\n", "\r", "\0")
SHOWN = 60  # characters of a value in a fault
ORDER_SHOWN = 3  # misplaced entries that are named; one misplaced entry moves all others


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. `kind` is of FAULTS."""

    where: str  # key, line or file
    kind: str
    what: str


def validate_submission(content: bytes, questions: Sequence[Question]) -> tuple[str, list[Fault]]:
    """Check the bytes of a predictions file against the questions; its format ('bird' or 'spider') and its faults.

    A file that begins with { or [ is taken for BIRD's JSON, any other for Spider's text. BIRD keys are question ids,
    or positions from 0 when not all of them are ids. Whether the SQL runs is not looked at: `nl2sql score` tells.
    """
    faults: list[Fault] = []
    if content.startswith(b"\xef\xbb\xbf"):
        faults.append(Fault("file", "encoding", "begins with a byte order mark: save it as UTF-8 without one"))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"not UTF-8 at byte {error.start}: save it as UTF-8"
        return _format(content.decode("latin-1")), [Fault("file", "encoding", what)]
    file_format = _format(text)
    found = _bird_faults(text, questions) if file_format == "bird" else _spider_faults(text, questions)
    return file_format, [*faults, *found]


def _format(text: str) -> str:
    return "bird" if text.lstrip()[:1] in ("{", "[") else "spider"


def _bird_faults(text: str, questions: Sequence[Question]) -> Iterator[Fault]:
    try:
        pairs = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        yield Fault("file", "not_json", f"{error}: write it with a JSON library" if str(error) else "nested too deeply")
        return
    if not isinstance(pairs, _Pairs):
        yield Fault("file", "not_json", f"holds a JSON {type(pairs).__name__}, not an object of question id to SQL")
        return
    repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    yield from (Fault(f"key {_shown(key)}", "duplicate_key", "stands more than once") for key in repeated)
    entries = dict(pairs)
    by_key = _questions_by_key(entries, questions)
    yield from _key_faults(list(entries), by_key)
    for key, value in entries.items():
        if key in by_key:
            yield from _entry_faults(f"key {key!r}", value, by_key[key])


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its repeated keys."""


def _questions_by_key(keys: Iterable[str], questions: Sequence[Question]) -> dict[str, Question]:
    by_id = {q.question_id: q for q in questions}
    by_position = {str(place): q for place, q in enumerate(questions)}
    asked = set(keys)
    # Of a file with a few unknown keys, the reading that knows more of them is the one that was meant.
    return by_position if len(asked & by_position.keys()) > len(asked & by_id.keys()) else by_id


def _key_faults(keys: Sequence[str], questions: dict[str, Question]) -> Iterator[Fault]:
    present = set(keys)
    for key, question in questions.items():
        if key not in present:
            yield Fault(f"key {key!r}", "missing", f"no entry for this question on {question.db_id}")
    for key in keys:
        if key not in questions:
            yield Fault(f"key {_shown(key)}", "unknown", "no question of the benchmark has this id")
    known = [key for key in keys if key in questions]
    wanted = [key for key in questions if key in present]
    moved = [(key, other) for key, other in zip(known, wanted, strict=True) if key != other]
    for key, other in moved[:ORDER_SHOWN]:
        yield Fault(f"key {key!r}", "order", f"stands where {other!r} belongs")
    if len(moved) > ORDER_SHOWN:
        yield Fault("file", "order", f"{len(moved) - ORDER_SHOWN} more entries are out of order")


def _entry_faults(where: str, value: Any, question: Question) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield Fault(where, "not_string", f"holds {_shown(value)}")
        return
    sql, separator, db_id = value.partition(SEPARATOR)
    if not separator or SEPARATOR in db_id:
        times = "twice" if separator else "not"
        yield Fault(where, "separator", f"tab, '----- bird -----', tab stands {times} in it: {_shown(value)}")
    elif db_id != question.db_id:
        yield Fault(where, "wrong_database", f"says {_shown(db_id)}, the question is about {question.db_id!r}")
    yield from _sql_faults(where, sql if separator else value)


def _spider_faults(text: str, questions: Sequence[Question]) -> Iterator[Fault]:
    # Only \n and \r end a line for Python's open(); str.splitlines knows more.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n") if text else []
    for number, (line, question) in enumerate(zip_longest(lines, questions), 1):
        where = f"line {number}"
        if line is None:
            yield Fault(where, "missing", f"no line for question {question.question_id} on {question.db_id}")
        elif question is None:
            yield Fault(where, "unknown", f"there are only {len(questions)} questions: {_shown(line)}")
        else:
            yield from _line_faults(where, line, question)


def _line_faults(where: str, line: str, question: Question) -> Iterator[Fault]:
    sql, *more = line.split("\t")
    # A gold file's SQL, tab, db_id is read too, but what else follows a tab is cut off.
    if len(more) == 1 and more[0].strip() and " " not in more[0].strip():
        if more[0].strip() != question.db_id:
            yield Fault(where, "wrong_database", f"says {_shown(more[0])}, the question is about {question.db_id!r}")
        yield from _sql_faults(where, sql)
    else:
        yield from _sql_faults(where, line)


def _sql_faults(where: str, sql: str) -> Iterator[Fault]:
    statements = count_statements(sql)
    if statements == 0:
        yield Fault(where, "blank", "holds no SQL" + (f" but {_shown(sql)}" if sql.strip() else ""))
        return
    names = [repr(sign) for sign in BREAKS if sign in sql.strip()]
    if names:
        yield Fault(where, "line_break", f"{', '.join(names)} inside the SQL: {_shown(sql)}")
    if statements > 1:
        yield Fault(where, "several_statements", f"{statements} statements: {_shown(sql)}")
    if not first_word(sql).startswith(QUERIES):
        yield Fault(where, "no_query", f"is no query: {_shown(sql)}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
