"""Run SQL from a stranger against a SQLite file: read-only, limited in time, rows and memory.

`execute` runs one statement in this process, `execute_many` runs many in child processes that are ended when they
ignore the limits. `read_only.py` holds the guards, `query_worker.py` the child, `query_pool.py` its parent.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nl2sql.query_pool import run_jobs
from nl2sql.read_only import FAILURES, NO_STATEMENT, failed, open_read_only, run

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
) -> list[ExecutionResult]:
    """Run each distinct (path, sql) once in child processes, one per core unless `workers` says otherwise.

    Gives one result per job, in the order of the jobs. A statement that ignores its limits takes its process with it:
    its outcome is timeout, and the other jobs go on. Children stay warm for the next call from any thread.
    Raises RuntimeError when no child can be started.
    """
    limits = limits or Limits()
    keys = [(os.path.abspath(path), sql) for path, sql in jobs]
    # Jobs of one database follow each other, so that its pages stay in the children's caches.
    distinct = sorted(dict.fromkeys(keys), key=lambda key: key[0])
    settings = (double_quoted_strings, limits.seconds, limits.rows, limits.bytes, limits.keep_rows)
    outcomes = run_jobs([(*key, *settings) for key in distinct], workers)
    results = {key: ExecutionResult(*outcome) for key, outcome in zip(distinct, outcomes, strict=True)}
    return [results[key] for key in keys]
