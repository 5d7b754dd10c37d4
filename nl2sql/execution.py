"""Run SQL from a stranger against a SQLite file: read-only, limited in time, rows and memory.

`execute` runs one statement in this process, `execute_many` runs many in child processes that are ended when they
ignore the limits. `read_only.py` holds the guards, `query_worker.py` the child, `query_pool.py` its parent.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nl2sql.query_pool import run_jobs
from nl2sql.read_only import FAILURES, NO_STATEMENT, Outcome, failed, open_read_only, run

__all__ = ["NO_STATEMENT", "ExecutionResult", "Limits", "execute", "execute_many", "open_read_only"]

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Limits:
    """What one statement may use. `keep_rows` is how many of its rows come back, None for all."""

    seconds: float = 30.0
    rows: int = 1_000_000  # read before the outcome is too_large
    bytes: int = 256 * 2**20  # of the values read
    keep_rows: int | None = 10


@dataclass(frozen=True)
class ExecutionResult:
    """What came of one statement.

    Outcomes: ok, empty (no rows), all_null (no value in any row), error, timeout, too_large (over the row, byte or
    memory limit). `error` holds SQLite's message for the last three. `digest` is equal for two results exactly when
    Python finds their sets of row tuples equal (1 == 1.0, '1' != 1, NULL == NULL); '' when there is no result.
    """

    outcome: str
    error: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]  # the first keep_rows
    row_count: int
    seconds: float
    digest: str
    distinct_count: int = 0  # of the rows
    is_utf8: bool = True  # False when a text value is not and was decoded with surrogateescape

    @property
    def ran(self) -> bool:
        """Whether there is a result, be it empty."""
        return bool(self.digest)

    @property
    def is_whole(self) -> bool:
        """Whether `rows` holds all rows of the result."""
        return len(self.rows) == self.row_count


def execute(
    path: PathLike, sql: str, limits: Limits | None = None, double_quoted_strings: bool = False
) -> ExecutionResult:
    """Run one statement in this process. Never raises for what the SQL or the database does.

    Not covered: a single long C call inside SQLite, and memory that one row takes; `execute_many` survives both.
    """
    limits = limits or Limits()
    try:
        connection = open_read_only(path, double_quoted_strings)
    except FAILURES as error:
        return ExecutionResult(*failed("error", str(error)))
    try:
        outcome = run(connection, sql, limits.seconds, limits.rows, limits.bytes, limits.keep_rows)
    finally:
        connection.close()
    return ExecutionResult(*outcome)


def execute_many(
    jobs: Sequence[tuple[PathLike, str]],
    limits: Limits | None = None,
    workers: int | None = None,
    double_quoted_strings: bool = False,
    finished: Callable[[int, ExecutionResult], object] = lambda place, result: None,
) -> list[ExecutionResult]:
    """Run each distinct (path, sql) once in child processes, one per core unless `workers` says otherwise.

    Gives one result per job, in the order of the jobs. `finished` is called with the place of each job and its result
    as they come, in this thread and while others are still executed; it must not execute anything itself, for all
    children may be taken. A statement that ignores its limits takes its process with it: its outcome is timeout, and
    the other jobs go on. Children stay warm for the next call from any thread. Raises RuntimeError when no child can
    be started.
    """
    limits = limits or Limits()
    places = _places(jobs)
    # Jobs of one database follow each other, so that its pages stay in the children's caches.
    distinct = sorted(places, key=lambda key: key[0])
    settings = (double_quoted_strings, limits.seconds, limits.rows, limits.bytes, limits.keep_rows)
    results: dict[int, ExecutionResult] = {}

    def settle(number: int, outcome: Outcome) -> None:
        result = ExecutionResult(*outcome)
        for place in places[distinct[number]]:
            results[place] = result
            finished(place, result)

    run_jobs([(*key, *settings) for key in distinct], settle, workers)
    return [results[place] for place in range(len(jobs))]


def _places(jobs: Sequence[tuple[PathLike, str]]) -> dict[tuple[str, str], list[int]]:
    """Where each distinct job stands."""
    absolute = {path: os.path.abspath(path) for path in {path for path, _ in jobs}}
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, (path, sql) in enumerate(jobs):
        places[absolute[path], sql].append(place)
    return places
