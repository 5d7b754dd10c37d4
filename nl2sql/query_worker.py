"""The child process of `execution.execute_many`: reads jobs from its standard input, writes results to its output.

A message is its length in four bytes, then a marshalled tuple. The first message out is () and says that the child
is ready. A query that outlives its limits is ended together with this process by the alarm that the child sets on
itself, so even a child whose parent is gone cannot run for ever.
"""

import marshal
import os
import resource
import signal
import sqlite3
import sys
from collections import OrderedDict
from contextlib import suppress
from typing import IO, Any

from nl2sql.read_only import FAILURES, Outcome, failed, open_read_only, run

GRACE = 1.0  # seconds that a query may take to notice its deadline
LONGEST = 1e6  # seconds, the longest alarm
# Bytes that SQLite may hold, sorts and temporary tables included. A library built without memory statistics, as
# Apple's own is, does not enforce it; those of python.org, Homebrew, conda and Linux do.
HEAP_LIMIT = 2**30
PROCESS_LIMIT = 3 * 2**30  # bytes of private memory of the whole process (Linux; macOS does not enforce it)
# A page cache of 64 MiB; what a sort needs counts against the heap limit instead of filling the disk.
PRAGMAS = ("cache_size = -65536", "temp_store = MEMORY")
OPEN_DATABASES = 8  # connections kept warm


class Connections:
    """The most recently used databases, kept open."""

    def __init__(self) -> None:
        """Start with none open."""
        self._open: OrderedDict[tuple[str, bool], tuple[tuple[int, ...], sqlite3.Connection]] = OrderedDict()

    def get(self, path: str, double_quoted_strings: bool) -> sqlite3.Connection:
        """A connection to that file as it is now. Raises sqlite3.OperationalError when there is none."""
        key, file = (path, double_quoted_strings), _identity(path)
        if key in self._open and self._open[key][0] == file:
            self._open.move_to_end(key)
            return self._open[key][1]
        self.forget(path, double_quoted_strings)
        self._open[key] = (file, open_read_only(path, double_quoted_strings, PRAGMAS))
        while len(self._open) > OPEN_DATABASES:
            self._open.popitem(last=False)[1][1].close()
        return self._open[key][1]

    def forget(self, path: str, double_quoted_strings: bool) -> None:
        """Close that connection, if it is open."""
        _, connection = self._open.pop((path, double_quoted_strings), (None, None))
        if connection is not None:
            connection.close()


def _identity(path: str) -> tuple[int, ...]:
    return _state(path) + _state(path + "-wal")  # changes of a database in WAL mode lie in the second


def _state(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _execute(connections: Connections, job: tuple[Any, ...]) -> Outcome:
    path, sql, double_quoted_strings, seconds, rows, size, keep_rows = job
    try:
        connection = connections.get(path, double_quoted_strings)
    except FAILURES as error:
        return failed("error", str(error))
    return run(connection, sql, seconds, rows, size, keep_rows)


def _limit_memory() -> None:
    sqlite3.connect(":memory:").execute(f"PRAGMA hard_heap_limit = {HEAP_LIMIT}")
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    with suppress(ValueError, OSError):  # a lower limit is already set
        resource.setrlimit(resource.RLIMIT_DATA, (PROCESS_LIMIT, hard))


def read_message(stream: IO[bytes]) -> tuple[Any, ...] | None:
    """The next message, None at the end of the stream."""
    header = stream.read(4)
    return marshal.loads(stream.read(int.from_bytes(header, "little"))) if len(header) == 4 else None


def message(content: tuple[Any, ...]) -> bytes:
    """A message as bytes. Raises ValueError for what marshal does not know."""
    body = marshal.dumps(content)
    return len(body).to_bytes(4, "little") + body


def main() -> None:
    """Serve until the standard input ends."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupted parent ends its children itself
    _limit_memory()
    connections = Connections()
    source, out = sys.stdin.buffer, sys.stdout.buffer
    out.write(message(()))
    out.flush()
    while job := read_message(source):
        signal.setitimer(signal.ITIMER_REAL, min(job[3], LONGEST) + GRACE)
        outcome = _execute(connections, job)
        signal.setitimer(signal.ITIMER_REAL, 0)
        out.write(message(outcome))
        out.flush()
