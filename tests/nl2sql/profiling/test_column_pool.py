import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from nl2sql.errors import UserError
from nl2sql.profiling.column_pool import ColumnPool, cores, divide, expected_seconds
from nl2sql.profiling.profile_database import profile_database
from nl2sql.profiling.read_columns import Columns
from nl2sql.reading import opened

ROOT = Path(__file__).parents[3]
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n{}) SELECT i, 'text ' || (i % 997) AS s FROM n"


def children_of(parent):
    """The processes that a pool in this process has started."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True)
    lines = [line.split(None, 3) for line in listed.stdout.splitlines()]
    return [int(a[0]) for a in lines if int(a[1]) == parent and a[2][0] != "Z" and "column_worker" in a[3]]


def children_of_this():
    return children_of(os.getpid())


def wait_for(found, seconds=20):
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return value


def children_seconds():
    """Processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def assert_same(database, **options):
    """Profiles from several processes are those from one, and children did take part."""
    alone = profile_database(database, processes=1, **options)
    for processes in (2, 3):
        before = children_seconds()
        assert profile_database(database, processes=processes, **options) == alone
        assert children_seconds() > before + 0.05
    return alone


POOLED = [None, "", "ä", "Zebra", 0, -3, 2.5, -0.0, 10**15, "10", " 7 ", b"blob", "é" * 50, "2024-05-06"]


def mixed_rows(number):
    chance = random.Random(7)
    for i in range(number):
        yield (
            *(i, f"key {i:07}", i * 0.5, chance.choice(POOLED), f"word {chance.randrange(3000)}", None),
            *(
                chance.randrange(2000) if i < 4000 else f"late {i}",
                bytes([i % 251, i % 7]),
                "heavy" if i % 3 else str(i),
            ),
        )


MIXED = "id INTEGER PRIMARY KEY, a TEXT, b REAL, c, d TEXT, e, f, g BLOB, h TEXT"


@pytest.mark.parametrize("limit", [1000, 200_000])
def test_several_processes_give_what_one_gives(make_database, limit):
    database = make_database(
        f"CREATE TABLE t ({MIXED}, twice INT AS (id * 2) VIRTUAL, thrice INT AS (id * 3) STORED);"
        "CREATE TABLE few (x INT, y TEXT); INSERT INTO few VALUES (1, 'one');"
        "CREATE VIEW seen AS SELECT a, d FROM t",
        [("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", mixed_rows(9000))],
    )
    profiles = assert_same(database, distinct_limit=limit)
    assert len(profiles) == 15
    assert {p.rows for p in profiles if p.table != "few"} == {9000}


def test_a_table_without_rowid_and_text_that_is_not_utf8(make_database):
    rows = [(f"k{i}", i, b"caf\xe9" if i == 7000 else b"fine", i % 5, "x" * (i % 9)) for i in range(8000)]
    database = make_database(
        "CREATE TABLE t (k TEXT PRIMARY KEY, n INT, s TEXT, m INT, x TEXT) WITHOUT ROWID",
        [("INSERT INTO t VALUES (?, ?, CAST(? AS TEXT), ?, ?)", rows)],
    )
    s = assert_same(database)[2]
    assert s.top_values == ("fine", "caf\ufffd")


def test_rows_that_grow_long_are_counted_as_by_one_process(make_database):
    """One process reads fewer of them at once, which shows in estimates; each of several sees only half of a row."""
    rows = [(1, f"early {i % 900}") for i in range(3000)]
    rows += [(30_000, f"late {i % 300}" if i < 4000 else f"new {i % 7}") for i in range(3000, 4400)]
    insert = "INSERT INTO t VALUES (zeroblob(?1), ?2, zeroblob(?1))"
    database = make_database("CREATE TABLE t (a BLOB, b TEXT, c BLOB)", [(insert, rows)])
    assert_same(database, distinct_limit=1000)


def test_corruption_is_the_same_error(make_database):
    rows = [(i, f"text {i}" * 10, i % 7) for i in range(20_000)]
    database = make_database("CREATE TABLE t (a INT, b TEXT, c INT)", [("INSERT INTO t VALUES (?, ?, ?)", rows)])
    path = Path(database.path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 3 * 4096] = b"\xaa" * (3 * 4096)
    path.write_bytes(bytes(content))
    said = []
    for processes in (1, 2):
        with pytest.raises(UserError, match=r"made.*malformed") as error:
            profile_database(database, processes=processes)
        said.append(str(error.value))
    assert said[0] == said[1]
    assert not children_of_this()


