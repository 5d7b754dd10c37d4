"""One stranger's SQL on one SQLite file: open it so that nothing can be written, run it within limits.

Only light modules of the standard library are imported here: every child process of `execution.execute_many` starts
with this file.
"""

import os
import re
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic, perf_counter
from typing import Any, NamedTuple

from nl2sql.row_digest import RowDigest

KEPT_SIZE = 2**22  # bytes of a result after which no more rows are kept, unless all are wanted
NO_STATEMENT = "there is no statement to execute"
NO_SCRATCH = "sorts need more temporary files than a statement may have"
NOT_UTF8 = "Could not decode to UTF-8"  # how sqlite3's message begins when a text value is not UTF-8
STEPS_BETWEEN_CHECKS = 4000  # SQLite's virtual machine steps between two looks at the clock
MAX_SQL_LENGTH = 1_000_000  # bytes, SQLite's own recommendation for untrusted SQL
# Bytes of the longest value: a generated column or a view can make values that are in no file.
LONGEST_VALUE = 2**28

READ_ACTIONS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})
LISTING_PRAGMAS = frozenset(
    ("table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list")
)
VALUE_PRAGMAS = frozenset({"data_version", "page_size"})  # FTS reads these; with an argument they would write
RTREE_TABLES = ("_node", "_rowid", "_parent")
DENIED_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "fsdir"})
WAL_FORMAT = b"\x02\x02"  # bytes 18 and 19 of the header of a database in write-ahead-log mode

UNRESERVED = frozenset(b"/._-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")  # in a URI's path

# Everything in SQLite's grammar that can hold a double quote without starting a quoted name, then the quoted name.
QUOTED = re.compile(
    r"'[^']*(?:''[^']*)*'?|`[^`]*(?:``[^`]*)*`?|\[[^\]]*\]?|--[^\n]*|/\*.*?(?:\*/|\Z)"
    r'|"(?P<name>[^"]*(?:""[^"]*)*)"',
    re.DOTALL,
)

# The fields of ExecutionResult in their order.
Outcome = tuple[str, str, tuple[str, ...], tuple[tuple[Any, ...], ...], int, float, str, int, bool]
FAILURES = (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError)


def open_read_only(
    path: str | os.PathLike[str], double_quoted_strings: bool = False, pragmas: Sequence[str] = ()
) -> sqlite3.Connection:
    """Open a database so that no SQL can change it, the file system or the connection's guards.

    `mode=ro`, `query_only`, no attached databases, no value over LONGEST_VALUE, and an authorizer that lets through
    only reading: SELECT, functions other than those that load code or touch files, and PRAGMAs that list tables,
    columns, indexes and keys. Text that is not UTF-8 comes back with lone surrogates (`surrogateescape`), so that
    different bytes stay different.

    With `double_quoted_strings` False, "name" is always an identifier, as in the SQL standard; with True SQLite's old
    habit holds, an unknown "name" is the string 'name'. Views keep whatever they were written with. `pragmas` are the
    caller's own settings ("cache_size = -2000"), made before the guards are up.

    Raises sqlite3.OperationalError when there is no such file. A file that is no database fails at the first query.
    A database in WAL mode without a -wal file is taken to have no writer, so that no file is created beside it.
    """
    if not os.path.isfile(path):
        raise sqlite3.OperationalError(f"unable to open database file: {os.fspath(path)!r} is not a file")
    connection = sqlite3.connect(
        read_only_uri(path),
        uri=True,
        isolation_level=None,
        factory=_factory(double_quoted_strings),
        check_same_thread=False,
    )
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    for pragma in ("query_only = 1", "trusted_schema = 0", "cell_size_check = 1", *pragmas):
        connection.execute("PRAGMA " + pragma)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, MAX_SQL_LENGTH)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    connection.set_authorizer(_authorize)
    return connection


def read_only_uri(path: str | os.PathLike[str]) -> str:
    """The URI under which SQLite reads a file whatever its name holds, and makes no file beside an idle one."""
    plain = os.fsencode(os.path.abspath(path))
    quoted = "".join(chr(b) if b in UNRESERVED else f"%{b:02X}" for b in plain)
    return f"file://{quoted}?mode=ro" + ("&immutable=1" if _is_idle_wal(path) else "")


def _is_idle_wal(path: str | os.PathLike[str]) -> bool:
    with open(path, "rb") as file:
        header = file.read(20)
    return header[18:20] == WAL_FORMAT and not os.path.exists(os.fspath(path) + "-wal")


def _authorize(action: int, name: str | None, argument: str | None, _database: str | None, _view: str | None) -> int:
    if action in READ_ACTIONS or _is_bookkeeping(action, name or ""):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_DENY if (argument or "").lower() in DENIED_FUNCTIONS else sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA:
        allowed = LISTING_PRAGMAS if argument else LISTING_PRAGMAS | VALUE_PRAGMAS
        return sqlite3.SQLITE_OK if (name or "").lower() in allowed else sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_DENY


def _is_bookkeeping(action: int, table: str) -> bool:
    # Virtual tables (json_each, FTS, R-tree) prepare these when they are only read; mode=ro refuses to execute them.
    if action == sqlite3.SQLITE_UPDATE:
        return table == "sqlite_master"
    return action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_DELETE) and table.endswith(RTREE_TABLES)


def strict_quotes(sql: str) -> str:
    """The statement with "name" written `name`, which SQLite never takes for a string.

    Same meaning as switching SQLITE_DBCONFIG_DQS_DML off, which Python can do only from 3.12, and which would also
    break views that rely on the old habit.
    """
    return QUOTED.sub(_backticked, sql) if '"' in sql else sql


