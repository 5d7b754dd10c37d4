"""One local model in memory at a time, whoever asks: a lock of the operating system that a kill -9 releases.

The process that loads a model holds `model.lock`. One that waits for it holds `queue.lock` meanwhile, so that a holder
that only stays warm can tell that somebody wants its place. What happened stands in `acquisitions.jsonl`: lines are
written under the lock, each acquisition names the one before it and whether that process was still alive.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from nl2sql.errors import UserError

LOG = "acquisitions.jsonl"
POLL_SECONDS = 0.05
LOG_BYTES = 4 * 2**20  # of the log, then it begins anew with the last lines kept


@dataclass(frozen=True)
class Holder:
    """A process that holds the lock, or wants to."""

    pid: int
    role: str  # what it does: 'train generator_a', 'answer generator_a'
    model: str
    since: float  # Unix time

    def __str__(self) -> str:
        """As a line for those who wait."""
        clock = time.strftime("%H:%M:%S", time.localtime(self.since))
        return f"process {self.pid} ({self.role or 'unknown work'} with {self.model or 'some model'}) since {clock}"


Waiting = Callable[[Holder | None], None]


@contextmanager
def holding(folder: Path, role: str, model: str, waiting: Waiting = lambda holder: None) -> Iterator[None]:
    """Hold the machine's one place for a local model; `waiting` is told whom for, again when that changes.

    Raises UserError when the folder cannot be written.
    """
    lock = _open(folder, "model.lock")
    with lock, _open(folder, "queue.lock") as queue:
        if not _taken(lock):
            _wait(queue, lambda: waiting(_read_holder(lock)))
            _wait(lock, lambda: waiting(_read_holder(lock)))
            fcntl.flock(queue, fcntl.LOCK_UN)
        me = Holder(os.getpid(), role, model, time.time())
        _enter(folder, lock, me)
        try:
            yield
        finally:
            _log(folder, "released", me)
            _write_holder(lock, None)


def wanted(folder: Path) -> bool:
    """Whether another process waits for the lock: who holds it only to stay warm should leave."""
    with _open(folder, "queue.lock") as queue:
        return not _taken(queue, fcntl.LOCK_SH)


def holder(folder: Path) -> Holder | None:
    """Who holds the lock now; None when it is free."""
    with _open(folder, "model.lock") as lock:
        return None if _taken(lock, fcntl.LOCK_SH) else _read_holder(lock)


def _open(folder: Path, name: str) -> IO[str]:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return open(folder / name, "a+", encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot write {folder / name}: {error.strerror or error}. Local models need a folder for their lock there"
        ) from error


def _taken(file: IO[str], mode: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(file: IO[str], told: Callable[[], None]) -> None:
    """Take a lock; polls, because the one it waits for may change meanwhile and those who watch are told."""
    while not _taken(file):
        told()
        time.sleep(POLL_SECONDS)


def _read_holder(lock: IO[str]) -> Holder | None:
    lock.seek(0)
    try:
        return Holder(**json.loads(lock.read()))
    except (ValueError, TypeError):  # between two holders, or a line that is half written
        return None


def _write_holder(lock: IO[str], me: Holder | None) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(json.dumps(asdict(me)) if me else "")
    lock.flush()


def _enter(folder: Path, lock: IO[str], me: Holder) -> None:
    before = _read_holder(lock)
    if before is not None:  # it never said that it left
        _log(folder, "left", before, alive=_alive(before.pid))
    _write_holder(lock, me)
    _log(folder, "acquired", me)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _log(folder: Path, event: str, who: Holder, **more: Any) -> None:
    path = folder / LOG
    line = json.dumps({"event": event, "at": time.time(), "monotonic": time.monotonic(), **asdict(who), **more})
    if path.exists() and path.stat().st_size > LOG_BYTES:
        kept = path.read_text(encoding="utf-8").splitlines()[-1000:]
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    with open(path, "a", encoding="utf-8") as file:
        file.write(line + "\n")


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The acquisitions of a folder, oldest first; [] when there was none."""
    path = folder / LOG
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def overlaps(log: list[dict[str, Any]]) -> list[str]:
    """What in a log shows two holders at once: [] is the proof that there never were.

    An acquisition must follow the release of the one before it, or the note that its process is dead.
    """
    faults, inside = [], None
    for line in log:
        if line["event"] == "acquired":
            if inside is not None:
                faults.append(f"{line['pid']} entered while {inside['pid']} was inside")
            inside = line
        else:
            if line.get("alive"):
                faults.append(f"{line['pid']} lost the lock while it was alive")
            inside = None
    return faults
