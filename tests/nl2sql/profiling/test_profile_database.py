import random
import re
import shutil
import sqlite3
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from nl2sql.contracts import check, to_table
from nl2sql.errors import UserError
from nl2sql.profiling.profile_database import profile_database
from nl2sql.profiling.summarise_fields import summarise_fields
from nl2sql.rows import ColumnName, Database, Profile, Summary

SHARED = Path(__file__).parents[4] / "shared" / "data"


def column(profiles, table, name):
    (found,) = [p for p in profiles if (p.table, p.column) == (table, name)]
    return found


def test_counts_are_of_values_as_they_are_stored(make_database):
    database = make_database(
        "CREATE TABLE t (a INTEGER, b, c REAL)",
        [
            (
                "INSERT INTO t VALUES (?, ?, ?)",
                [(1, "x", 1), ("no number", b"\x00\xff", 2.5), (None, None, None), (1, 1.0, 1)],
            )
        ],
    )
    a, b, c = profile_database(database)
    assert (a.rows, a.nulls, a.distinct, a.integers, a.texts) == (4, 1, 2, 2, 1)
    assert (a.minimum, a.maximum) == ("1", "no number")  # as SQLite sorts: numbers before text
    assert (b.texts, b.blobs, b.reals, b.integers, b.distinct) == (1, 1, 1, 0, 3)
    assert "x'00ff'" in b.top_values
    assert (c.reals, c.integers, c.numeric_fraction) == (3, 0, 1.0)
    assert a.top_values[0] == "1"
    assert a.top_counts[0] == 2


def test_statistics_agree_with_sqlite_on_random_data(make_database):
    chosen = random.Random(5)
    pool = [None, "", "ä", "Zebra", "zebra", 0, -3, 2.5, 10**15, "10", " 7 ", "1e5", b"blob", "é" * 50]
    rows = [(chosen.choice(pool), chosen.choice(pool)) for _ in range(3000)]
    database = make_database("CREATE TABLE t (a, b TEXT)", [("INSERT INTO t VALUES (?, ?)", rows)])
    connection = sqlite3.connect(database.path)
    for profile in profile_database(database):
        name = profile.column
        expected = connection.execute(
            f"SELECT count(*), count(*) - count({name}), count(DISTINCT {name}), sum(typeof({name}) = 'text'),"
            f" sum(typeof({name}) = 'blob') FROM t"
        ).fetchone()
        assert (profile.rows, profile.nulls, profile.distinct, profile.texts, profile.blobs) == expected
        counts = Counter(v for (v,) in connection.execute(f"SELECT {name} FROM t WHERE {name} IS NOT NULL"))
        assert list(profile.top_counts) == [n for _, n in counts.most_common(10)]
        (longest,) = connection.execute(f"SELECT max(length({name})) FROM t WHERE typeof({name}) = 'text'").fetchone()
        assert profile.longest == longest


@pytest.mark.parametrize("limit", [1000, 5000])
def test_estimates_beyond_the_limit_stay_close_and_keep_the_heavy_values(make_database, limit):
    chosen = random.Random(1)
    rows = [(f"value {chosen.randrange(20_000)}" if i % 4 else "heavy", i, i * 0.5) for i in range(60_000)]
    database = make_database("CREATE TABLE t (a TEXT, b INTEGER, c REAL)", [("INSERT INTO t VALUES (?, ?, ?)", rows)])
    exact = profile_database(database)
    rough = profile_database(database, distinct_limit=limit)
    for whole, estimated in zip(exact, rough, strict=True):
        assert estimated.distinct == pytest.approx(whole.distinct, rel=0.04)
        assert (estimated.rows, estimated.minimum, estimated.maximum) == (whole.rows, whole.minimum, whole.maximum)
        assert (estimated.shortest, estimated.longest) == (whole.shortest, whole.longest)
        assert estimated.numeric_fraction == whole.numeric_fraction
    assert (rough[0].top_values[0], rough[0].top_counts[0]) == ("heavy", 15_000)


NASTY_NAMES = [
    "select",
    'say "hi"',
    "two  words",
    "😀",
    "naïve",
    "semi;colon",
    "100%",
    "a.b",
    "[x]",
    "`tick`",
    "--",
    "über",
]


def test_names_of_every_kind(make_database):
    quoted = ", ".join('"' + n.replace('"', '""') + '" TEXT' for n in NASTY_NAMES)
    marks = ", ".join("?" * len(NASTY_NAMES))
    database = make_database(
        f'CREATE TABLE "or""der 😀" ({quoted})', [(f'INSERT INTO "or""der 😀" VALUES ({marks})', [NASTY_NAMES])]
    )
    profiles = profile_database(database)
    assert [(p.column, p.top_values) for p in profiles] == [(n, (n,)) for n in NASTY_NAMES]
    check(to_table(profiles, Profile), "profiles")
    check(to_table(summarise_fields(profiles), Summary), "summaries")


