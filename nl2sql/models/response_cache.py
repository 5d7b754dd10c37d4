"""Answers that were paid for, on disk: whoever asks the same again, in this run or a later one, pays nothing.

Kept are all answers, also refused, blank and cut-off ones: asking again would cost again. Not kept are calls without
an answer. Beside them lie the attempts that broke off and may have been charged. The texts of the requests are kept
too, so that a user can see what was asked; keys are no part of them, and only the owner can read the folder.
"""

import fcntl
import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from nl2sql.errors import UserError
from nl2sql.models.chat import Reply, Request, Usage

FILE, LOCKS = "responses.sqlite", "responses.lock"
APPLICATION = 0x6E6C3271  # tells our file from another program's
CARRIED = 2**60  # between the two locks of a key
PATIENCE = 60.0  # seconds that a writer waits for another process's transaction
TABLES = """
CREATE TABLE IF NOT EXISTS texts (digest TEXT PRIMARY KEY, text BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, model TEXT NOT NULL, made_at REAL NOT NULL,
    dollars REAL NOT NULL, reply TEXT NOT NULL, system TEXT NOT NULL, context TEXT NOT NULL, request TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS broken (key TEXT NOT NULL, model TEXT NOT NULL, made_at REAL NOT NULL,
    dollars REAL NOT NULL, error TEXT NOT NULL);
"""
Job = tuple[Callable[[sqlite3.Connection], None], "Future[None]"]
_lock_files: dict[str, int] = {}  # one per file and process: closing any descriptor of a file frees all its locks


