import pytest

from nl2sql.profiling.profile_database import profile_database
from nl2sql.profiling.summarise_fields import SHORT_CHARACTERS, summarise_fields


@pytest.fixture
def texts(make_database):
    database = make_database(
        """
        CREATE TABLE StockItem
            (ItemID INTEGER PRIMARY KEY, grade TEXT, soldOn TEXT, parts_no TEXT, note TEXT, pic BLOB, none);
        CREATE TABLE Sale (a INT, b INT, ItemID INT REFERENCES StockItem, PRIMARY KEY (a, b));
        """,
        [
            (
                "INSERT INTO StockItem VALUES (?, ?, ?, ?, ?, ?, NULL)",
                [(i, "AB"[i % 2], f"2020-01-{i + 1:02}", f"{i}0", "word " * 99 + str(i), b"\x00") for i in range(20)],
            )
        ],
        descriptions={
            "stockitem.csv": b"original_column_name,column_name,column_description,data_format,value_description\n"
            b"grade,quality grade,How good it is.,text,A: fine; B: flawed\n"
        },
    )
    return {(s.table, s.column): s for s in summarise_fields(profile_database(database))}


def test_short_names_the_column_in_words_with_meaning_and_values(texts):
    assert texts["StockItem", "grade"].short == "stock item quality grade; How good it is; such as A, B"
    assert texts["Sale", "ItemID"].short == "sale item id"


def test_long_adds_codes_formats_and_keys(texts):
    grade = texts["StockItem", "grade"].long
    assert "A: fine; B: flawed." in grade
    assert "Values: 'A' (10 rows), 'B' (10 rows)." in grade
    assert "Dates are written as %Y-%m-%d." in texts["StockItem", "soldOn"].long
    assert "The texts read as numbers." in texts["StockItem", "parts_no"].long
    assert "It is the primary key." in texts["StockItem", "ItemID"].long
    assert "It is part of the primary key." in texts["Sale", "a"].long
    assert "It refers to StockItem.ItemID." in texts["Sale", "ItemID"].long
    assert "It is NULL in all 20 rows." in texts["StockItem", "none"].long
    assert "There are no rows." in texts["Sale", "b"].long


def test_prose_and_blobs_give_no_examples_and_short_stays_short(texts):
    assert "word word" not in texts["StockItem", "note"].long
    assert "x'" not in texts["StockItem", "pic"].long
    assert all(len(s.short) <= SHORT_CHARACTERS for s in texts.values())
