import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nl2sql.models.prompted.resolve_columns import resolve_column, resolve_columns
from nl2sql.schema import Column, Schema, Table


def schema_of(**tables):
    made = tuple(Table(n, tuple(Column(c, "TEXT", 0) for c in columns), False) for n, columns in tables.items())
    return Schema("d", made, ())


FLEET = schema_of(ship=["ship_id", "ship name", "metric_1001", "metric_1002", "吨位"], port=["port_id", "country"])


@pytest.mark.parametrize(
    ("table", "column", "meant"),
    [
        ("ship", "ship_id", "ship_id"),
        ("SHIP", '"Ship Name"', "ship name"),
        ("ship", "ship_name", "ship name"),
        ("ships", "ship_nmae", "ship name"),
        ("", "ship.ship_id", "ship_id"),
        ("main.ship", "ship_id", "ship_id"),
        ("vessel", "ship_id", "ship_id"),
        ("`ship`", "[吨位]", "吨位"),
    ],
)
def test_names_come_back_as_the_schema_spells_them(table, column, meant):
    found = resolve_column(FLEET, table, column)
    assert found is not None
    assert (found.table, found.column) == ("ship", meant)


@pytest.mark.parametrize(
    ("table", "column"),
    [("ship", "metric_1003"), ("ship", "captain"), ("port", "ship_id"), ("ship", ""), ("", ""), ("x" * 10_000, "y")],
)
def test_what_is_not_there_is_not_guessed(table, column):
    assert resolve_column(FLEET, table, column) is None


def test_a_slip_that_could_be_two_columns_is_neither():
    assert resolve_column(schema_of(t=["street_a", "street_b"]), "t", "street_c") is None


def test_columns_come_once_in_their_order():
    found = resolve_columns(FLEET, [("port", "country"), ("ship", "ghost"), ("PORT", "Country"), ("ship", "ship_id")])
    assert [c.column for c in found] == ["country", "ship_id"]


def test_many_wrong_names_in_a_wide_table_take_little_time():
    wide = schema_of(wide=[f"measure number {i}" for i in range(2000)])
    begin = time.perf_counter()
    assert resolve_columns(wide, [("wide", f"measured nmber {i}") for i in range(1500, 1700)])
    assert time.perf_counter() - begin < 5


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_is_written_gives_a_column_of_the_schema_or_none(table, column):
    found = resolve_column(FLEET, table, column)
    assert found is None or found in FLEET.column_names
