"""How far a flow is: told to whoever watches in the terminal, to the Prefect UI and to the run's log."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows.run_names import artifact_key, dataset_name

Watcher = Callable[[str, int, int], None]  # stage, done, total
UPDATE_SECONDS = 2.0  # between updates of the Prefect artifact: each is a call to the server, 8 to 100 ms

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
    """Counts the tasks of one stage as they finish; the artifact progress-<dataset> shows the stage that runs."""

    def __init__(self, stage: str, total: int):
        """Announce a stage of `total` tasks; call it inside a flow."""
        self.stage, self.total, self.done = stage, total, 0
        self.started = self.updated = time.monotonic()
        self.artifact = self._create() if total else None
        self._tell()

    def _create(self) -> UUID:
        key = artifact_key("progress", dataset_name())
        return cast(UUID, create_progress_artifact(0.0, key, self._description()))

    def _description(self) -> str:
        return f"{self.stage} of {dataset_name()}: {self.done:,} of {self.total:,} tasks"

    def advance(self, total: int) -> None:
        """One more task finished, of a total that may have grown."""
        self.done, self.total = self.done + 1, total
        now = time.monotonic()
        if self.artifact and (now - self.updated >= UPDATE_SECONDS or self.done == self.total):
            self.updated = now
            update_progress_artifact(self.artifact, 100.0 * self.done / self.total, self._description())
        self._tell()

    @property
    def seconds(self) -> float:
        """Seconds since the stage began."""
        return time.monotonic() - self.started

    def _tell(self) -> None:
        watcher = _watcher.get()
        if watcher:
            watcher(self.stage, self.done, self.total)
