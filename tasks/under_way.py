"""What was under way when a process died: a mark on disk for each task that runs, locked by the process that runs it.

The operating system frees the lock with the process, however that ends. A mark that is there and free says that a
process died at this task, with these very inputs; whoever runs it next does so in a process of its own.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nl2sql.errors import UserError

FOLDER = ".under_way"


class ProcessDied(UserError):
    """A task ended the process in which it ran: a crash in native code, or memory that the system took back."""


@contextmanager
def under_way(root: str, name: str) -> Iterator[bool]:
    """Mark a task while the block runs; yields whether a process died at it before.

    The mark goes away with the end of the block, also by an exception, but stays after ProcessDied. A folder that
    cannot be written gets no mark: the task's own result says so better.
    """
    path = _folder(root) / name
    opened = _open(path)
    if opened is None:
        yield False
        return
    descriptor, was_there = opened
    ours, died = _lock(descriptor), False
    try:
        yield ours and was_there
    except ProcessDied:
        died = True
        raise
    finally:
        if ours and not died:
            with suppress(OSError):  # read-only by now: the result cannot be written either, and says so better
                path.unlink()
        os.close(descriptor)


def _folder(root: str) -> Path:
    """Beside the artifacts, or in the temporary folder for those that lie on another machine."""
    if "://" not in root:
        return Path(root).absolute() / FOLDER
    place = hashlib.sha256(root.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"nl2sql-{os.getuid()}" / place / FOLDER


def _open(path: Path) -> tuple[int, bool] | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), False
        except FileExistsError:
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o600), True
    except OSError:
        return None


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another process runs the same task now, or the file system has no locks
        return False
    return True
