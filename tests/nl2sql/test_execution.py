"""SQL from a stranger: what it may read, what it may cost, and that nothing is ever changed by it."""

import hashlib
import os
import sqlite3
import subprocess
import threading
import time
import tracemalloc
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from nl2sql.execution import NO_STATEMENT, ExecutionResult, Limits, execute, execute_many, open_read_only
from nl2sql.query_pool import close_workers, cores, start_workers
from nl2sql.query_worker import SCRATCH_LIMIT, SECONDS_BETWEEN_LOOKS, Scratch
from nl2sql.read_only import NO_SCRATCH, run, strict_quotes

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
TEN_MILLION = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 10000000) "
QUICK = Limits(seconds=0.5)
# One call of a C function that takes minutes and never looks at the clock.
DEAF = "SELECT instr(hex(zeroblob(5000000)), hex(zeroblob(2500000)) || '1')"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL, "odd "" name" TEXT);
        INSERT INTO item VALUES (1, 'pen', 1.0, 'a'), (2, 'ink', 2.5, 'b'), (3, NULL, NULL, 'c');
        CREATE VIEW habit AS SELECT "pen" AS word;
        """
    )
    connection.close()
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


ATTACKS = [
    "INSERT INTO item VALUES (4, 'x', 1, 'x')",
    "UPDATE item SET name = 'x'",
    "DELETE FROM item",
    "DROP TABLE item",
    "CREATE TABLE t (a)",
    "CREATE TEMP TABLE t (a)",
    "CREATE TRIGGER t AFTER INSERT ON item BEGIN SELECT 1; END",
    "ALTER TABLE item RENAME TO thing",
    "REINDEX",
    "ANALYZE",
    "VACUUM",
    "BEGIN IMMEDIATE",
    "SAVEPOINT s",
    "PRAGMA journal_mode = WAL",
    "PRAGMA query_only = 0",
    "PRAGMA writable_schema = 1",
    "PRAGMA user_version = 7",
    "PRAGMA page_size = 512",
    "PRAGMA hard_heap_limit = 0",
    "UPDATE sqlite_master SET sql = ''",
    "SELECT load_extension('anything')",
    "SELECT LOAD_EXTENSION('anything', 'x')",
    "WITH t AS (SELECT 1) INSERT INTO item SELECT 9, 'x', 1, 'x' FROM t",
    "REPLACE INTO item VALUES (1, 'x', 1, 'x')",
    "INSERT INTO item VALUES (4, 'x', 1, 'x') RETURNING *",
]


@pytest.mark.parametrize("sql", ATTACKS)
def test_nothing_can_be_written(database: Path, sql: str) -> None:
    before = digest(database)
    assert execute(database, sql).outcome == "error"
    assert digest(database) == before
    assert os.listdir(database.parent) == [database.name]


@pytest.mark.parametrize("statement", ["ATTACH DATABASE '{}' AS other", "VACUUM INTO '{}'", "VACUUM main INTO '{}'"])
def test_no_file_can_be_made(database: Path, tmp_path: Path, statement: str) -> None:
    assert execute(database, statement.format(tmp_path / "stolen")).outcome == "error"
    assert not (tmp_path / "stolen").exists()


def test_attacks_fail_the_same_way_in_children_which_go_on(database: Path) -> None:
    before = digest(database)
    results = execute_many([(database, sql) for sql in [*ATTACKS, "SELECT count(*) FROM item"]])
    assert [r.outcome for r in results[:-1]] == ["error"] * len(ATTACKS)
    assert results[-1].rows == ((3,),)
    assert digest(database) == before


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT name FROM pragma_table_info('item') LIMIT 1", (("id",),)),
        ("SELECT value FROM json_each('[4]')", ((4,),)),
        ("PRAGMA table_info(item)", None),
        ("EXPLAIN QUERY PLAN SELECT * FROM item", None),
        ("WITH a AS (SELECT 1) SELECT * FROM a -- the end", ((1,),)),
        ("SELECT 1;", ((1,),)),
        ("SELECT\r\n1\r\n", ((1,),)),
        ("VALUES (1), (2)", ((1,), (2,))),
    ],
)
def test_reading_is_allowed(database: Path, sql: str, rows: tuple[tuple[int, ...], ...] | None) -> None:
    result = execute(database, sql)
    assert result.outcome == "ok", result.error
    assert rows is None or result.rows == rows


def test_virtual_tables_can_be_read_but_not_written(tmp_path: Path) -> None:
    path = tmp_path / "virtual.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE VIRTUAL TABLE box USING rtree(id, low, high); INSERT INTO box VALUES (1, 2, 3);"
        "CREATE VIRTUAL TABLE note USING fts5(text); INSERT INTO note VALUES ('hello world');"
    )
    connection.close()
    before = digest(path)
    assert execute(path, "SELECT id FROM box").rows == ((1,),)
    assert execute(path, "SELECT * FROM note WHERE note MATCH 'hello'").row_count == 1
    for sql in ("DELETE FROM box", "DELETE FROM box_node", "INSERT INTO note VALUES ('x')", "DELETE FROM note_idx"):
        assert execute(path, sql).outcome == "error"
    assert digest(path) == before


@pytest.mark.parametrize("sql", ["", "  \n", ";", "-- only this", "/* or */", "/* not closed", " ; -- x"])
def test_no_statement_is_an_error_that_says_so(database: Path, sql: str) -> None:
    result = execute(database, sql)
    assert (result.outcome, result.error, result.digest) == ("error", NO_STATEMENT, "")


@pytest.mark.parametrize("sql", ["SELECT 1; SELECT 2", "SELECT 1;;SELECT 2", "SELECT 1; DROP TABLE item"])
def test_several_statements_are_an_error(database: Path, sql: str) -> None:
    assert "one statement" in execute(database, sql).error


@pytest.mark.parametrize(
    "sql", ["SELECT 1\0", "\0", "SELECT '\ud800'", "SELECT " + "1+" * 50_000 + "1", "SELECT ?", "("]
)
def test_strange_text_is_an_error(database: Path, sql: str) -> None:
    assert execute(database, sql).outcome == "error"
    assert execute_many([(database, sql)])[0].outcome == "error"


def test_an_endless_query_times_out(database: Path) -> None:
    started = time.monotonic()
    result = execute(database, ENDLESS + "SELECT sum(x) FROM c", QUICK)
    assert (result.outcome, result.digest) == ("timeout", "")
    assert time.monotonic() - started < 5


def test_an_endless_result_is_stopped_by_each_limit(database: Path) -> None:
    sql = ENDLESS + "SELECT x FROM c"
    assert execute(database, sql, Limits(rows=1000)).outcome == "too_large"
    assert execute(database, sql, Limits(bytes=1000)).outcome == "too_large"
    assert execute(database, sql, Limits(seconds=0.3, rows=10**12, bytes=10**12)).outcome == "timeout"


def test_ten_million_rows_stop_at_the_row_limit(database: Path) -> None:
    assert execute_many([(database, TEN_MILLION + "SELECT x FROM c")], Limits(rows=50_000))[0].outcome == "too_large"
    assert execute(database, TEN_MILLION + "SELECT x FROM c", Limits(rows=50_000)).error == "more than 50000 rows"


def test_exactly_the_row_limit_is_allowed(database: Path) -> None:
    assert execute(database, "SELECT * FROM item", Limits(rows=3)).outcome == "ok"
    assert execute(database, "SELECT * FROM item", Limits(rows=2)).outcome == "too_large"


def test_a_query_that_ignores_the_clock_dies_alone(database: Path) -> None:
    jobs = [(database, f"SELECT {i}") for i in range(40)]
    results = execute_many([*jobs[:20], (database, DEAF), *jobs[20:]], QUICK, workers=1)
    assert results.pop(20).outcome == "timeout"
    assert [r.rows[0][0] for r in results] == list(range(40))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT zeroblob(1000000000)",
        "SELECT hex(randomblob(500000000))",
        "SELECT group_concat(hex(zeroblob(1000000))) FROM (" + TEN_MILLION + "SELECT x FROM c)",
        ENDLESS + "SELECT x, randomblob(1000) AS y FROM c ORDER BY y",
        "SELECT " + ", ".join(["zeroblob(200000000)"] * 40),
    ],
)
def test_memory_bombs_are_too_large_and_the_next_query_runs(database: Path, sql: str) -> None:
    bomb, after = execute_many([(database, sql), (database, "SELECT 1")], Limits(seconds=3), workers=1)
    assert bomb.outcome in ("too_large", "timeout")
    assert after.rows == ((1,),)


def test_a_statement_is_stopped_for_its_temporary_files(database: Path) -> None:
    connection = open_read_only(database)
    found = run(connection, TEN_MILLION + "SELECT count(*) FROM c", 30, 10, 10**6, 10, 1, lambda: True)
    assert found[:2] == ("too_large", NO_SCRATCH)
    assert run(connection, "SELECT 1", 30, 10, 10**6, 10)[0] == "ok"


def test_temporary_files_are_those_without_a_name(tmp_path: Path) -> None:
    with (tmp_path / "named").open("wb") as named, TemporaryFile() as unnamed:
        named.truncate(SCRATCH_LIMIT + 1)
        assert not Scratch().is_too_large()
        unnamed.truncate(SCRATCH_LIMIT + 1)
        assert Scratch().is_too_large()


def test_one_look_at_temporary_files_serves_many_statements_and_the_next_is_soon(tmp_path: Path) -> None:
    scratch = Scratch()
    assert not scratch.is_too_large()
    with TemporaryFile() as unnamed:
        unnamed.truncate(SCRATCH_LIMIT + 1)
        assert not scratch.is_too_large()
        time.sleep(2 * SECONDS_BETWEEN_LOOKS)
        assert scratch.is_too_large()


def test_a_sort_larger_than_the_page_cache_leaves_no_file(database: Path, tmp_path: Path) -> None:
    sql = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 300000) "
    sql += "SELECT x FROM c ORDER BY hex(x * 7919 % 300007) || zeroblob(40) LIMIT 1"
    (found,) = execute_many([(database, sql)])
    assert found.outcome == "ok"
    assert {p.name for p in database.parent.iterdir()} == {database.name}


def test_a_large_result_does_not_stay_in_memory(database: Path) -> None:
    many_rows = TEN_MILLION.replace("10000000", "50000") + "SELECT x, printf('%02000d', x) FROM c"  # 100 MB of rows
    tracemalloc.start()
    result = execute(database, many_rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (result.outcome, result.row_count, result.distinct_count) == ("ok", 50_000, 50_000)
    assert peak < 30 * 2**20


def test_equal_jobs_run_once_and_come_back_in_order(database: Path) -> None:
    results = execute_many([(database, "SELECT 2"), (database, "SELECT random()"), (str(database), "SELECT random()")])
    assert results[0].rows == ((2,),)
    assert results[1] is results[2]


def test_each_result_is_told_while_others_are_still_executed(database: Path) -> None:
    told: dict[int, tuple[str, float]] = {}
    started = time.monotonic()

    def finished(place: int, result: ExecutionResult) -> None:
        told[place] = result.outcome, time.monotonic() - started

    jobs = [(database, "SELECT 1"), (database, ENDLESS + "SELECT sum(x) FROM c"), (str(database), "SELECT 1")]
    execute_many(jobs, Limits(seconds=1), workers=2, finished=finished)
    assert {place: outcome for place, (outcome, _) in told.items()} == {0: "ok", 1: "timeout", 2: "ok"}
    assert told[0][1] < 0.9 < told[1][1]


def test_what_the_listener_raises_ends_the_call_and_not_the_children(database: Path) -> None:
    def finished(place: int, result: ExecutionResult) -> None:
        raise KeyError(place)

    with pytest.raises(KeyError):
        execute_many([(database, f"SELECT {i}") for i in range(100)], finished=finished)
    assert [r.rows for r in execute_many([(database, "SELECT 7"), (database, "SELECT 8")])] == [((7,),), ((8,),)]


def test_children_started_ahead_are_the_ones_that_work(database: Path) -> None:
    close_workers()
    start_workers()
    start_workers()
    ahead = child_processes()
    assert len(ahead) == cores()
    assert len(execute_many([(database, f"SELECT {i}") for i in range(100)])) == 100
    assert child_processes() == ahead
    close_workers()
    start_workers()
    close_workers()  # while they are not ready yet
    assert child_processes() == set()


def child_processes() -> set[str]:
    columns = ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="]
    lines = subprocess.run(columns, capture_output=True, text=True, check=True).stdout.splitlines()
    found = (line.split(maxsplit=2) for line in lines if "nl2sql.query_worker" in line)
    return {pid for pid, parent, _ in found if int(parent) == os.getpid()}


def test_no_jobs() -> None:
    assert execute_many([]) == []


def test_children_agree_with_this_process(database: Path) -> None:
    statements = [
        "SELECT * FROM item",
        "SELECT name FROM item WHERE id = 3",
        "SELECT 1 WHERE 0",
        "SELECT x",
        'SELECT "x"',
    ]
    for double_quoted in (False, True):
        many = execute_many([(database, sql) for sql in statements], double_quoted_strings=double_quoted)
        for sql, result in zip(statements, many, strict=True):
            alone = execute(database, sql, double_quoted_strings=double_quoted)
            assert comparable(alone) == comparable(result)


def comparable(result: ExecutionResult) -> tuple[object, ...]:
    return result.outcome, result.error, result.columns, result.rows, result.row_count, result.digest


@pytest.mark.parametrize("sql", ATTACKS)
def test_children_refuse_in_the_same_words(database: Path, sql: str) -> None:
    other, result = execute_many([(database, "SELECT 1"), (database, sql)], workers=1)
    assert other.rows == ((1,),)
    assert comparable(result) == comparable(execute(database, sql))


def test_the_database_can_be_written_once_the_answers_are_there(database: Path) -> None:
    execute_many([(database, f"SELECT {i} FROM item") for i in range(20)], workers=1)
    with sqlite3.connect(database, timeout=0) as connection:
        connection.execute("DELETE FROM item WHERE id = 3")
    connection.close()
    assert execute_many([(database, "SELECT count(*) FROM item")], workers=1)[0].rows == ((2,),)


def test_a_writer_gets_its_turn_between_statements(database: Path) -> None:
    counting = TEN_MILLION.replace("10000000", "100000")
    jobs = [(database, f"{counting} SELECT sum(x) + {i} FROM c, item") for i in range(150)]
    asking = threading.Thread(target=execute_many, args=(jobs,), kwargs={"workers": 1})
    asking.start()
    with sqlite3.connect(database, timeout=5) as connection:
        connection.execute("DELETE FROM item WHERE id = 3")
    connection.close()
    was_asking = asking.is_alive()
    asking.join()
    assert was_asking


def test_large_results_beside_a_query_that_dies_are_not_lost(database: Path) -> None:
    large = [(database, f"{TEN_MILLION.replace('10000000', '900')} SELECT x, {i} FROM c") for i in range(12)]
    jobs = [*large[:6], (database, DEAF), (database, "SELECT 5"), (database, DEAF + " AS y"), *large[6:]]
    results = execute_many(jobs, Limits(seconds=0.5, keep_rows=None), workers=1)
    assert [r.outcome for r in results] == ["ok"] * 6 + ["timeout", "ok", "timeout"] + ["ok"] * 6
    assert [r.row_count for r in results if r.outcome == "ok"] == [900] * 6 + [1] + [900] * 6


def test_outcomes(database: Path) -> None:
    outcomes = {
        "SELECT * FROM item": "ok",
        "SELECT * FROM item WHERE 0": "empty",
        "SELECT name, price FROM item WHERE id = 3": "all_null",
        "SELECT name, 1 FROM item WHERE id = 3": "ok",
        "SELECT nothing FROM item": "error",
    }
    assert {sql: execute(database, sql).outcome for sql in outcomes} == outcomes


def test_rows_kept(database: Path) -> None:
    sql = "SELECT id FROM item ORDER BY id"
    assert execute(database, sql, Limits(keep_rows=2)).rows == ((1,), (2,))
    assert execute(database, sql, Limits(keep_rows=0)).rows == ()
    assert execute(database, sql, Limits(keep_rows=None)).rows == ((1,), (2,), (3,))
    assert execute(database, sql, Limits(keep_rows=0)).row_count == 3


def test_threads_share_the_children(database: Path) -> None:
    results: dict[int, list[ExecutionResult]] = {}

    def ask(thread: int) -> None:
        results[thread] = execute_many([(database, f"SELECT {thread * 100 + i}") for i in range(30)])

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    for number in range(4):
        assert [r.rows[0][0] for r in results[number]] == [number * 100 + i for i in range(30)]


def test_a_forked_process_starts_its_own_children(database: Path) -> None:
    execute_many([(database, "SELECT 1")])
    process = os.fork()
    if process == 0:
        rows = execute_many([(database, "SELECT 7")])[0].rows
        os._exit(0 if rows == ((7,),) else 1)
    assert os.waitpid(process, 0)[1] == 0
    assert execute_many([(database, "SELECT 8")])[0].rows == ((8,),)


def test_a_small_call_does_not_wait_for_a_single_slow_query(database: Path) -> None:
    slow = threading.Thread(
        target=execute_many,
        args=([(database, ENDLESS + "SELECT sum(x) FROM c")], Limits(seconds=3)),
        kwargs={"workers": 1},
    )
    slow.start()
    started = time.monotonic()
    execute_many([(database, "SELECT 1")], workers=2)
    waited = time.monotonic() - started
    slow.join()
    assert waited < 3


def test_a_large_statement_and_a_large_result_do_not_block_the_pipe(database: Path) -> None:
    long_sql = f"SELECT '{'x' * 300_000}'"
    jobs = [(database, f"{long_sql} || {i}") for i in range(12)]
    assert [r.row_count for r in execute_many(jobs, Limits(keep_rows=None))] == [1] * 12


def test_a_changed_file_is_opened_anew(database: Path) -> None:
    assert execute_many([(database, "SELECT count(*) FROM item")], workers=1)[0].rows == ((3,),)
    replacement = database.with_suffix(".new")
    connection = sqlite3.connect(replacement)
    connection.executescript("CREATE TABLE item (id); INSERT INTO item VALUES (1);")
    connection.close()
    os.replace(replacement, database)
    assert execute_many([(database, "SELECT count(*) FROM item")], workers=1)[0].rows == ((1,),)


# --- files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["a?b=c.sqlite", "50%25.db", "with # and space.db", "データ ü.sqlite", "a&mode=rwc.db"]
)
def test_any_file_name_opens(database: Path, name: str) -> None:
    path = database.rename(database.with_name(name))
    assert execute(path, "SELECT count(*) FROM item").rows == ((3,),)
    assert os.listdir(path.parent) == [name]


def test_a_missing_file_is_not_created(tmp_path: Path) -> None:
    missing = tmp_path / "missing.sqlite"
    assert "not a file" in execute(missing, "SELECT 1").error
    assert "not a file" in execute_many([(missing, "SELECT 1")])[0].error
    assert "not a file" in execute(tmp_path, "SELECT 1").error
    assert not missing.exists()


def test_a_corrupt_file_is_an_error(tmp_path: Path, database: Path) -> None:
    corrupt = tmp_path / "corrupt.sqlite"
    corrupt.write_bytes(b"not a database, just some text that is long enough to be one" * 50)
    assert execute(corrupt, "SELECT 1 FROM sqlite_master").error == "file is not a database"
    torn = tmp_path / "torn.sqlite"
    torn.write_bytes(database.read_bytes()[:4096])
    assert execute_many([(torn, "SELECT * FROM item")])[0].outcome == "error"


def test_a_database_in_wal_mode_leaves_no_files_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "wal.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1);")
    connection.close()
    assert execute(path, "SELECT a FROM t").rows == ((1,),)
    assert os.listdir(tmp_path) == ["wal.sqlite"]


# --- names in double quotes -------------------------------------------------------------------------------------


def test_an_unknown_double_quoted_name_is_a_string_only_when_asked_for(database: Path) -> None:
    sql = 'SELECT id FROM item WHERE name = "pen"'
    assert "no such column" in execute(database, sql).error
    assert execute(database, sql, double_quoted_strings=True).rows == ((1,),)
    assert execute(database, 'SELECT "odd "" name" FROM "item" WHERE "id" = 1').rows == (("a",),)
    assert execute(database, "SELECT word FROM habit").rows == (("pen",),)


@pytest.mark.parametrize(
    ("sql", "strict"),
    [
        ('SELECT \'say "x"\', "y"', "SELECT 'say \"x\"', `y`"),
        ("SELECT 'it''s \"x\"'", "SELECT 'it''s \"x\"'"),
        ('SELECT 1 -- "x\n, "y"', 'SELECT 1 -- "x\n, `y`'),
        ('SELECT 1 /* "x */, "y"', 'SELECT 1 /* "x */, `y`'),
        ('SELECT [a"b], `c"d`, "e`f"', 'SELECT [a"b], `c"d`, `e``f`'),
        ('SELECT "a"`b`', "SELECT `a` `b`"),
        ('SELECT "open', 'SELECT "open'),
        ('SELECT \'open "x"', 'SELECT \'open "x"'),
    ],
)
def test_only_quoted_names_are_rewritten(sql: str, strict: str) -> None:
    assert strict_quotes(sql) == strict


def test_the_connection_itself_is_guarded(database: Path) -> None:
    connection = open_read_only(database)
    for sql in ("DELETE FROM item", "PRAGMA query_only = 0", 'SELECT "nobody"'):
        with pytest.raises(sqlite3.DatabaseError):
            connection.execute(sql)
        with pytest.raises(sqlite3.DatabaseError):
            connection.cursor().execute(sql)
    connection.close()


def test_text_that_is_not_utf8_stays_comparable(database: Path) -> None:
    one, two = (execute(database, f"SELECT CAST(x'{code}' AS TEXT)") for code in ("ff41", "fe41"))
    assert one.outcome == two.outcome == "ok"
    assert one.digest != two.digest
    assert not one.is_utf8
    assert execute(database, "SELECT 'é'").is_utf8
