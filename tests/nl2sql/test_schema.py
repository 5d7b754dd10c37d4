import sqlite3
from pathlib import Path

import pytest

from nl2sql.rows import ColumnName, Profile, Summary
from nl2sql.schema import ForeignKey, quote, read_schema, schema_from_profiles
from nl2sql.schema_views import ddl_view, m_schema_view, markdown_view

GOLDEN = Path(__file__).parents[1] / "golden" / "schema_views"
VIEWS = {"ddl.sql": ddl_view, "markdown.md": markdown_view, "m_schema.txt": m_schema_view}


def profile(table, column, position=0, **known):
    values = known.pop("values", ())
    kind = known.pop("stored", "text")
    counts = {"integers": 0, "reals": 0, "texts": 0, "blobs": 0}
    counts[f"{kind}s"] = 3
    defaults = {
        "db_id": "shop",
        "is_view": False,
        "declared_type": "TEXT",
        "primary_key": 0,
        "references": (),
        "joins": (),
        "rows": 3,
        "nulls": 0,
        "distinct": len(values),
        "minimum": None,
        "maximum": None,
        "shortest": 0,
        "longest": 0,
        "top_values": tuple(values),
        "top_counts": (1,) * len(values),
        "shape": "",
        "date_format": "",
        "numeric_fraction": 0.0,
        "expanded_name": "",
        "description": "",
        "value_description": "",
    }
    return Profile(table=table, column=column, position=position, **(defaults | counts | known))


NAME = {"description": "first\nand last | name", "values": ["Ann O'Hara", "x" * 50]}
OWNER = {"stored": "integer", "references": (ColumnName("customer", "id"),), "values": ["1", "2"]}
SIZE = {"stored": "real", "expanded_name": "size in cm", "values": ["1.5", "2.5"]}


@pytest.fixture
def profiles():
    return [
        profile("customer", "id", 0, declared_type="INTEGER", primary_key=1, stored="integer", values=["1", "2", "3"]),
        profile("customer", "full name", 1, declared_type="VARCHAR(20)", **NAME),
        profile("customer", "born", 2, date_format="%Y-%m-%d", values=["1990-01-02", "1985-03-04"]),
        profile("customer", "photo", 3, declared_type="BLOB", stored="blob", values=["x'00ff'"]),
        profile("order", "customer_id", 0, declared_type="INT", primary_key=1, **OWNER),
        profile("order", "line", 1, declared_type="", primary_key=2, stored="integer", values=["1", "2", "3"]),
        profile("order", 'the "size"', 2, declared_type="REAL", **SIZE),
        profile("order", "product", 3, joins=(ColumnName("product", "code"),), values=["P1", "P2", "P3", "P4"]),
        profile("product", "code", 0, values=["P1", "P2"]),
        profile("total", "sum", 0, is_view=True, declared_type="", stored="real", values=[]),
    ]


@pytest.mark.parametrize("name", VIEWS)
def test_views_are_as_in_the_golden_files(profiles, name):
    schema = schema_from_profiles(profiles)
    assert VIEWS[name](schema, profiles) + "\n" == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", VIEWS)
def test_restricted_views_are_as_in_the_golden_files(profiles, name):
    schema = schema_from_profiles(profiles)
    columns = [ColumnName("order", "customer_id"), ColumnName("customer", "full name"), ColumnName("order", "product")]
    summaries = [Summary("shop", "order", "product", "short", "What a model says of it.", "some-model")]
    golden = GOLDEN / f"restricted_{name}"
    assert VIEWS[name](schema, profiles, summaries, columns) + "\n" == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("view", VIEWS.values())
def test_no_columns_give_no_tables(profiles, view):
    schema = schema_from_profiles(profiles)
    assert "customer" not in view(schema, profiles, columns=[])
    assert view(schema_from_profiles([]), []) is not None


def test_sqlite_reads_the_ddl_view_back_as_the_same_schema(profiles):
    schema = schema_from_profiles(profiles)
    connection = sqlite3.connect(":memory:")
    connection.executescript(ddl_view(schema, profiles))
    again = read_schema(connection, "shop")
    assert again.column_names == schema.column_names
    assert [t.primary_key for t in again.tables] == [t.primary_key for t in schema.tables]
    assert again.foreign_keys == tuple(k for k in schema.foreign_keys if k.declared)


NASTY = ["select", 'say "hi"', "two  words", "😀", "semi;colon", "--", "/*", "[x]", "`tick`", "a.b", "primary key"]


def test_the_ddl_view_survives_names_and_types_of_every_kind():
    profiles = [
        profile('or"der;', name, i, declared_type=kind, values=["v\nw -- x"], description="one\ntwo")
        for i, (name, kind) in enumerate(
            zip(NASTY, ["", "DECIMAL(10, 2)", "TEXT); DROP TABLE x", *["INT"] * 9], strict=False)
        )
    ]
    schema = schema_from_profiles(profiles)
    connection = sqlite3.connect(":memory:")
    connection.executescript(ddl_view(schema, profiles))
    assert read_schema(connection, "shop").column_names == schema.column_names


def test_schemas_read_from_a_database_resolve_keys_and_ignore_case():
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        """
        CREATE TABLE Parent (Id INTEGER PRIMARY KEY);
        CREATE TABLE child (
            parent_id INT REFERENCES PARENT, other INT REFERENCES gone (x), third INT REFERENCES Parent (ID)
        );
        CREATE VIEW v AS SELECT * FROM child;
        CREATE VIEW dead AS SELECT * FROM gone;
        """
    )
    schema = read_schema(connection, "x")
    assert schema.foreign_keys == (
        ForeignKey("child", "third", "Parent", "Id", True),
        ForeignKey("child", "parent_id", "Parent", "Id", True),
    )
    assert schema.column("CHILD", "THIRD") == ColumnName("child", "third")
    assert schema.column("child", "nothing") is None
    dead = schema.table("DEAD")
    assert dead is not None
    assert dead.columns == ()


def test_quoting():
    connection = sqlite3.connect(":memory:")
    for name in NASTY:
        assert connection.execute(f"SELECT 1 AS {quote(name)}").description[0][0] == name
