"""Databases made up for measuring: a long table, a wide one and one that is heavy with text. Alike on every run."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

WORDS = [f"{a}{b}{c}" for a in ("ba", "ko", "ri", "tu") for b in ("", "la", "ne", "so", "mi") for c in "nrtsklme"]
LONG_COLUMNS = 10
TEXT_COLUMNS = 5

Row = tuple[object, ...]


def long_table(path: Path, rows: int) -> None:
    """Ten columns: a key, a reference, codes, names, amounts, days, moments, and notes that are mostly NULL."""
    columns = (
        "id INTEGER PRIMARY KEY, customer_id INT, category TEXT, customer TEXT, city TEXT, amount REAL, quantity INT,"
        " day TEXT, moment INT, note TEXT"
    )
    _fill(path, columns, LONG_COLUMNS, _sales(rows))


def _sales(rows: int) -> Iterator[Row]:
    chance = random.Random(1)
    categories = [f"category {i}" for i in range(50)]
    cities = [f"City of {chance.randrange(10**6)}" for _ in range(5000)]
    for i in range(rows):
        x = chance.random()
        customer, day = int(x * rows / 4), f"20{int(x * 1e4) % 24:02d}-{int(x * 1e5) % 12 + 1:02d}"
        yield (
            *(i + 1, customer, categories[int(x * 7919) % 50], f"Customer {customer:07d}", cities[int(x * 1e7) % 5000]),
            *(round(x * 10_000, 2), int(x * 977) % 100, f"{day}-{int(x * 1e6) % 28 + 1:02d}"),
            *(1_600_000_000 + int(x * 1e8), None if x < 0.7 else f"note {int(x * 1000)}"),
        )


def wide_table(path: Path, rows: int, columns: int = 2000) -> None:
    """Columns of whole numbers, reals, codes and names in turn."""
    chance = random.Random(2)
    pool = [chance.random() for _ in range(10_007)]

    def cell(row: int, column: int) -> object:
        x = pool[(row * 2003 + column * 7919) % len(pool)]
        kind = column % 4
        return (
            int(x * 10**6)
            if kind == 0
            else x * 100
            if kind == 1
            else f"c{int(x * 20)}"
            if kind == 2
            else f"name {x:.5f}"
        )

    names = ", ".join(f"c{i} {('INT', 'REAL', 'TEXT', 'TEXT')[i % 4]}" for i in range(columns))
    _fill(path, names, columns, (tuple(cell(i, j) for j in range(columns)) for i in range(rows)))


def text_table(path: Path, rows: int) -> None:
    """A key and four texts: a title, a body of 200 to 1,200 characters, an address and a label of forty."""
    _fill(path, "id INTEGER PRIMARY KEY, title TEXT, body TEXT, address TEXT, label TEXT", TEXT_COLUMNS, _posts(rows))


def _posts(rows: int) -> Iterator[Row]:
    chance = random.Random(3)
    paragraph = " ".join(chance.choice(WORDS) for _ in range(4000))
    for i in range(rows):
        start, size = chance.randrange(len(paragraph) - 1200), chance.randrange(200, 1200)
        title = paragraph[start : start + 40]
        yield i, title, paragraph[start : start + size], f"https://example.org/{i * 7919 % rows}", f"label {i % 40}"


def _fill(path: Path, columns: str, width: int, rows: Iterator[Row]) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"CREATE TABLE t ({columns})")
        connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * width)})", rows)
        connection.commit()
