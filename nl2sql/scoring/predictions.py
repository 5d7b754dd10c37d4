"""Files of predicted SQL: JSON lines with named fields, or BIRD's own JSON object; what is wrong with them is listed.

JSON lines    {"question_id": 7, "sql": "SELECT ...", "db_id": "shop", "model": "name"}   db_id, model optional
BIRD          {"0": "SELECT ...\\t----- bird -----\\tshop", ...}   keys: positions of the questions, or their ids
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from nl2sql.benchmarks import Problem
from nl2sql.errors import UserError
from nl2sql.rows import Question

SEPARATOR = "\t----- bird -----\t"
NAMED_IDS = 5  # how many question ids a problem names
NOT_TEXT = " "  # what the official evaluator executes in the place of a prediction that is not a string


class Prediction(NamedTuple):  # there are as many as lines, and a tuple is made in a third of a frozen dataclass's time
    """One SQL statement that a system wrote for one question. `sql` is NOT_TEXT where `is_text` is False."""

    question_id: str
    sql: str
    db_id: str  # '' when the file does not say
    model: str
    place: int  # line of a JSON lines file from 1, entry of a BIRD file from 0
    is_text: bool


@dataclass(frozen=True)
class Predictions:
    """The predictions of one file, in its order, and what is wrong with the file.

    `by_position` says that the file is in BIRD's format, whose official reading ignores keys and counts entries.
    """

    items: tuple[Prediction, ...]
    problems: tuple[Problem, ...]
    by_position: bool

    @property
    def models(self) -> tuple[str, ...]:
        """The systems in the order in which the file first names them."""
        return tuple(dict.fromkeys(p.model for p in self.items))


def load_predictions(path: str | Path) -> Predictions:
    """Read a file of either format. A system that the file does not name is called as the file is.

    A broken line is left out and reported. Raises UserError when there is no such file or nothing in it can be read.
    """
    path = Path(path)
    try:
        content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); give a JSON or JSON lines file") from error
    loaded = _bird_file(content, path) or _json_lines(content, path)
    if not loaded.items:
        first = f": {loaded.problems[0].where}: {loaded.problems[0].what}" if loaded.problems else ""
        formats = "lines of {'question_id': ..., 'sql': ...} or BIRD's JSON object"
        raise UserError(f"{path}: holds no prediction{first}. Give it {formats}")
    return loaded


def _bird_file(content: bytes, path: Path) -> Predictions | None:
    if _begins_with_a_line(content):
        return None
    try:
        pairs = json.loads(content, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, _Pairs) or "question_id" in dict(pairs):
        return None
    problems: list[Problem] = []
    entries: dict[str, Any] = {}
    for key, value in pairs:
        if key in entries:
            problems.append(Problem(f"{path}, key {key!r}", "stands more than once: the last one counts"))
        entries[key] = value
    items = [_bird_entry(key, value, place, path, problems) for place, (key, value) in enumerate(entries.items())]
    return Predictions(tuple(items), tuple(problems), by_position=True)


def _begins_with_a_line(content: bytes) -> bool:
    """Whether the first line is JSON by itself and more follows, so that the whole is not."""
    end = content.find(b"\n")
    if end < 0 or not content[end : end + 64].strip():  # a BIRD file on one line may end in a line break
        return False
    try:
        orjson.loads(content[:end])
    except ValueError:
        return False
    return True


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its repeated keys."""


def _is_line(item: dict[str, Any]) -> bool:
    return "question_id" in item and ("sql" in item or "SQL" in item)


def _bird_entry(key: str, value: Any, place: int, path: Path, problems: list[Problem]) -> Prediction:
    where = f"{path}, key {key!r}"
    if not isinstance(value, str):
        problems.append(Problem(where, f"is not a string but {type(value).__name__}: counts as no SQL"))
        return Prediction(key, NOT_TEXT, "", path.stem, place, is_text=False)
    sql, separator, db_id = value.partition(SEPARATOR)
    if not separator or SEPARATOR in db_id:
        problems.append(
            Problem(where, "should be SQL, tab, '----- bird -----', tab, db_id: all of it is taken for SQL")
        )
        return Prediction(key, value.strip(), "", path.stem, place, is_text=True)
    return Prediction(key, sql, db_id.strip(), path.stem, place, is_text=True)


def _json_lines(content: bytes, path: Path) -> Predictions:
    lines = content.split(b"\n")  # splitlines would also split at U+2028, which JSON allows in strings
    system = path.stem
    found = [_plain_line(line, place, system) for place, line in enumerate(lines, start=1)]
    other = [n for n, prediction in enumerate(found) if prediction is None and lines[n].strip()]
    problems: list[Problem] = []
    is_utf8 = not other or _is_utf8(content)
    for n in other:
        found[n] = _other_line(lines[n].decode() if is_utf8 else lines[n], n + 1, path, problems)
    return Predictions(tuple(p for p in found if p is not None), tuple(problems), by_position=False)