def test_kinds_of_tables(make_database):
    database = make_database(
        """
        CREATE TABLE base (id INTEGER PRIMARY KEY, name TEXT);
        INSERT INTO base VALUES (1, 'one'), (2, 'two');
        CREATE TABLE keyed (code TEXT PRIMARY KEY, size INT) WITHOUT ROWID;
        INSERT INTO keyed VALUES ('a', 1);
        CREATE TABLE made (a INT, twice INT GENERATED ALWAYS AS (a * 2) VIRTUAL, thrice INT AS (a * 3) STORED);
        INSERT INTO made (a) VALUES (5);
        CREATE TABLE empty (a TEXT, b REAL);
        CREATE VIEW seen AS SELECT name, length(name) AS size FROM base;
        CREATE VIEW broken AS SELECT gone FROM base;
        CREATE VIEW lost AS SELECT * FROM nowhere;
        """
    )
    profiles = profile_database(database)
    assert column(profiles, "made", "twice").top_values == ("10",)
    assert column(profiles, "made", "thrice").top_values == ("15",)
    assert column(profiles, "keyed", "code").primary_key == 1
    assert (column(profiles, "empty", "a").rows, column(profiles, "empty", "a").minimum) == (0, None)
    assert column(profiles, "seen", "size").is_view
    assert column(profiles, "seen", "name").rows == 2
    assert not [p for p in profiles if p.table in ("broken", "lost") and p.rows]
    assert all(text.long for text in summarise_fields(profiles))


def test_text_that_is_not_utf8_is_replaced_not_fatal(make_database):
    database = make_database(
        "CREATE TABLE t (a TEXT, b TEXT)",
        [("INSERT INTO t VALUES (CAST(? AS TEXT), ?)", [(b"caf\xe9", "fine"), (b"\xff\xfe", "fine")])],
    )
    a, b = profile_database(database)
    assert (a.texts, a.rows, b.top_values, b.top_counts) == (2, 2, ("fine",), (2,))
    assert a.top_values[0] == "caf\ufffd"
    check(to_table([a, b], Profile), "profiles")


def test_two_thousand_columns(make_database):
    names = ", ".join(f"c{i} INT" for i in range(2000))
    database = make_database(
        f"CREATE TABLE wide ({names})", [(f"INSERT INTO wide VALUES ({', '.join('?' * 2000)})", [range(2000)])]
    )
    profiles = profile_database(database)
    assert [p.top_values for p in profiles] == [(str(i),) for i in range(2000)]


def test_no_tables_and_no_bytes(make_database, tmp_path):
    assert profile_database(make_database("")) == []
    (tmp_path / "zero.sqlite").write_bytes(b"")
    assert profile_database(Database("zero", str(tmp_path / "zero.sqlite"), "", 0, "", "", "")) == []


def test_long_values_are_cut_and_memory_stays_small(make_database):
    database = make_database(
        "CREATE TABLE t (a TEXT, b BLOB)",
        [("INSERT INTO t VALUES (?, ?)", ((f"{i}" + "x" * 900_000, b"y" * 900_000) for i in range(40)))],
    )
    tracemalloc.start()
    a, b = profile_database(database)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert a.longest == 900_002
    assert len(a.maximum or "") == 500
    assert (a.maximum or "").endswith("…")
    assert b.blobs == 40
    assert b.distinct == 1
    assert peak < 200_000_000