class ResponseCache:
    """The answers in `folder`. Safe for several threads and processes; close it when done.

    Raises UserError for a file that is damaged or another program's; it never deletes one.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        self.path = folder / FILE
        self._locks = _lock_file(folder / LOCKS)
        with self._mended():
            _check(self.path)
            self._reader = self._connect()
            self._reader.executescript(f"PRAGMA application_id = {APPLICATION}; {TABLES}")
        self._reading = threading.Lock()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="response-cache", daemon=True)
        self._writer.start()

    def get(self, key: str) -> Reply | None:
        """The answer to the request with that key, None when there is none yet."""
        with self._reading, self._mended():
            row = self._reader.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        return replace(read_reply(json.loads(row[0])), cached=True) if row else None

    def has(self, key: str) -> bool:
        """Whether there is one."""
        with self._reading, self._mended():
            return self._reader.execute("SELECT 1 FROM replies WHERE key = ?", (key,)).fetchone() is not None

    def put(self, request: Request, reply: Reply) -> "Future[None]":
        """Write an answer; the future is done when it is on the disk, or fails as SQLite does when that is full.

        Answers that arrive while others are being written go into one transaction.
        """
        return self._submit(lambda connection: _insert(connection, request, reply))

    def amend(self, request: Request, reply: Reply) -> "Future[None]":
        """Write down what is known of a kept answer only later: the attempts that broke off before it."""
        row = (json.dumps(asdict(reply)), request.key)
        return self._submit(lambda connection: connection.execute("UPDATE replies SET reply = ? WHERE key = ?", row))

    def note_broken(self, request: Request, dollars: float, error: str) -> "Future[None]":
        """Write down an attempt that broke off and may have cost so much."""
        row = (request.key, request.model, time.time(), dollars, _storable(error))
        return self._submit(lambda connection: connection.execute("INSERT INTO broken VALUES (?, ?, ?, ?, ?)", row))

    def try_lock(self, key: str) -> bool:
        """Whether this process may make the call with that key: no other one is making it. Never waits.

        The lock ends with `unlock`, and with the process, however that ends. A call that outlives the process which
        wanted it is still being made.
        """
        if not self._lock(_offset(key)):
            return False
        if self.try_carry(key):
            self.put_down(key)
            return True
        self.unlock(key)
        return False

    def unlock(self, key: str) -> None:
        """Let other processes make the call."""
        fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, _offset(key))

    def try_carry(self, key: str) -> bool:
        """Whether this process now holds the second lock of a key: that of a courier who is at the provider with it.

        It is another one than that of `try_lock` since a courier works for a process that holds the first.
        """
        return self._lock(_offset(key) + CARRIED)

    def put_down(self, key: str) -> None:
        """The end of `try_carry`."""
        fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, _offset(key) + CARRIED)

    def close(self) -> None:
        """Write what is still waiting, then close the file."""
        self._jobs.put(None)
        self._writer.join()
        self._reader.close()

    def _lock(self, offset: int) -> bool:
        try:
            fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _submit(self, work: Callable[[sqlite3.Connection], Any]) -> "Future[None]":
        done: Future[None] = Future()
        self._jobs.put((work, done))
        return done

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # an answer is on the disk before anyone acts on it
        connection.execute("PRAGMA fullfsync = ON")  # on macOS fsync alone leaves it in the drive's cache
        return connection

    def _write(self) -> None:
        connection = self._connect()
        while jobs := self._waiting_jobs():
            _commit(connection, jobs)
        connection.close()

    def _waiting_jobs(self) -> list[Job]:
        """All that is waiting, at least one job; [] once the cache is closed and nothing waits any more."""
        jobs = [self._jobs.get()]
        while jobs[-1] is not None and not self._jobs.empty():
            jobs.append(self._jobs.get())
        if jobs[-1] is None and len(jobs) > 1:
            self._jobs.put(None)
        return [job for job in jobs if job is not None]

    @contextmanager
    def _mended(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise UserError(f"the response cache {self.path} cannot be used: {error}") from error
        except sqlite3.DatabaseError as error:
            raise UserError(_damaged(self.path, str(error))) from error


def _commit(connection: sqlite3.Connection, jobs: list[Job]) -> None:
    try:
        connection.execute("BEGIN IMMEDIATE")
        for work, _ in jobs:
            work(connection)
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        for _, done in jobs:
            done.set_exception(error)
        return
    for _, done in jobs:
        done.set_result(None)


def _check(path: Path) -> None:
    """Look before anything is changed: a file of another program stays as it is."""
    if not path.exists() or not path.stat().st_size:
        return
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)) as connection:
        known = connection.execute("PRAGMA application_id").fetchone()[0]
        if known != APPLICATION and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise UserError(_damaged(path, "another program wrote it"))


def _damaged(path: Path, reason: str) -> str:
    return (
        f"{path} is no response cache that can be read ({reason}). Move it away to start a new one: mv {path} "
        f"{path}.old; what can be saved of it goes into the new one with: sqlite3 {path}.old .recover | sqlite3 {path}"
    )


def _insert(connection: sqlite3.Connection, request: Request, reply: Reply) -> None:
    shared = [request.prompt.system, request.prompt.context]
    texts = [(_digest(blob), blob) for blob in (text.encode("utf-8", "surrogatepass") for text in shared)]
    connection.executemany("INSERT OR IGNORE INTO texts VALUES (?, ?)", texts)
    asked = {**asdict(request), "prompt": {"name": request.prompt.name, "task": request.prompt.task}}
    row = (request.key, reply.model, time.time(), reply.dollars, json.dumps(asdict(reply)))
    digests = (texts[0][0], texts[1][0])
    # The first answer stays: another process may have asked the same where file locks do not work.
    values = (*row, *digests, json.dumps(asked))
    connection.execute("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)


def read_reply(kept: dict[str, Any]) -> Reply:
    """A reply from plain data; fields that it does not have any more are left out."""
    known = {f.name for f in fields(Reply)}
    given = {name: value for name, value in kept.items() if name in known}
    given["usage"] = Usage(**given["usage"])
    given["logprobs"] = tuple((token, value) for token, value in given["logprobs"])
    return Reply(**given)


def _lock_file(path: Path) -> int:
    name = str(path.resolve())
    if name not in _lock_files:
        _lock_files[name] = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
    return _lock_files[name]


def _offset(key: str) -> int:
    return int(key[:15], 16)


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
