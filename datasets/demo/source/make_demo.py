"""Rebuild datasets/demo from the files beside this script: `python datasets/demo/source/make_demo.py`.

`databases/<db_id>.py` holds one database each and exposes

    DB_ID         the name of the database, its folder and its file
    SPLIT         'dev' or 'train'
    DESCRIPTIONS  {table: [(original_column_name, column_name, column_description, data_format,
                  value_description)]}; a table that is left out has no description CSV
    ENCODINGS     optional {table: encoding of its CSV}; 'utf-8' where nothing is said
    build(connection, random)
                  makes and fills the tables; `random` is the only source of chance that it may use

and `questions/<db_id>.jsonl` its questions (question, evidence, SQL, difficulty), one JSON object per line.
The same sources always give the same rows, JSON and CSV files. The bytes of a `.sqlite` file also depend on
the version of SQLite that writes it. Only the standard library is needed. A folder named as the argument is
written instead of datasets/demo.
"""

import csv
import importlib.util
import io
import json
import random
import shutil
import sqlite3
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

SOURCE = Path(__file__).resolve().parent
SPLITS = ("dev", "train")
FIRST_QUESTION_ID = {"dev": 0, "train": 10_000}  # ids stay unique when both splits are read together
QUESTION_FIELDS = ("question", "evidence", "SQL", "difficulty")
CSV_HEADER = ("original_column_name", "column_name", "column_description", "data_format", "value_description")


def load_database_modules(source: Path = SOURCE) -> list[ModuleType]:
    """The modules of `source`/databases, by name, imported by path: data folders are no packages."""
    return [_load(path) for path in sorted((source / "databases").glob("*.py"))]


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"demo_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_demo(output: Path, source: Path = SOURCE) -> None:
    """Write the whole benchmark into the folder `output`, replacing the parts of an earlier one."""
    modules = load_database_modules(source)
    for split in SPLITS:
        shutil.rmtree(output / f"{split}_databases", ignore_errors=True)
        chosen = [m for m in modules if split == m.SPLIT]
        schemas = [make_database(m, output / f"{split}_databases" / m.DB_ID) for m in chosen]
        questions = number_questions(chosen, FIRST_QUESTION_ID[split], source)
        write_json(output / f"{split}.json", questions)
        write_json(output / f"{split}_tables.json", schemas)
        if split == "dev":
            lines = [f"{q['SQL']}\t{q['db_id']}\n" for q in questions]
            (output / "dev.sql").write_bytes("".join(lines).encode())


def make_database(module: ModuleType, folder: Path) -> dict[str, Any]:
    """Write one SQLite file and its description CSVs; returns its entry of tables.json."""
    (folder / "database_description").mkdir(parents=True)
    connection = sqlite3.connect(folder / f"{module.DB_ID}.sqlite")
    try:
        module.build(connection, random.Random(f"{module.DB_ID} 2024"))
        connection.commit()
        connection.execute("VACUUM")
        schema = describe_schema(connection, module)
    finally:
        connection.close()
    for table, rows in module.DESCRIPTIONS.items():
        encoding = getattr(module, "ENCODINGS", {}).get(table, "utf-8")
        write_csv(folder / "database_description" / f"{table}.csv", rows, encoding)
    return schema


def write_csv(path: Path, rows: list[tuple[str, ...]], encoding: str) -> None:
    """A description CSV with BIRD's header and CRLF line ends."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(CSV_HEADER)
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))


def describe_schema(connection: sqlite3.Connection, module: ModuleType) -> dict[str, Any]:
    """The entry of tables.json: tables without views, declared keys only, columns counted from 1."""
    listed = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
    tables = [name for (name,) in listed if not name.startswith("sqlite_")]
    infos = [connection.execute("SELECT * FROM pragma_table_info(?)", (t,)).fetchall() for t in tables]
    cells = [(number, info) for number, rows in enumerate(infos) for info in rows]
    position = {(tables[n].lower(), info[1].lower()): i for i, (n, info) in enumerate(cells, 1)}
    return {
        "db_id": module.DB_ID,
        "table_names_original": tables,
        "table_names": [t.replace("_", " ").lower() for t in tables],
        "column_names_original": [[-1, "*"], *([n, info[1]] for n, info in cells)],
        "column_names": [[-1, "*"], *([n, _readable(module, tables[n], info[1])] for n, info in cells)],
        "column_types": ["text", *(info[2].split("(")[0].lower() or "text" for _, info in cells)],
        "primary_keys": _primary_keys(tables, infos, position),
        "foreign_keys": _foreign_keys(connection, tables, position),
    }


def _readable(module: ModuleType, table: str, column: str) -> str:
    described = {row[0].strip(): row[1].strip() for row in module.DESCRIPTIONS.get(table, [])}
    return described.get(column.strip()) or column.replace("_", " ").lower()


def _primary_keys(tables: list[str], infos: list[list[Any]], position: dict[tuple[str, str], int]) -> list[Any]:
    keys = []
    for table, rows in zip(tables, infos, strict=True):
        parts = [position[table.lower(), info[1].lower()] for info in rows if info[5]]
        keys += [parts] if len(parts) > 1 else parts
    return keys


def _foreign_keys(
    connection: sqlite3.Connection, tables: list[str], position: dict[tuple[str, str], int]
) -> list[list[int]]:
    pairs = []
    for table in tables:
        for key in connection.execute("SELECT * FROM pragma_foreign_key_list(?)", (table,)):
            here, there = (table.lower(), key[3].lower()), (key[2].lower(), key[4].lower())
            pairs.append([position[here], position[there]])
    return sorted(pairs)


def number_questions(modules: list[ModuleType], first: int, source: Path) -> list[dict[str, Any]]:
    """The questions of these databases in order, with question_id and db_id put in."""
    numbered = []
    for module in modules:
        lines = (source / "questions" / f"{module.DB_ID}.jsonl").read_text(encoding="utf-8").splitlines()
        for line in lines:
            text = json.loads(line)
            row = {"question_id": first + len(numbered), "db_id": module.DB_ID}
            numbered.append(row | {field: text[field] for field in QUESTION_FIELDS})
    return numbered


def write_json(path: Path, value: Any) -> None:
    """Indented UTF-8 JSON with a last line end, so that a change reads well in a diff."""
    path.write_bytes((json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    make_demo(Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE.parent)