def damaged(path: Path) -> None:
    """Overwrite pages in the middle of a file, keeping header and schema."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 3 * 4096] = b"\xaa" * (3 * 4096)
    path.write_bytes(bytes(content))


def test_corruption_in_the_middle_is_an_error_never_half_a_profile(make_database):
    rows = [(i, f"text {i}" * 10) for i in range(20_000)]
    database = make_database("CREATE TABLE t (a INT, b TEXT)", [("INSERT INTO t VALUES (?, ?)", rows)])
    damaged(Path(database.path))
    with pytest.raises(UserError, match=r"made.*malformed"):
        profile_database(database)


@pytest.mark.parametrize(
    "content", [b"not a database at all, only some words" * 200, b"SQLite format 3\x00 and then nothing"]
)
def test_a_file_that_is_no_database_is_one_clear_error(tmp_path, content):
    path = tmp_path / "bad.sqlite"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"database bad .*(not a database|malformed)"):
        profile_database(Database("bad", str(path), "", 0, "", "", ""))


def test_a_missing_file_and_a_known_error_are_named(tmp_path):
    with pytest.raises(UserError, match="there is no file"):
        profile_database(Database("gone", str(tmp_path / "gone.sqlite"), "", 0, "", "", ""))
    with pytest.raises(UserError, match=r"known does not open: file is encrypted"):
        profile_database(Database("known", "x", "", 0, "", "", "file is encrypted"))
    assert not (tmp_path / "gone.sqlite").exists()


def test_an_endless_view_does_not_stop_the_others(make_database):
    database = make_database(
        """
        CREATE TABLE t (a INT); INSERT INTO t VALUES (1);
        CREATE VIEW endless AS
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS i FROM n;
        """
    )
    profiles = profile_database(database, view_seconds=0.2)
    assert column(profiles, "endless", "i").rows == 0
    assert column(profiles, "t", "a").rows == 1


def test_joins_are_proposed_from_values_and_names(make_database):
    chosen = random.Random(3)
    database = make_database(
        """
        CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, manager_id INT);
        CREATE TABLE product (code TEXT PRIMARY KEY, price REAL, stock INT);
        CREATE TABLE sale (id INTEGER PRIMARY KEY, customer_id INT, product TEXT, amount INT, grade INT, year INT);
        CREATE TABLE grade (id INTEGER PRIMARY KEY, label TEXT);
        """,
        [
            ("INSERT INTO customer VALUES (?, ?, ?)", [(i, f"name {i}", max(1, i // 3)) for i in range(1, 200)]),
            ("INSERT INTO product VALUES (?, ?, ?)", [(f"P-{i:05}", i / 7, i % 50) for i in range(300)]),
            ("INSERT INTO grade VALUES (?, ?)", [(i, f"grade {i}") for i in range(1, 6)]),
            (
                "INSERT INTO sale VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        i,
                        chosen.randrange(1, 200),
                        f"P-{chosen.randrange(300):05}",
                        chosen.randrange(1, 100),
                        i % 5 + 1,
                        2000 + i % 20,
                    )
                    for i in range(1, 3000)
                ],
            ),
        ],
    )
    found = {(p.table, p.column, j.table, j.column) for p in profile_database(database) for j in p.joins}
    assert found == {
        ("sale", "customer_id", "customer", "id"),
        ("sale", "product", "product", "code"),
        ("sale", "grade", "grade", "id"),
        ("customer", "manager_id", "customer", "id"),
    }


def test_small_counts_propose_no_joins_by_chance(make_database):
    tables = ["alpha", "bravo", "charlie", "delta", "echo"]
    script = "".join(
        f"CREATE TABLE {t} (id INTEGER PRIMARY KEY, amount INT, rank INT, score INT, flag INT);" for t in tables
    )
    rows = [(i, i % 7 + 1, i, i % 90 + 1, i % 2) for i in range(1, 100)]
    database = make_database(script, [(f"INSERT INTO {t} VALUES (?, ?, ?, ?, ?)", rows) for t in tables])
    assert not [p for p in profile_database(database) if p.joins]


def test_a_declared_key_is_not_proposed_again(make_database):
    database = make_database(
        """
        CREATE TABLE a (id INTEGER PRIMARY KEY, label TEXT); INSERT INTO a VALUES (1, 'x'), (2, 'y');
        CREATE TABLE b (a_id INT REFERENCES a, note TEXT); INSERT INTO b VALUES (1, 'p'), (2, 'q');
        """
    )
    b = column(profile_database(database), "b", "a_id")
    assert (b.references, b.joins) == ((ColumnName("a", "id"),), ())


def test_descriptions_of_a_real_database_reach_the_profile():
    folder = SHARED / "bird" / "dev_databases" / "student_club"
    if not folder.is_dir():
        pytest.skip("BIRD's student_club is not in ../shared/data")
    path = folder / "student_club.sqlite"
    database = Database("student_club", str(path), "", 0, str(folder / "database_description"), "", "")
    profiles = profile_database(database)
    assert len(profiles) == 48
    assert sum(bool(p.description) for p in profiles) == 48
    assert column(profiles, "event", "event_date").date_format == "%Y-%m-%dT%H:%M:%S"
    assert column(profiles, "zip_code", "zip_code").distinct == 41_877


def test_declared_keys_removed_from_real_databases_are_found_again(tmp_path):
    if not (SHARED / "spider").is_dir():
        pytest.skip("Spider's databases are not in ../shared/data")
    right = wrong = total = 0
    for path in sorted((SHARED / "spider" / "database").glob("*/*.sqlite")):
        declared = profile_database(Database(path.stem, str(path), "", 0, "", "", ""))
        gold = {frozenset([(p.table, p.column), (r.table, r.column)]) for p in declared for r in p.references}
        bare = tmp_path / path.name
        shutil.copy(path, bare)
        without_keys(bare)
        found = profile_database(Database(path.stem, str(bare), "", 0, "", "", ""))
        proposed = {frozenset([(p.table, p.column), (j.table, j.column)]) for p in found for j in p.joins}
        right, wrong, total = right + len(gold & proposed), wrong + len(proposed - gold), total + len(gold)
    assert right / (right + wrong) >= 0.95
    assert right / total >= 0.9


def without_keys(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA writable_schema = 1")
    for name, sql in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall():
        bare = re.sub(
            r",\s*(CONSTRAINT\s+\S+\s+)?FOREIGN KEY\s*\([^)]*\)\s*REFERENCES\s+\S+\s*\([^)]*\)[^,)]*",
            "",
            sql,
            flags=re.I,
        )
        bare = re.sub(r"REFERENCES\s+\S+\s*\([^)]*\)", "", bare, flags=re.I)
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (bare, name))
    connection.commit()
    connection.close()
    left = sqlite3.connect(path).execute("SELECT count(*) FROM sqlite_master WHERE sql LIKE '%REFERENCES%'").fetchone()
    assert left == (0,)
