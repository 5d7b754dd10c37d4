"""Rows in parts: as a dictionary of all, with one part in memory."""

import gc
import weakref

import pytest

from nl2sql.reporting.run_tables import RowsInParts


class Row:
    """Something with a question."""

    def __init__(self, question_id: str) -> None:
        self.question_id = question_id


@pytest.fixture
def rows():
    """Two parts of two questions each, and what was read so far."""
    read = []

    def part(*names):
        def load():
            read.append(names)
            return [Row(name) for name in names]

        return load

    return RowsInParts([part("a", "b"), part("c", "d")], {"a": 0, "b": 0, "c": 1, "d": 1}), read


def test_each_question_has_its_row_and_others_have_none(rows):
    parts, _ = rows
    assert [parts[name].question_id for name in parts] == ["a", "b", "c", "d"]
    assert len(parts) == 4
    assert parts.get("e") is None
    with pytest.raises(KeyError, match="e"):
        parts["e"]


def test_a_part_is_read_when_it_is_asked_for_and_once_for_questions_that_follow_each_other(rows):
    parts, read = rows
    assert read == []
    for name in "aabbcd":
        assert parts[name].question_id == name
    assert read == [("a", "b"), ("c", "d")]


def test_a_part_is_let_go_when_the_next_is_read(rows):
    parts, _ = rows
    first = weakref.ref(parts["a"])
    assert parts["c"]
    gc.collect()
    assert first() is None
