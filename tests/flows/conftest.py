"""One Prefect server for the session, and a benchmark small enough to run in a second."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flows.environment import DEFAULTS, QUIET

for name, value in {**DEFAULTS, **QUIET}.items():  # before Prefect is imported
    os.environ.setdefault(name, value)
import_module("prefect")  # now, so that no command that a test runs in this process starts a server for the process

ROOT = Path(__file__).parents[2]
TABLES = {
    "zoo": """
        CREATE TABLE keeper (id INTEGER PRIMARY KEY, name TEXT, age INTEGER);
        CREATE TABLE animal (id INTEGER PRIMARY KEY, name TEXT, species TEXT, keeper_id INTEGER REFERENCES keeper (id));
        INSERT INTO keeper VALUES (1, 'Ada', 40), (2, 'Bo', 31);
        INSERT INTO animal VALUES (1, 'Rex', 'lion', 1), (2, 'Mia', 'otter', 2), (3, 'Tom', 'otter', 2);
    """,
    "shop": """
        CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL);
        INSERT INTO item VALUES (1, 'lamp', 12.5), (2, 'desk', 80), (3, 'chair', 35);
    """,
}
QUESTIONS = (
    ("zoo", "How many animals are there?", "SELECT COUNT(*) FROM animal"),
    ("zoo", "List the names of all keepers.", "SELECT name FROM keeper"),
    ("zoo", "How many otters do we have?", "SELECT COUNT(*) FROM animal WHERE species = 'otter'"),
    ("shop", "What is the price of the lamp?", "SELECT price FROM item WHERE name = 'lamp'"),
    ("shop", "How many items are there?", "SELECT COUNT(*) FROM item"),
)


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[str]:
    """The address of a Prefect server with a database of its own."""
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield str(PREFECT_API_URL.value())


def build_database(path: Path, script: str) -> Path:
    """An SQLite file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()
    return path


def build_benchmark(folder: Path) -> Path:
    """Two databases and five questions in BIRD's layout."""
    for db_id, script in TABLES.items():
        build_database(folder / "dev_databases" / db_id / f"{db_id}.sqlite", script)
    questions = [
        {"question_id": i, "db_id": db, "question": q, "evidence": "", "SQL": sql, "difficulty": "simple"}
        for i, (db, q, sql) in enumerate(QUESTIONS)
    ]
    (folder / "dev.json").write_text(json.dumps(questions))
    return folder


@pytest.fixture
def tiny(tmp_path) -> Path:
    """A tiny benchmark that a test may change."""
    return build_benchmark(tmp_path / "tiny")


@pytest.fixture
def database(tmp_path) -> Callable[..., Path]:
    """Make an SQLite file from a script; without one the zoo."""
    return lambda script=TABLES["zoo"], name="some.sqlite": build_database(tmp_path / "databases" / name, script)


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory) -> Path:
    """A folder of artifacts for tests that do not count what runs: equal databases are profiled once."""
    return tmp_path_factory.mktemp("artifacts")


@pytest.fixture(scope="session")
def nl2sql(artifacts) -> Callable[..., Result]:
    """Run the command in this process on an 80 column screen, with the shared artifacts unless told otherwise."""
    from flows.cli import main

    def run(command: str, *arguments: object) -> Result:
        words = [command, *map(str, arguments)]
        if "--artifacts" not in words and "--help" not in words:
            words += ["--artifacts", str(artifacts)]
        return CliRunner().invoke(main, words, env={"COLUMNS": "80"})

    return run
