"""The child process of `execution.execute_many`: reads jobs from its standard input, writes results to its output.

A message is its length in four bytes, then a marshalled tuple. The first message out is () and says that the child
is ready. A query that outlives its limits is ended together with this process by the alarm that the child sets on
itself, so even a child whose parent is gone cannot run for ever.
"""

import gc
import marshal
import mmap
import os
import resource
import signal
import sqlite3
import stat
import sys
from collections import OrderedDict
from contextlib import suppress
from time import monotonic
from typing import Any

from nl2sql.garbage import OBJECTS
from nl2sql.read_only import FAILURES, Outcome, failed, open_read_only, run

GRACE = 1.0  # seconds that a query may take to notice its deadline
LONGEST = 1e6  # seconds, the longest alarm
# Bytes that SQLite may hold, sorts and temporary tables included. A library built without memory statistics, as
# Apple's own is, does not enforce it; those of python.org, Homebrew, conda and Linux do.
HEAP_LIMIT = 2**30
PROCESS_LIMIT = 3 * 2**30  # bytes of private memory of the whole process (Linux; macOS does not enforce it)
# What a statement may keep in temporary files, of sorts above all. Sorting in memory, or in parts as large as a larger
# page cache makes them, takes up to three times as long: each comparison misses the processor's cache.
SCRATCH_LIMIT = 2 * 2**30
SECONDS_BETWEEN_LOOKS = 0.05  # at these files
PRAGMAS = ("cache_size = -4096", "temp_store = FILE")
OPEN_DATABASES = 8  # connections kept warm
HELD = 0.1  # seconds that a database may stay locked for reading beyond the statement that needs it
IN_PROGRESS = "SQL statements in progress"  # SQLite's refusal of what the lock would forbid, such as VACUUM
ROWS_AT_ONCE = 64
# Sent together, so that neither side waits for the other: the parent keeps four times as many jobs under way.
ANSWERS_HELD = 8
SECONDS_HELD = 0.02
BYTES_HELD = 2**14
SLACK = 0.1  # seconds between two settings of the alarm


class Connections:
    """The most recently used databases, kept open; the last one also kept locked for reading between its statements."""

    def __init__(self) -> None:
        """Start with none open."""
        self._open: OrderedDict[tuple[str, bool], tuple[tuple[int, ...], sqlite3.Connection]] = OrderedDict()
        self._held: tuple[str, bool] | None = None
        self._hold: sqlite3.Cursor | None = None
        self._held_until = 0.0

    def get(self, path: str, double_quoted_strings: bool, hold: bool = True) -> sqlite3.Connection:
        """A connection to that file as it is now. Raises sqlite3.OperationalError when there is none."""
        key = path, double_quoted_strings
        if key == self._held and monotonic() < self._held_until:
            return self._open[key][1]
        self.release()
        connection = self._current(key)
        if not hold:
            return connection
        # An unfinished SELECT keeps the file as it is: neither its lock nor its state is asked for at each statement.
        with suppress(*FAILURES):  # what is wrong with the database is the statement's own outcome
            self._hold = connection.execute("SELECT 1 FROM sqlite_master")
        self._held, self._held_until = key, monotonic() + HELD
        return connection

    def release(self) -> None:
        """Let others write to the database."""
        if self._hold is not None:
            self._hold.close()
        self._held = self._hold = None

    def _current(self, key: tuple[str, bool]) -> sqlite3.Connection:
        file = _identity(key[0])
        if key in self._open and self._open[key][0] == file:
            self._open.move_to_end(key)
            return self._open[key][1]
        _, outdated = self._open.pop(key, (None, None))
        if outdated is not None:
            outdated.close()
        self._open[key] = (file, open_read_only(*key, PRAGMAS))
        while len(self._open) > OPEN_DATABASES:
            self._open.popitem(last=False)[1][1].close()
        return self._open[key][1]


