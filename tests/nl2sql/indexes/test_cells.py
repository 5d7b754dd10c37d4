import random
import time
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nl2sql.contracts import arrow_schema, check
from nl2sql.errors import UserError
from nl2sql.indexes.cell_bands import fold
from nl2sql.indexes.cells import CellIndex, index_cells, stream_cells
from nl2sql.profiling.profile_database import profile_database
from nl2sql.rows import Cell, Database

SHARED = Path(__file__).parents[4] / "shared" / "data"
CITIES = [
    "Brisbane",
    "New York",
    "Los Angeles",
    "São Paulo",
    "Москва",
    "東京",
    "Čáslav",
    "St. John's",
    "  Padua ",
    "F",
    "M",
]


def indexed(table):
    return {(row["table"], row["column"]) for row in table.select(["table", "column"]).to_pylist()}


def best(index, text):
    found = index.lookup([text])[0]
    return (found[0].value, found[0].method) if found else None


def test_the_table_keeps_its_contract(make_cells):
    table, _ = make_cells({"city": [*CITIES, "Brisbane", None, 5, b"blob", ""]})
    check(table, "cells")
    counts = dict(zip(table["value"].to_pylist(), table["count"].to_pylist(), strict=True))
    assert counts == {**dict.fromkeys(CITIES, 1), "Brisbane": 2}


@pytest.mark.parametrize(
    ("text", "value", "method"),
    [
        ("Brisbane", "Brisbane", "exact"),
        ("BRISBANE", "Brisbane", "casefold"),
        ("sao paulo", "São Paulo", "folded"),
        ("caslav", "Čáslav", "folded"),
        ("МОСКВА", "Москва", "casefold"),
        ("東京", "東京", "exact"),
        ("Brizbane", "Brisbane", "lsh"),
        ("New Yrok", "New York", "lsh"),
        ("St Johns", "St. John's", "lsh"),
        ("Padua", "  Padua ", "folded"),
        ("f", "F", "casefold"),
    ],
)
def test_values_are_found_however_they_are_spelled(make_cells, text, value, method):
    _, index = make_cells({"city": CITIES})
    assert best(index, text) == (value, method)


def test_one_letter_codes_are_not_confused(make_cells):
    _, index = make_cells({"sex": ["F", "M"]})
    assert [(m.value, m.score) for m in index.lookup(["F"])[0]] == [("F", 1.0)]


@pytest.mark.parametrize(
    "text", ["", "   ", "\n", "zzzzqqqq", "x" * 100_000, "\x00", "%", "'; DROP TABLE t; --", "😀", "\ud800"]
)
def test_strange_texts_find_nothing_and_break_nothing(make_cells, text):
    _, index = make_cells({"city": CITIES})
    assert index.lookup([text]) == [[]]


def test_results_come_in_the_order_of_the_texts_best_first_and_limited(make_cells):
    _, index = make_cells({"a": [f"item number {i}" for i in range(50)], "b": ["item number 7"]})
    first, second = index.lookup(["item number 7", "item number 8"], limit=3)
    assert {(m.column, m.value) for m in first[:2]} == {("a", "item number 7"), ("b", "item number 7")}
    assert second[0].value == "item number 8"
    assert len(first) <= 3
    assert [m.score for m in first] == sorted((m.score for m in first), reverse=True)
    assert index.lookup([]) == []


def test_within_a_column_only_what_is_near_its_best_match_stays(make_cells):
    _, index = make_cells({"name": ["Marvel", "Marvell Corp", "Marble"]})
    assert [m.value for m in index.lookup(["Marvel"])[0]] == ["Marvel"]


def test_a_word_of_a_longer_value_finds_it(make_cells):
    _, index = make_cells({"publisher": ["Marvel Comics", "DC Comics", "Dark Horse Comics"]})
    assert best(index, "marvel") == ("Marvel Comics", "lsh")


def test_dates_are_found_however_they_are_written(make_cells):
    start = date(2019, 1, 1)
    days = [start + timedelta(d) for d in range(0, 400, 3)]
    _, index = make_cells(
        {
            "day": [d.isoformat() for d in days],
            "moment": [f"{d.isoformat()}T09:30:00" for d in days],
            "american": [f"{d.month}/{d.day}/{d.year % 100:02}" for d in days],
        }
    )
    for text in ("January 4, 2019", "2019/01/04", "4th of January 2019", "Jan 4 2019", "4 January, 2019"):
        found = {(m.column, m.value) for m in index.lookup([text])[0] if m.method == "date"}
        assert found == {("day", "2019-01-04"), ("moment", "2019-01-04T09:30:00"), ("american", "1/4/19")}, text
    assert index.lookup(["13/45/2019"])[0] == []


def test_numbers_find_numeric_columns_by_value_not_by_spelling(make_cells):
    _, index = make_cells({"amount": [50, 50, 1200.5, 7]})
    assert [(m.column, m.value, m.method) for m in index.lookup(["1,200.50"])[0]] == [("amount", "1200.5", "number")]
    assert [(m.value, m.method) for m in index.lookup(["$50"])[0]] == [("50", "number")]
    assert index.lookup(["51"]) == [[]]