def _plain_line(line: bytes, place: int, system: str) -> Prediction | None:
    """A line as nearly all are, else None: what orjson refuses or reads otherwise is left to the slower way."""
    try:
        item = orjson.loads(line)
        key, sql = item["question_id"], item["sql"]
    except (ValueError, LookupError, TypeError):
        return None
    if type(sql) is not str or (type(key) is not int and type(key) is not str):  # a large integer comes as a float
        return None
    model, db_id = item.get("model"), item.get("db_id")
    named = model if type(model) is str and model else system
    return Prediction(str(key), sql, db_id if type(db_id) is str else "", named, place, True)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _other_line(line: str | bytes, place: int, path: Path, problems: list[Problem]) -> Prediction | None:
    if not line.strip():
        return None
    try:
        return _line_entry(json.loads(line), place, path, problems)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        problems.append(Problem(f"{path}:{place}", f"is not JSON ({error}): left out"))
        return None


def _line_entry(item: Any, place: int, path: Path, problems: list[Problem]) -> Prediction | None:
    if not isinstance(item, dict) or not _is_line(item):
        problems.append(Problem(f"{path}:{place}", "has no question_id or no sql: left out"))
        return None
    key, sql = item["question_id"], item.get("sql", item.get("SQL"))
    if isinstance(key, bool) or not isinstance(key, (int, str)):
        problems.append(Problem(f"{path}:{place}", f"question_id {key!r} is neither a number nor text: left out"))
        return None
    is_text = isinstance(sql, str)
    if not is_text:
        what = f"sql is not a string but {type(sql).__name__}: counts as no SQL"
        problems.append(Problem(f"{path}:{place}", what))
    model, db_id = item.get("model"), item.get("db_id")
    system = model if isinstance(model, str) and model else path.stem
    return Prediction(
        str(key), sql if is_text else NOT_TEXT, db_id if isinstance(db_id, str) else "", system, place, is_text
    )


@dataclass(frozen=True)
class Matching:
    """One system's predictions against the questions: one entry per question that is scored, None where it has none."""

    model: str
    questions: tuple[Question, ...]
    predictions: tuple[Prediction | None, ...]


def match_predictions(
    predictions: Predictions, questions: Sequence[Question], strict_parity: bool = False
) -> tuple[list[Matching], list[Problem]]:
    """Find each question's prediction, per system; report ids that are missing, repeated or unknown.

    By id; keys of a BIRD file that are not all ids of questions are positions. Of a repeated id the first counts. With
    `strict_parity` a BIRD file is read as officially: the n-th entry answers the n-th question whatever its key, and
    what exceeds the shorter of the two is not scored.
    """
    if strict_parity and predictions.by_position:
        return [_in_order(predictions, questions)], []
    by_id = {q.question_id: q for q in questions}
    by_model: dict[str, list[Prediction]] = defaultdict(list)
    for prediction in _keys_to_ids(predictions, questions):
        by_model[prediction.model].append(prediction)
    matchings, problems = [], []
    for model, items in by_model.items():
        chosen = _first_of_each(items)
        matchings.append(Matching(model, tuple(questions), tuple(map(chosen.get, by_id))))
        problems.extend(_problems(model, items, chosen, by_id))
    return matchings, problems


def _in_order(predictions: Predictions, questions: Sequence[Question]) -> Matching:
    count = min(len(predictions.items), len(questions))
    return Matching(predictions.items[0].model, tuple(questions[:count]), predictions.items[:count])


def _keys_to_ids(predictions: Predictions, questions: Sequence[Question]) -> Sequence[Prediction]:
    ids = [q.question_id for q in questions]
    known = set(ids)
    if not predictions.by_position or all(p.question_id in known for p in predictions.items):
        return predictions.items
    positions = {str(place): question_id for place, question_id in enumerate(ids)}
    return [p._replace(question_id=positions.get(p.question_id, p.question_id)) for p in predictions.items]


def _first_of_each(items: Sequence[Prediction]) -> dict[str, Prediction]:
    chosen = {item.question_id: item for item in items}
    if len(chosen) < len(items):
        chosen.clear()
        for item in items:
            chosen.setdefault(item.question_id, item)
    return chosen


def _problems(
    model: str, items: Sequence[Prediction], chosen: dict[str, Prediction], questions: dict[str, Question]
) -> Iterator[Problem]:
    unknown = [p.question_id for p in items if p.question_id not in questions] if chosen.keys() - questions else []
    counts = Counter(p.question_id for p in items) if len(chosen) < len(items) else {}
    repeated = [key for key, count in counts.items() if count > 1 and key in questions]
    other = [k for k, p in chosen.items() if p.db_id and k in questions and p.db_id != questions[k].db_id]
    kinds = (
        ([key for key in questions if key not in chosen], "without a prediction: wrong"),
        (unknown, "not in the benchmark: left out"),
        (repeated, "predicted more than once: the first counts"),
        (other, "predicted for another database: scored on the question's own"),
    )
    for ids, what in kinds:
        if ids:
            more = ", ..." if len(ids) > NAMED_IDS else ""
            yield Problem(model, f"{len(ids)} questions {what} ({', '.join(ids[:NAMED_IDS])}{more})")
