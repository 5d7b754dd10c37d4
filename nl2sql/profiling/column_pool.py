"""Share the columns of large tables among processes: each reads its own part of a row, and no count needs another's.

Children are started by `subprocess`, never by fork, so any thread of any program may profile. This process reads a
share as well. What a child does not answer, for whatever reason, is read here: an error is the same with and without
children.
"""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from nl2sql.profiling.read_columns import Columns, read_columns, table_pace
from nl2sql.profiling.tally_column import Tally
from nl2sql.query_pool import cores
from nl2sql.query_worker import Messages, message
from nl2sql.reading import CHUNK_CHARACTERS, select_columns

START = "import sys; sys.path.insert(0, sys.argv[1]); from nl2sql.profiling.column_worker import main; main()"
ROOT = str(Path(__file__).resolve().parents[2])

SMALL_FILE = 1 << 24  # bytes; hardly a table of a smaller file takes long enough to share
# Expected of a table before it is shared. Two processes gain nothing at half a second, of which a child takes 0.2 to
# start and 0.1 to walk over the other's columns, and 40 % at five seconds.
LEAST_SECONDS = 1.0
# What a value takes, so that shares come out even: any value, a NULL, and a byte of a text.
VALUE_SECONDS, NULL_SECONDS, BYTE_SECONDS = 3e-7, 1e-7, 3e-9
NUMBER_BYTES = 3  # of a row's part that is no text
SAMPLED_CELLS, FEWEST_SAMPLED = 1 << 13, 16  # of a table, rows of it

_spare = BoundedSemaphore(max(0, cores() - 1))  # children that may yet be started in this process


class _Child:
    """A child process; it ends when this one does."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-c", START, ROOT]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._messages = Messages()

    def send(self, job: tuple[Any, ...]) -> None:
        """Give it a job. That it has died is noticed when it does not answer."""
        assert self._process.stdin is not None
        view = memoryview(message(job))
        try:
            while view:
                view = view[self._process.stdin.write(view) :]
        except BrokenPipeError:
            return

    def answer(self, number: int) -> tuple[list[Tally], int] | None:
        """What `read_columns` gives of so many columns; None when the child ended without it."""
        assert self._process.stdout is not None
        found: list[tuple[Any, ...]] = []
        while len(found) <= number:
            if not (block := os.read(self._process.stdout.fileno(), 2**20)):
                return None
            self._messages.add(block)
            found += iter(self._messages.next, None)
        return [Tally.from_content(content) for content in found[1:]], found[0][0]

    def close(self) -> None:
        """End it whatever it is doing."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait()


class ColumnPool:
    """Reads the tables of one database, the large ones with children that it starts when the first of these comes."""

    def __init__(self, path: str, processes: int | None = None) -> None:
        """Share tables among so many processes; None: where it pays, among the processors that no other pool uses."""
        self._path = path
        self._processes = processes
        self._children: list[_Child] = []

    def __enter__(self) -> "ColumnPool":
        """Nothing is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the children."""
        while self._children:
            self._dismiss(self._children[-1])

    def read(self, connection: sqlite3.Connection, columns: Columns) -> list[Tally]:
        """The finished tallies of a table's columns, as `read_columns` gives them; raises what it raises."""
        shares = self._shares(connection, columns)
        if len(shares) > 1:
            before = _version(connection)
            tallies, heaviest = self._read_shares(connection, columns, shares)
            # Otherwise every process saw the table at another moment, or fewer rows at once than one process would.
            if _version(connection) == before and is_light(heaviest, columns.width):
                return tallies
        return read_columns(connection, columns)[0]

    def _shares(self, connection: sqlite3.Connection, columns: Columns) -> list[list[int]]:
        """Places of columns by process, this one first."""
        size = os.path.getsize(self._path)
        most = min(self._processes or cores(), columns.width)
        if most == 1 or (self._processes is None and size < SMALL_FILE):
            return [[]]
        weights = expected_seconds(connection, columns, size)
        if sum(weights) <= (LEAST_SECONDS if self._processes is None else 0.0):
            return [[]]
        while len(self._children) < most - 1 and self._start():
            pass
        return divide(weights, min(most, 1 + len(self._children)))

    def _start(self) -> bool:
        if self._processes is None and not _spare.acquire(blocking=False):
            return False
        try:
            self._children.append(_Child())
        except OSError:  # no room for another process
            self._release()
            return False
        return True

    def _dismiss(self, child: _Child) -> None:
        self._children.remove(child)
        child.close()
        self._release()

    def _release(self) -> None:
        if self._processes is None:
            _spare.release()

    def _read_shares(
        self, connection: sqlite3.Connection, columns: Columns, shares: Sequence[Sequence[int]]
    ) -> tuple[list[Tally], int]:
        parts = [columns._replace(names=tuple(columns.names[i] for i in share)) for share in shares]
        children = self._children[: len(parts) - 1]
        for child, part in zip(children, parts[1:], strict=True):
            child.send((self._path, *part))
        found = [read_columns(connection, parts[0])]
        for child, part in zip(children, parts[1:], strict=True):
            found.append(self._answer(child, part) or read_columns(connection, part))
        placed = {i: t for share, (ts, _) in zip(shares, found, strict=True) for i, t in zip(share, ts, strict=True)}
        return [placed[i] for i in range(columns.width)], sum(heaviest + 1 for _, heaviest in found)

    def _answer(self, child: _Child, part: Columns) -> tuple[list[Tally], int] | None:
        answer = child.answer(len(part.names))
        if answer is None:
            self._dismiss(child)
        return answer


def is_light(characters: int, width: int) -> bool:
    """Whether so long rows are read as many at once as short ones."""
    return characters * table_pace(width).most <= CHUNK_CHARACTERS


def _version(connection: sqlite3.Connection) -> int:
    """Another number when someone else has written to the database since."""
    return connection.execute("PRAGMA data_version").fetchone()[0]


def expected_seconds(connection: sqlite3.Connection, columns: Columns, size: int) -> list[float]:
    """About what each column takes if the table fills the file's `size` bytes, by a look at its first rows.

    Zeros where sharing is out of the question: for few rows, and for long ones. Raises sqlite3.DatabaseError when they
    cannot be read.
    """
    wanted = max(FEWEST_SAMPLED, SAMPLED_CELLS // columns.width)
    connection.text_factory = bytes
    query = f"{select_columns(columns.table, columns.names)} LIMIT {wanted}"
    sample = list(zip(*connection.execute(query), strict=True))
    lengths = [sum(len(v) for v in values if isinstance(v, bytes)) // wanted for values in sample]
    if not sample or len(sample[0]) < wanted or not is_light(sum(lengths), columns.width):
        return [0.0] * columns.width
    rows = size / (sum(lengths) + NUMBER_BYTES * columns.width)
    return [rows * _seconds(values, length) for values, length in zip(sample, lengths, strict=True)]


def _seconds(values: Sequence[object], length: int) -> float:
    nulls = values.count(None) / len(values)
    return nulls * NULL_SECONDS + (1 - nulls) * VALUE_SECONDS + length * BYTE_SECONDS


def divide(weights: Sequence[float], number: int) -> list[list[int]]:
    """The places of the weights in so many shares of about the same weight, at most as many as there are weights.

    That children begin a fifth of a second later is made up for by what only this process does at the end.
    """
    shares: list[list[int]] = [[] for _ in range(number)]
    loads = [0.0] * number
    for place in sorted(range(len(weights)), key=lambda i: -weights[i]):
        least = loads.index(min(loads))
        shares[least].append(place)
        loads[least] += weights[place]
    return [sorted(share) for share in shares]