def test_columns_that_no_question_names_are_left_out(make_cells):
    chosen = random.Random(2)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    table, _ = make_cells(
        {
            "url": [f"https://example.org/{i}" for i in range(30)],
            "hash": [f"{chosen.getrandbits(128):032x}" for _ in range(30)],
            "uuid": [f"{chosen.getrandbits(32):08x}-0000-4000-8000-{chosen.getrandbits(48):012x}" for _ in range(30)],
            "record": ["rec" + "".join(chosen.choices(letters, k=14)) for _ in range(300)],
            "essay": [
                "many words that nobody would ever type into a question, number " * 3 + str(i) for i in range(300)
            ],
            "blob": [b"\x00\x01"] * 3,
            "number": [1, 2, 3],
            "nothing": [None, "", "  "],
        }
    )
    assert indexed(table) == set()


def test_columns_that_others_leave_out_although_questions_name_them(make_cells):
    table, index = make_cells(
        {
            "Country_ID": ["CZE", "GER", "FRA"],
            "email": [f"person.{i}@example.org" for i in range(200)],
            "phone": [f"(555) 010-{i:04}" for i in range(200)],
            "Timezone": ["UTC", "CET"],
            "movie_title": [f"The long, long story of the {i}th man who went to the sea and back" for i in range(200)],
        },
        "CREATE TABLE type (code CHAR(3) PRIMARY KEY, label TEXT);"
        "INSERT INTO type VALUES ('BK', 'Book'), ('AD', 'Ad');",
    )
    assert {c for _, c in indexed(table)} == {
        "Country_ID",
        "email",
        "phone",
        "Timezone",
        "movie_title",
        "code",
        "label",
    }
    assert best(index, "bk") == ("BK", "casefold")


def test_names_of_every_kind_and_collations(make_cells):
    table, index = make_cells(
        script="""
        CREATE TABLE "or""der 😀" ("select" TEXT COLLATE NOCASE, "a b" TEXT);
        INSERT INTO "or""der 😀" VALUES ('Yes', 'x'), ('yes', 'x'), ('YES', 'y');
        """
    )
    check(table, "cells")
    assert {m.value for m in index.lookup(["yes"])[0]} >= {"yes", "Yes", "YES"}
    assert index.lookup(["x"])[0][0].table == 'or"der 😀'


def test_text_that_is_not_utf8_is_left_out_and_the_rest_stays(make_cells):
    table, index = make_cells(
        script="CREATE TABLE t (a TEXT)",
        inserts=[("INSERT INTO t VALUES (CAST(? AS TEXT))", [(b"caf\xe9",), (b"caf\xe8",), (b"tea",)])],
    )
    assert table["value"].to_pylist() == ["tea"]
    assert best(index, "tea") == ("tea", "exact")


def test_an_empty_index_works(make_cells):
    table, index = make_cells(script="CREATE TABLE t (a INT)")
    check(table, "cells")
    assert len(table) == 0
    assert index.lookup(["x", "5", "2020-01-01"]) == [[], [], []]
    empty = arrow_schema(Cell).empty_table()
    assert CellIndex(empty).lookup(["x"]) == [[]]


def test_the_index_survives_a_parquet_file_and_many_chunks(make_cells, tmp_path):
    table, index = make_cells({"a": [f"value {i}" for i in range(500)], "b": [f"other {i}" for i in range(500)]})
    pq.write_table(table, tmp_path / "cells.parquet", row_group_size=64)
    back = CellIndex(pq.read_table(tmp_path / "cells.parquet", memory_map=True))
    texts = ["value 77", "othr 5", "VALUE 499"]
    assert back.lookup(texts) == index.lookup(texts)
    assert len(pa.Table.from_batches(table.to_batches(max_chunksize=100)).to_batches()) > 5


def test_a_damaged_database_is_a_clear_error(make_cells, tmp_path):
    make_cells({"city": [f"city {i} of many" for i in range(20_000)]})
    database = Database("made", str(tmp_path / "made.sqlite"), "", 0, "", "", "")
    profiles = profile_database(database)
    content = bytearray(Path(database.path).read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = b"\xaa" * 8192
    Path(database.path).write_bytes(bytes(content))
    with pytest.raises(UserError, match=r"made.*malformed"):
        list(stream_cells(database, profiles))


def test_a_hundred_thousand_values_build_and_answer_quickly(make_cells):
    chosen = random.Random(9)
    words = ["".join(chosen.choices("abcdefghijklmnoprstuvw", k=chosen.randrange(3, 9))) for _ in range(3000)]
    values = {" ".join(chosen.choices(words, k=2)) for _ in range(100_000)}
    table, index = make_cells({"name": sorted(values)})
    assert len(table) == len(values)
    asked = chosen.sample(sorted(values), 200)
    index.lookup(["warm"])
    start = time.process_time()
    found = index.lookup([a[:-1] for a in asked])
    assert (time.process_time() - start) / len(asked) < 0.02
    assert sum(a in [m.value for m in f] for a, f in zip(asked, found, strict=True)) >= 0.97 * len(asked)


def test_folding():
    assert fold("Čáslav   ÉTÉ") == "caslav ete"
    assert fold("STRASSE") == fold("straße")
    assert fold("") == ""
    assert fold("東京") == "東京"


def test_values_of_a_real_database():
    path = SHARED / "bird" / "dev_databases" / "student_club" / "student_club.sqlite"
    if not path.exists():
        pytest.skip("BIRD's student_club is not in ../shared/data")
    database = Database("student_club", str(path), "", 0, "", "", "")
    profiles = profile_database(database)
    table = check(index_cells(database, profiles), "cells")
    assert ("member", "member_id") not in indexed(table)
    index = CellIndex(table, profiles)
    assert ("event_name", "Women's Soccer") in {(m.column, m.value) for m in index.lookup(["womens soccer"])[0]}
