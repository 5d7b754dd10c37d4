"""How far a flow is: told to whoever watches in the terminal and to the Prefect UI."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

Watcher = Callable[[str, int, int], None]  # stage, done, total
UPDATES = 20  # of the Prefect artifact for a stage: each costs a call to the server

_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Tell `watcher` about every stage that runs inside this block."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


class Progress:
    """Counts the tasks of one stage as they finish."""

    def __init__(self, stage: str, total: int):
        """Announce a stage of `total` tasks."""
        self.stage, self.total, self.done = stage, total, 0
        self.every = max(1, total // UPDATES)
        self.artifact = cast(UUID, create_progress_artifact(0.0, description=stage)) if total else None
        self._tell()

    def advance(self) -> None:
        """One more task finished."""
        self.done += 1
        if self.artifact and (self.done % self.every == 0 or self.done == self.total):
            update_progress_artifact(self.artifact, 100.0 * self.done / self.total)
        self._tell()

    def _tell(self) -> None:
        watcher = _watcher.get()
        if watcher:
            watcher(self.stage, self.done, self.total)