def _backticked(match: re.Match[str]) -> str:
    name = match["name"]
    if name is None:
        return match[0]
    before, after = match.string[: match.start()][-1:], match.string[match.end() : match.end() + 1]
    quoted = "`" + name.replace('""', '"').replace("`", "``") + "`"
    return " " * (before == "`") + quoted + " " * (after == "`")


class _StrictCursor(sqlite3.Cursor):
    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        return super().execute(strict_quotes(sql), parameters)


class _StrictConnection(sqlite3.Connection):
    def cursor(self, factory: Any = _StrictCursor) -> Any:
        return super().cursor(factory)

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        return super().execute(strict_quotes(sql), parameters)


def _factory(double_quoted_strings: bool) -> type[sqlite3.Connection]:
    return sqlite3.Connection if double_quoted_strings else _StrictConnection


def run(
    connection: sqlite3.Connection,
    sql: str,
    seconds: float,
    rows: int,
    size: int,
    keep_rows: int | None,
    at_once: int = 1,
    is_too_large: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Execute one statement within `seconds`, `rows` read and `size` bytes read; never raises for what SQL does.

    It is stopped, too, when `is_too_large` says so, which is asked as often as the clock.

    The rows are hashed as they come, `at_once` at a time, so memory does not grow with the result beyond those and the
    rows kept. Not covered: a single long call of a C function inside SQLite, which no clock interrupts; only ending
    the process does.
    """
    started = perf_counter()
    deadline = monotonic() + seconds
    # Not below what the CREATE statements of a schema may need.
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, min(max(size, MAX_SQL_LENGTH), 1_000_000_000))
    large = False

    def stop() -> bool:
        nonlocal large
        large = large or is_too_large()
        return large or monotonic() > deadline

    connection.set_progress_handler(stop, STEPS_BETWEEN_CHECKS)
    try:
        outcome = _read_decoding(connection, sql, _Bounds(rows, size, keep_rows, deadline, at_once))
    except FAILURES as error:
        outcome = failed(*_explain(error, monotonic() > deadline, large))
    finally:
        connection.set_progress_handler(None, 0)
    return (*outcome[:5], perf_counter() - started, *outcome[6:])


class _Bounds(NamedTuple):
    rows: int
    size: int
    keep_rows: int | None
    deadline: float
    at_once: int


def _read_decoding(connection: sqlite3.Connection, sql: str, bounds: _Bounds) -> Outcome:
    # Decoding in C is several times faster; only a result with text that is not UTF-8 is read again in Python.
    tolerant, connection.text_factory = connection.text_factory, str
    try:
        return _read_roomy(connection, sql, bounds)
    except sqlite3.OperationalError as error:
        if not str(error).startswith(NOT_UTF8):
            raise
    finally:
        connection.text_factory = tolerant
    return (*_read_roomy(connection, sql, bounds)[:-1], False)


def _read_roomy(connection: sqlite3.Connection, sql: str, bounds: _Bounds) -> Outcome:
    # Rows of many megabytes may have no room beside each other where each of them has.
    try:
        return _read(connection.execute(sql), bounds)
    except _TooLargeError:
        raise
    except MemoryError:
        if bounds.at_once == 1:
            raise
    return _read(connection.execute(sql), bounds._replace(at_once=1))


def _read(cursor: sqlite3.Cursor, bounds: _Bounds) -> Outcome:
    if cursor.description is None:
        return failed("error", NO_STATEMENT)
    columns = tuple(d[0] for d in cursor.description)
    kept: list[tuple[Any, ...]] = []
    limit = bounds.rows if bounds.keep_rows is None else bounds.keep_rows
    digest = RowDigest()
    while rows := cursor.fetchmany(bounds.at_once):
        digest.add(rows)
        _check(digest, bounds)
        if len(kept) < limit and (bounds.keep_rows is None or digest.size <= KEPT_SIZE):
            kept += rows[: limit - len(kept)]
        if len(rows) < bounds.at_once:
            break
    outcome = "empty" if digest.rows == 0 else "all_null" if digest.types == {type(None)} else "ok"
    hexadecimal, distinct = digest.finish()
    return outcome, "", columns, tuple(kept), digest.rows, 0.0, hexadecimal, distinct, True


class _TooLargeError(MemoryError):
    pass


def _check(digest: RowDigest, bounds: _Bounds) -> None:
    if digest.rows > bounds.rows:
        raise _TooLargeError(f"more than {bounds.rows} rows")
    if digest.size > bounds.size:
        raise _TooLargeError(f"more than {bounds.size} bytes of result")
    if monotonic() > bounds.deadline:  # what happens to the rows takes time too
        raise sqlite3.OperationalError("interrupted")


def _explain(error: BaseException, late: bool, large: bool) -> tuple[str, str]:
    message = str(error) or type(error).__name__
    if large or getattr(error, "sqlite_errorname", "") == "SQLITE_IOERR_WRITE":  # of a file as large as one may be
        return "too_large", NO_SCRATCH
    if isinstance(error, MemoryError):
        return "too_large", message if isinstance(error, _TooLargeError) else "out of memory"
    if isinstance(error, sqlite3.DataError) and "too big" in message:
        return "too_large", message
    if late and message == "interrupted":
        return "timeout", message
    return "error", message


def failed(outcome: str, message: str, seconds: float = 0.0) -> Outcome:
    """The outcome of a statement that gave no result."""
    return outcome, message, (), (), 0, seconds, "", 0, True
