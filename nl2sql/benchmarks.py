"""BIRD, mini-dev, Spider and a bare .sqlite file as questions and databases, recognised by what is there.

Published layouts that are read (a folder that holds one of them as its only such sub-folder will do too):

    BIRD dev    dev.json, dev_databases/DB/DB.sqlite, and train.json for examples when it is there
    mini-dev    mini_dev_sqlite.json, dev_databases/DB/DB.sqlite
    BIRD train  train.json (or train_filtered.json), train_databases/DB/DB.sqlite
    Spider      dev.json (or train_spider.json) with "query" fields, database/DB/DB.sqlite
    a file      any SQLite database; it has no questions of its own

Not covered: BIRD's MySQL and PostgreSQL editions, Spider 2.
"""

import hashlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from nl2sql.errors import UserError
from nl2sql.execution import open_read_only
from nl2sql.hardness import hardness
from nl2sql.rows import Database, Question

SQLITE_MAGIC = b"SQLite format 3\x00"
SQLITE_SUFFIXES = (".sqlite", ".sqlite3", ".db", ".db3")
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Layout:
    """Where one benchmark keeps one split: question files tried in order, and the folder of databases."""

    name: str
    split: str
    questions: tuple[str, ...]
    databases: str
    examples: tuple[str, ...]


LAYOUTS = (
    Layout(
        "BIRD mini-dev",
        "dev",
        ("mini_dev_sqlite.json",),
        "dev_databases",
        ("train.json", "train_filtered.json"),
    ),
    Layout("BIRD", "dev", ("dev.json",), "dev_databases", ("train.json", "train_filtered.json")),
    Layout("BIRD", "train", ("train.json", "train_filtered.json"), "train_databases", ("train.json",)),
    Layout("Spider", "dev", ("dev.json",), "database", ("train_spider.json", "train_others.json")),
    Layout("Spider", "train", ("train_spider.json",), "database", ("train_spider.json", "train_others.json")),
)


@dataclass(frozen=True)
class Problem:
    """Something in a benchmark that is not as it should be, and what was done about it."""

    where: str
    what: str


@dataclass(frozen=True)
class Benchmark:
    """Questions to answer, the databases that they ask, and training questions to learn from."""

    name: str
    path: str
    split: str
    questions: tuple[Question, ...]
    databases: tuple[Database, ...]
    examples: tuple[Question, ...]
    problems: tuple[Problem, ...]

    @property
    def empty_is_wrong(self) -> bool:
        """Whether an empty result must be a mistake: so in BIRD, by its annotation policy; not elsewhere."""
        return self.name.startswith("BIRD")


