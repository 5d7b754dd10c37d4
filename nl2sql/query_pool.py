"""The parent of the query workers: hands out jobs, collects results, replaces children that died.

Children are started by `subprocess`, never by fork, so any thread of any program may call `run_jobs`. At most one
child per core works at a time in the whole process; idle ones are kept for the next call.
"""

import atexit
import os
import selectors
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Condition
from typing import Any

from nl2sql.query_worker import Messages, message
from nl2sql.read_only import failed

Job = tuple[Any, ...]  # path, sql, double_quoted_strings, seconds, rows, size, keep_rows
PIPELINE_JOBS = 32  # sent to a child before its first result is back
# Bytes sent ahead: below what any pipe buffers, so that the parent never waits on a child that waits on the parent.
PIPELINE_BYTES = 8 * 2**10
START = "import sys; sys.path.insert(0, sys.argv[1]); from nl2sql.query_worker import main; main(int(sys.argv[2]))"
ROOT = str(Path(__file__).resolve().parent.parent)


class Worker:
    """One child process and the jobs that it has not answered yet."""

    def __init__(self) -> None:
        """Start the child; it answers () when it is ready."""
        self._counter = TemporaryFile(buffering=0)  # noqa: SIM115 - lives as long as the child
        self._counter.write(bytes(8))
        counter = self._counter.fileno()
        command = [sys.executable, "-I", "-S", "-c", START, ROOT, str(counter)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0, pass_fds=(counter,))
        self.ready = False
        self.pending: deque[tuple[int, int]] = deque()  # job number, bytes
        self.pending_bytes = 0
        self._unsent = bytearray()
        self._answered = 0
        self._messages = Messages()

    def fileno(self) -> int:
        """The descriptor on which results arrive."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def has_room(self, size: int) -> bool:
        """Whether a job of that size can be sent without waiting."""
        if not self.pending:
            return True
        return len(self.pending) < PIPELINE_JOBS and self.pending_bytes + size <= PIPELINE_BYTES

    def send(self, number: int, content: bytes) -> None:
        """Have a job sent by the next `flush`."""
        self.pending.append((number, len(content)))
        self.pending_bytes += len(content)
        self._unsent += content

    def flush(self) -> None:
        """Send the jobs. A child that has died is noticed when its results end."""
        assert self.process.stdin is not None
        view = memoryview(bytes(self._unsent))
        self._unsent.clear()
        try:
            while view:
                view = view[self.process.stdin.write(view) :]
        except BrokenPipeError:
            return

    def receive(self) -> Iterator[tuple[int, tuple[Any, ...]]] | None:
        """The results that have arrived, as (job number, outcome); None when the child has died."""
        block = os.read(self.fileno(), 2**20)
        if not block:
            return None
        self._messages.add(block)
        return self._results()

    def _results(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        while (content := self._messages.next()) is not None:
            if self.ready:
                number, size = self.pending.popleft()
                self.pending_bytes -= size
                self._answered += 1
                yield number, content
            self.ready = True

    def lost(self) -> tuple[list[int], int | None]:
        """Of a child that has died: the jobs to do again, and the one that it was at."""
        done = int.from_bytes(os.pread(self._counter.fileno(), 8, 0), "little") - self._answered
        numbers = [number for number, _ in self.pending]
        return numbers[:done] + numbers[done + 1 :], numbers[done] if done < len(numbers) else None

    def close(self) -> None:
        """End the child whatever it is doing."""
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout, self._counter):
            if stream is not None:
                stream.close()
        self.process.wait()


class _Idle:
    """Children that wait for work, and the count of those that work."""

    def __init__(self) -> None:
        self.forget()
        os.register_at_fork(after_in_child=self.forget)  # a forked copy must not talk to its parent's children

    def forget(self) -> None:
        self.changed = Condition()
        self.workers: list[Worker] = []
        self.busy = 0

    def borrow(self, limit: int, wait: bool) -> Worker | None:
        with self.changed:
            while self.busy >= limit:
                if not wait:
                    return None
                self.changed.wait()
            self.busy += 1
            if self.workers:
                return self.workers.pop()
        return self._start()

    def _start(self) -> Worker:
        try:
            return Worker()
        except OSError as error:
            self._less_busy()
            raise RuntimeError(f"cannot start a child process for queries: {error}") from error

    def fill(self, limit: int) -> None:
        with self.changed:
            while len(self.workers) + self.busy < limit:
                self.workers.append(Worker())

    def give_back(self, worker: Worker) -> None:
        reusable = worker.ready and not worker.pending and worker.process.poll() is None
        if not reusable:
            worker.close()
        with self.changed:
            if reusable:
                self.workers.append(worker)
        self._less_busy()

    def _less_busy(self) -> None:
        with self.changed:
            self.busy -= 1
            self.changed.notify()

    def close(self) -> None:
        with self.changed:
            workers, self.workers = self.workers, []
        for worker in workers:
            worker.close()


_idle = _Idle()
atexit.register(_idle.close)


def close_workers() -> None:
    """End the children that are idle; the next call starts new ones."""
    _idle.close()


def start_workers() -> None:
    """Start the children of a call that is sure to come: they get ready while the caller does other work.

    Where none can be started nothing is said; the call itself raises.
    """
    with suppress(OSError):
        _idle.fill(cores())


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_jobs(jobs: Sequence[Job], settle: Callable[[int, tuple[Any, ...]], object], workers: int | None = None) -> None:
    """Call `settle` with the number of each job and its outcome, as soon as it is there, from this thread.

    The children work on meanwhile. Raises RuntimeError when they cannot be started.
    """
    if jobs:
        _Run(jobs, settle, max(1, workers or cores())).finish()


class _Run:
    """One call of run_jobs."""

    def __init__(self, jobs: Sequence[Job], settle: Callable[[int, tuple[Any, ...]], object], limit: int) -> None:
        self.jobs = jobs
        self.settle = settle
        self.limit = min(limit, len(jobs))
        self.waiting = deque(range(len(jobs)))
        self.missing = len(jobs)
        self.workers: list[Worker] = []
        self.selector = selectors.DefaultSelector()

    def finish(self) -> None:
        with self._closing():
            while self.missing:
                self._hire()
                for worker in self.workers:
                    self._feed(worker)
                for key, _ in self.selector.select():
                    self._collect(key.fileobj)  # type: ignore[arg-type]

    @contextmanager
    def _closing(self) -> Iterator[None]:
        try:
            yield
        finally:
            self.selector.close()
            for worker in self.workers:
                _idle.give_back(worker)

    def _hire(self) -> None:
        while self.waiting and len(self.workers) < self.limit:
            worker = _idle.borrow(max(self.limit, cores()), wait=not self.workers)
            if worker is None:
                return
            self.workers.append(worker)
            self.selector.register(worker, selectors.EVENT_READ)

    def _feed(self, worker: Worker) -> None:
        # Near the end the children share what is left instead of one holding it all.
        share = max(1, len(self.waiting) // (2 * self.limit))
        while self.waiting and len(worker.pending) < share:
            number = self.waiting[0]
            try:
                content = message(self.jobs[number])
            except ValueError as error:
                self._settle(self.waiting.popleft(), failed("error", str(error)))
                continue
            if not worker.has_room(len(content)):
                break
            worker.send(self.waiting.popleft(), content)
        worker.flush()

    def _collect(self, worker: Worker) -> None:
        arrived = worker.receive()
        if arrived is None:
            self._bury(worker)
            return
        for number, outcome in arrived:
            self._settle(number, outcome)

    def _settle(self, number: int, outcome: tuple[Any, ...]) -> None:
        self.missing -= 1
        self.settle(number, outcome)

    def _bury(self, worker: Worker) -> None:
        self.selector.unregister(worker)
        self.workers.remove(worker)
        code = worker.process.wait()
        again, at = worker.lost()
        worker.ready, was_ready = False, worker.ready
        _idle.give_back(worker)
        if not was_ready:
            raise RuntimeError(f"a child process for queries ended with status {code} before its first query")
        if at is not None:
            self._settle(at, self._cause(at, code))
        self.waiting.extendleft(reversed(again))

    def _cause(self, number: int, code: int) -> tuple[Any, ...]:
        if code == -signal.SIGALRM:
            return failed("timeout", "did not stop at its deadline; its process was ended", self.jobs[number][3])
        if code == -signal.SIGKILL:
            return failed("too_large", "its process was ended, probably for want of memory")
        return failed("error", f"SQLite ended its process (status {code})")