class Scratch:
    """The temporary files of a statement: SQLite removes their names when it opens them, and their space at its end.

    One object serves all statements of a process: a short one is mostly over before the files are looked at.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._next = 0.0

    def is_too_large(self) -> bool:
        """Whether they take more than SCRATCH_LIMIT; looks at them once in a while only."""
        now = monotonic()
        if now < self._next:
            return False
        self._next = now + SECONDS_BETWEEN_LOOKS
        return sum(map(_unnamed_bytes, os.listdir("/dev/fd"))) > SCRATCH_LIMIT


def _unnamed_bytes(descriptor: str) -> int:
    try:
        found = os.fstat(int(descriptor))
    except OSError:  # the listing's own
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) and not found.st_nlink else 0


def _identity(path: str) -> tuple[int, ...]:
    return _state(path) + _state(path + "-wal")  # changes of a database in WAL mode lie in the second


def _state(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _execute(connections: Connections, scratch: Scratch, job: tuple[Any, ...]) -> Outcome:
    outcome = _attempt(connections, scratch, job)
    if IN_PROGRESS not in outcome[1]:
        return outcome
    connections.release()
    return _attempt(connections, scratch, job, hold=False)


def _attempt(connections: Connections, scratch: Scratch, job: tuple[Any, ...], hold: bool = True) -> Outcome:
    path, sql, double_quoted_strings, seconds, rows, size, keep_rows = job
    try:
        connection = connections.get(path, double_quoted_strings, hold)
    except FAILURES as error:
        return failed("error", str(error))
    return run(connection, sql, seconds, rows, size, keep_rows, ROWS_AT_ONCE, scratch.is_too_large)


def _limit_memory() -> None:
    sqlite3.connect(":memory:").execute(f"PRAGMA hard_heap_limit = {HEAP_LIMIT}")
    for limit, most in ((resource.RLIMIT_DATA, PROCESS_LIMIT), (resource.RLIMIT_FSIZE, SCRATCH_LIMIT)):
        _, hard = resource.getrlimit(limit)
        with suppress(ValueError, OSError):  # a lower limit is already set
            resource.setrlimit(limit, (most, hard))


def message(content: tuple[Any, ...]) -> bytes:
    """A message as bytes. Raises ValueError for what marshal does not know."""
    body = marshal.dumps(content)
    return len(body).to_bytes(4, "little") + body


class Messages:
    """The messages of a stream, taken from the blocks in which they arrive."""

    def __init__(self) -> None:
        """Start with none."""
        self._buffer = bytearray()
        self._start = 0

    def add(self, block: bytes) -> None:
        """Take a block of the stream."""
        del self._buffer[: self._start]
        self._start = 0
        self._buffer += block

    def next(self) -> tuple[Any, ...] | None:
        """The next message; None when the rest of it has not arrived."""
        body = self._start + 4
        end = body + int.from_bytes(self._buffer[self._start : body], "little")
        if body > len(self._buffer) or end > len(self._buffer):
            return None
        self._start = end
        with memoryview(self._buffer) as view:
            return marshal.loads(view[body:end])


class Answers:
    """Results on their way to the parent, which are sent several at a time.

    `done` counts the statements that are executed, so that the parent knows at which one this process has died.
    """

    def __init__(self, out: int, done: mmap.mmap) -> None:
        """Write results to one descriptor, and their number to the mapped file."""
        self._out, self._done = out, done
        self._number = 0
        self._held = bytearray()
        self._held_number = 0
        self._since = 0.0

    def add(self, outcome: Outcome) -> None:
        """Take the result of a statement."""
        if not self._held:
            self._since = monotonic()
        self._held += message(outcome)
        self._held_number += 1
        self._number += 1
        self._done[:8] = self._number.to_bytes(8, "little")

    def are_due(self) -> bool:
        """Whether the parent should have them before the next statement is done."""
        if self._held_number >= ANSWERS_HELD or len(self._held) > BYTES_HELD:
            return True
        return bool(self._held) and monotonic() - self._since > SECONDS_HELD

    def send(self) -> None:
        """Send what is kept."""
        write_all(self._out, bytes(self._held))
        self._held.clear()
        self._held_number = 0


def write_all(out: int, content: bytes) -> None:
    """Write to a descriptor that may take less at a time."""
    view = memoryview(content)
    while view:
        view = view[os.write(out, view) :]


class Alarm:
    """Ends this process when a statement outlives its limit."""

    def __init__(self) -> None:
        """Start with none set."""
        self._seconds = self._set = 0.0

    def cover(self, seconds: float) -> None:
        """Ring `seconds` and the grace from now, or up to SLACK sooner."""
        now = monotonic()
        if seconds != self._seconds or now - self._set > SLACK:
            signal.setitimer(signal.ITIMER_REAL, min(seconds, LONGEST) + GRACE)
            self._seconds, self._set = seconds, now

    def stop(self) -> None:
        """Do not ring."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._seconds = 0.0


def serve(source: int, answers: Answers) -> None:
    """Answer jobs until the source ends."""
    connections, scratch, alarm, jobs = Connections(), Scratch(), Alarm(), Messages()
    while True:
        job = jobs.next()
        if job is None:
            connections.release()  # before the parent can know that it may write
        if job is None or answers.are_due():
            alarm.stop()  # the parent may be slow to read
            answers.send()
        if job is not None:
            alarm.cover(job[3])
            answers.add(_execute(connections, scratch, job))
            continue
        block = os.read(source, 2**16)
        if not block:
            return
        jobs.add(block)


def main(counter: int) -> None:
    """Serve until the standard input ends; `counter` is the descriptor of a file for the number of statements done."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupted parent ends its children itself
    _limit_memory()
    gc.set_threshold(OBJECTS)  # rows are many and hold no cycles
    out = sys.stdout.fileno()
    write_all(out, message(()))
    serve(sys.stdin.fileno(), Answers(out, mmap.mmap(counter, 8)))
