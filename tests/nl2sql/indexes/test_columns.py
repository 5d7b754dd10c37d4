from nl2sql.contracts import check
from nl2sql.indexes.columns import ColumnIndex, index_columns
from nl2sql.rows import Summary


def summaries(*texts):
    return [Summary("db", "t", f"c{i}", text, "", "profile") for i, text in enumerate(texts)]


def test_the_nearest_summary_comes_first(minilm):
    table = check(
        index_columns(summaries("weight in kilograms", "date of birth", "name of the city"), minilm), "columns"
    )
    (found,) = ColumnIndex(table, minilm).search(["When was he born?"], limit=2)
    assert next(hit.column for hit in found) == "c1"
    assert len(found) == 2
    assert 0 < found[0].score <= 1


def test_equal_texts_and_none(letters):
    table = check(index_columns(summaries("same", "same", ""), letters), "columns")
    assert len(ColumnIndex(table, letters).search(["same"], limit=10)[0]) == 3
    empty = check(index_columns([], letters), "columns")
    assert ColumnIndex(empty, letters).search(["x", "y"]) == [[], []]
    assert ColumnIndex(table, letters).search([]) == []
