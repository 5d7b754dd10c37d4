from nl2sql.models.rules.joins import JoinGraph
from nl2sql.schema import Column, ForeignKey, Schema, Table


def table(name: str, *columns: str) -> Table:
    return Table(name, tuple(Column(c, "INTEGER", int(i == 0)) for i, c in enumerate(columns)), False)


def graph(*keys: ForeignKey) -> JoinGraph:
    tables = (table("a", "id", "b_id"), table("b", "id", "c_id"), table("c", "id"), table("d", "id"))
    return JoinGraph(Schema("x", tables, keys))


def test_the_path_runs_over_the_table_between():
    found = graph(ForeignKey("a", "b_id", "b", "id", True), ForeignKey("b", "c_id", "c", "id", True)).connect(
        ["a", "c"]
    )
    assert found is not None
    assert [(s.left, s.left_column, s.right, s.right_column) for s in found] == [
        ("a", "b_id", "b", "id"),
        ("b", "c_id", "c", "id"),
    ]


def test_tables_without_a_path_are_not_connected():
    assert graph(ForeignKey("a", "b_id", "b", "id", True)).connect(["a", "d"]) is None
    assert graph().distance("a", "d") == float("inf")


def test_a_declared_key_wins_over_a_proposed_one():
    found = graph(ForeignKey("a", "id", "b", "id", False), ForeignKey("a", "b_id", "b", "id", True)).connect(["a", "b"])
    assert found is not None
    assert found[0].left_column == "b_id"


def test_to_one_follows_foreign_keys_forwards_only():
    keys = graph(ForeignKey("a", "b_id", "b", "id", True), ForeignKey("b", "c_id", "c", "id", True))
    assert keys.to_one("a", "c")
    assert not keys.to_one("c", "a")
    assert keys.to_one("d", "d")


def test_a_table_that_refers_to_itself_ends():
    assert graph(ForeignKey("a", "b_id", "a", "id", True)).connect(["a", "b"]) is None