def test_what_a_killed_child_should_have_read_is_read_here(make_database):
    database = make_database(f"CREATE VIEW v AS {NUMBERS.format(' WHERE i < 200000')}")
    columns = Columns("v", ("i", "s"), 2, 200_000, 1 << 24)
    killed = threading.Event()

    def kill():
        os.kill(wait_for(children_of_this)[0], signal.SIGKILL)
        killed.set()

    with opened(database) as connection, ColumnPool(database.path, 2) as pool:
        thread = threading.Thread(target=kill)
        thread.start()
        i, s = pool.read(connection, columns)
        thread.join()
        assert killed.is_set()
        assert (i.filled, s.filled, s.distinct, s.top()[0][1]) == (200_000, 200_000, 997, 201)
        again, _ = pool.read(connection, columns)
        assert again.filled == 200_000
    assert not children_of_this()


def test_children_end_with_a_killed_parent(make_database):
    database = make_database(f"CREATE VIEW v AS {NUMBERS.format('')}")
    script = (  # without the usual guard: a child must not run it again
        "import sqlite3, sys; from nl2sql.profiling.column_pool import ColumnPool;"
        "from nl2sql.profiling.read_columns import Columns; path = sys.argv[1];"
        "ColumnPool(path, 3).read(sqlite3.connect(path), Columns('v', ('i', 's', 'i'), 3, 1000, 1 << 20))"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, database.path], cwd=ROOT)
    try:
        children = wait_for(lambda: (found := children_of(parent.pid))[1:] and found)
        time.sleep(1.0)  # they read, without end
        assert children_of(parent.pid) == children
    finally:
        parent.kill()
        parent.wait()
    wait_for(lambda: not set(children) & set(running()), 5)


def running():
    listed = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True).stdout.splitlines()
    return [int(line.split()[0]) for line in listed if not line.split()[1].startswith("Z")]


def test_columns_agree_though_someone_writes_meanwhile(make_database):
    database = make_database(
        "PRAGMA journal_mode = WAL; CREATE TABLE t (a INT, b TEXT, c INT)",
        [("INSERT INTO t VALUES (?, ?, ?)", ((i, f"text {i}", i % 9) for i in range(60_000)))],
    )
    with closing(sqlite3.connect(database.path)) as writer:
        writer.execute("INSERT INTO t VALUES (0, 'kept open', 0)")
        writer.commit()
        found = []
        thread = threading.Thread(target=lambda: found.extend(profile_database(database, processes=2)))
        thread.start()
        wait_for(children_of_this)
        writer.execute("DELETE FROM t WHERE a % 2")
        writer.commit()
        thread.join()
    assert len({p.rows for p in found}) == 1


def test_only_what_takes_long_is_shared(make_database):
    if cores() < 2:
        pytest.skip("one processor: nothing is shared")
    rows = [(i, f"text {i}", i % 9) for i in range(6000)]
    insert = [("INSERT INTO t VALUES (?, ?, ?)", rows)]
    small = make_database("CREATE TABLE t (a INT, b TEXT, c INT)", insert, "small")
    before = children_seconds()
    profile_database(small)
    assert children_seconds() == before
    # Its size is all that is known of how many rows there are.
    filled = "CREATE TABLE t (a INT, b TEXT, c INT); CREATE TABLE f (z BLOB); INSERT INTO f VALUES (zeroblob(50000000))"
    large = make_database(filled, insert, "large")
    profiles = profile_database(large)
    assert children_seconds() > before
    assert profiles == profile_database(large, processes=1)


def test_nobody_but_this_process_where_no_child_can_be_started(make_database, monkeypatch):
    database = make_database(f"CREATE TABLE t ({MIXED})", [(f"INSERT INTO t VALUES ({'?, ' * 8}?)", mixed_rows(3000))])
    alone = profile_database(database, processes=1)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert profile_database(database, processes=3) == alone


def test_long_rows_are_not_shared(make_database):
    rows = [(i, "x" * 60_000) for i in range(40)]
    database = make_database("CREATE TABLE t (a INT, b TEXT)", [("INSERT INTO t VALUES (?, ?)", rows)])
    with opened(database) as connection:
        columns = Columns("t", ("a", "b"), 2, 1000, 1 << 24)
        assert expected_seconds(connection, columns, 1 << 30) == [0.0, 0.0]


def test_shares_are_about_even():
    assert divide([1.0] * 6, 3) == [[0, 3], [1, 4], [2, 5]]
    assert divide([5.0, 1.0, 1.0, 1.0, 1.0, 1.0], 2) == [[0], [1, 2, 3, 4, 5]]
    assert divide([2.0, 1.0], 2) == [[0], [1]]