def load_benchmark(path: str | Path, split: str = "dev", databases: Sequence[str] = ()) -> Benchmark:
    """Load a split of the benchmark at a path, restricted to some databases where any are named.

    Raises UserError that names the missing or malformed file. What can be lived with (repeated question ids, databases
    that do not open) is in `problems`.
    """
    folder = Path(path)
    if folder.is_file():
        return _bare_database(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such file or folder. Name a benchmark folder or an SQLite file")
    layout, folder = _recognise(folder, split)
    questions, problems = _read_questions(_question_file(layout, folder), split)
    found, more = _find_databases(folder / layout.databases, {q.db_id for q in questions}, databases)
    questions = [q for q in questions if q.db_id in found and (not databases or q.db_id in databases)]
    examples = [e for name in layout.examples if (folder / name).is_file() for e in _examples(folder / name)]
    return Benchmark(
        layout.name,
        str(folder),
        split,
        tuple(questions),
        tuple(found.values()),
        tuple(examples),
        (*problems, *more),
    )


def describe_database(db_id: str, path: Path) -> Database:
    """Digest and state of one SQLite file; `error` says why it does not open, '' when it does."""
    descriptions = path.parent / "database_description"
    folder = str(descriptions) if descriptions.is_dir() else ""
    error = _opening_error(path)
    digest = _digest([path, path.with_name(path.name + "-wal")]) if path.is_file() else ""
    size = path.stat().st_size if path.is_file() else 0
    described = _digest(sorted(descriptions.glob("*.csv"))) if folder else ""
    return Database(db_id, str(path), digest, size, folder, described, error)


def is_sqlite(path: Path) -> bool:
    """Whether a file starts as an SQLite database does, or is empty, which SQLite takes for an empty database."""
    with open(path, "rb") as file:
        head = file.read(len(SQLITE_MAGIC))
    return head == SQLITE_MAGIC or (not head and path.suffix.lower() in SQLITE_SUFFIXES)


def _bare_database(path: Path) -> Benchmark:
    if not is_sqlite(path):
        raise UserError(f"{path}: not an SQLite database (it does not start with 'SQLite format 3')")
    database = describe_database(path.stem, path)
    if database.error:
        raise UserError(f"{path}: {database.error}")
    return Benchmark("SQLite file", str(path), "", (), (database,), (), ())


def _recognise(folder: Path, split: str) -> tuple[Layout, Path]:
    for place in (folder, *sorted(p for p in folder.iterdir() if p.is_dir())):
        for layout in LAYOUTS:
            if (
                layout.split == split
                and (place / layout.databases).is_dir()
                and _question_file(layout, place).is_file()
            ):
                return layout, place
    raise UserError(f"{folder}: {_what_is_missing(folder, split)}")


def _what_is_missing(folder: Path, split: str) -> str:
    """Say which half of a layout is there and which is not, or what would be recognised."""
    candidates = [layout for layout in LAYOUTS if layout.split == split]
    for layout in candidates:
        if (folder / layout.databases).is_dir():
            return f"has {layout.databases}/ but not {' or '.join(layout.questions)}, the questions of {layout.name}"
        if _question_file(layout, folder).is_file():
            return (
                f"has {_question_file(layout, folder).name} but not {layout.databases}/, the databases of {layout.name}"
            )
    shapes = "; ".join(f"{c.name}: {c.questions[0]} + {c.databases}/" for c in candidates)
    return f"not a benchmark that is known for split {split!r} ({shapes})"


def _question_file(layout: Layout, folder: Path) -> Path:
    present = (folder / name for name in layout.questions if (folder / name).is_file())
    return next(present, folder / layout.questions[0])


def _read_questions(path: Path, split: str, prefix: str = "") -> tuple[list[Question], list[Problem]]:
    questions = [_question(item, index, path, split, prefix) for index, item in enumerate(_read_list(path))]
    return _unique_ids(questions, path)


def _examples(path: Path) -> list[Question]:
    """Training questions: ids are prefixed with the file's name, so that they never collide with dev's."""
    return _read_questions(path, "train", prefix=f"{path.stem}/")[0]


def _read_list(path: Path) -> list[Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: not JSON at line {error.lineno}, column {error.colno}: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise UserError(f"{path}: nested too deeply: it should hold a JSON list of questions") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    if not isinstance(data, list):
        raise UserError(f"{path}: should hold a JSON list of questions, holds a {type(data).__name__}")
    return data


def _question(item: Any, index: int, path: Path, split: str, prefix: str) -> Question:
    if not isinstance(item, dict):
        raise UserError(f"{path}: entry {index} should be an object, is {item!r:.60}")
    for name in ("db_id", "question"):
        if not isinstance(item.get(name), str):
            raise UserError(f"{path}: entry {index} has no text {name!r} (question_id {item.get('question_id', '?')})")
    gold = item.get("SQL", item.get("query"))
    gold = gold if isinstance(gold, str) else ""
    difficulty = item.get("difficulty") or item.get("hardness") or (hardness(gold) if "query" in item else "")
    return Question(
        question_id=prefix + well_formed(str(item.get("question_id", index))),
        db_id=item["db_id"],
        question=item["question"],
        evidence=item.get("evidence") or "",
        gold_sql=gold,
        difficulty=str(difficulty),
        split=split,
    )


def well_formed(text: str) -> str:
    """Text with U+FFFD for each lone surrogate, which JSON and command lines can hold and UTF-8 cannot."""
    return text if text.isascii() else LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def _unique_ids(questions: Iterable[Question], path: Path) -> tuple[list[Question], list[Problem]]:
    """Keep every question: the second of an id 7 becomes '7#2', as mini-dev's repeated ids are different questions."""
    seen: Counter[str] = Counter()
    kept, problems = [], []
    for question in questions:
        seen[question.question_id] += 1
        count = seen[question.question_id]
        if count > 1:
            renamed = f"{question.question_id}#{count}"
            problems.append(
                Problem(str(path), f"question_id {question.question_id} stands more than once: kept as {renamed}")
            )
            question = replace(question, question_id=renamed)
        kept.append(question)
    return kept, problems


def _find_databases(folder: Path, asked: set[str], wanted: Sequence[str]) -> tuple[dict[str, Database], list[Problem]]:
    present = {p.name for p in folder.iterdir() if p.is_dir() and _sqlite_file(p)}
    unknown = sorted(set(wanted) - present - asked)
    if unknown:
        raise UserError(f"no database {unknown[0]!r} in {folder}: there are {', '.join(sorted(present)) or 'none'}")
    chosen = sorted((asked | present) & set(wanted) if wanted else asked)
    databases, problems = {}, []
    for db_id in chosen:
        # A db_id is a name, never a path: only folders that were listed are opened.
        path = _sqlite_file(folder / db_id) if db_id in present else None
        missing = folder / db_id / f"{db_id}.sqlite"
        if path is None:
            problems.append(Problem(str(missing), "the database is missing: its questions are left out"))
            continue
        database = describe_database(db_id, path)
        if database.error:
            problems.append(Problem(str(path), f"does not open ({database.error}): its questions are left out"))
            continue
        databases[db_id] = database
    if not databases:
        raise UserError(f"{folder}: none of the {len(chosen)} databases asked for opens ({_first(problems)})")
    return databases, problems


def _first(problems: Sequence[Problem]) -> str:
    return f"{problems[0].where}: {problems[0].what}" if problems else "the question file is empty"


def _sqlite_file(folder: Path) -> Path | None:
    named = [folder / f"{folder.name}{suffix}" for suffix in SQLITE_SUFFIXES]
    others = sorted(p for p in folder.iterdir() if p.suffix.lower() in SQLITE_SUFFIXES)
    return next((p for p in (*named, *others) if p.is_file()), None)


def _opening_error(path: Path) -> str:
    """Why a database cannot be read, '' when it can: its header and its schema are read, not all of its pages."""
    try:
        connection = open_read_only(path)
    except (sqlite3.Error, OSError) as error:
        return str(error)
    try:
        connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    except UnicodeDecodeError:  # SQLite quotes what it found in a damaged schema, and that may be any bytes
        return "malformed database schema, not UTF-8"
    except sqlite3.Error as error:
        unshared = str(error) == "unable to open database file" and path.with_name(path.name + "-wal").exists()
        return f"{error} (with its -wal file it opens only in a folder that can be written)" if unshared else str(error)
    finally:
        connection.close()
    return ""


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file():
            stat = path.stat()
            digest.update(_file_digest(path, stat.st_size, stat.st_mtime_ns, stat.st_ino))
    return digest.hexdigest()


@lru_cache(maxsize=4096)
def _file_digest(path: Path, size: int, modified: int, inode: int) -> bytes:
    """Digest of a file as it was with that size and time, so that flows may load a benchmark repeatedly."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
