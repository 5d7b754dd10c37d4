from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from nl2sql.models.generator import Asked
from nl2sql.online.context import DatabaseContext
from nl2sql.online.generate_candidates import generate_candidates
from nl2sql.rows import Candidate, Database, Grounding, Linking, Question
from nl2sql.schema import Schema

CONTEXT = DatabaseContext(Database("d", "", "", 0, "", "", ""), Schema("d", (), ()), (), (), None, None, None)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Echo:
    """Writes what it was told to write."""

    name: str
    statements: tuple[str, ...]

    def generate(self, asked: Sequence[Asked], context: DatabaseContext) -> list[list[Candidate]]:
        assert all(a.grounding.question_id == a.linking.question_id == a.question.question_id for a in asked)
        return [
            [
                Candidate(a.question.question_id, "d", f"{self.name}/{i + 1}", self.name, "", "full", "", i, sql)
                for i, sql in enumerate(self.statements)
            ]
            for a in asked
        ]


def rows(*ids: str) -> tuple[list[Question], list[Grounding], list[Linking]]:
    return (
        [Question(i, "d", "?", "", "", "", "dev") for i in ids],
        [Grounding(i, "d", (), (), "", (), (), ()) for i in reversed(ids)],
        [Linking(i, "d", (), 0, "") for i in ids],
    )


def test_questions_first_then_the_lineup():
    questions, groundings, linkings = rows("1", "2")
    lineup = [Echo("b", ("SELECT 1", "SELECT 2")), Echo("a", ("SELECT 3",))]
    found = generate_candidates(questions, groundings, linkings, CONTEXT, lineup)
    assert [(c.question_id, c.candidate_id) for c in found] == [
        (q, c) for q in ("1", "2") for c in ("b/1", "b/2", "a/1")
    ]


def test_blank_statements_are_left_out():
    found = generate_candidates(*rows("1"), CONTEXT, [Echo("a", ("", "  \n", "SELECT 1"))])
    assert [c.sql for c in found] == ["SELECT 1"]


def test_a_question_without_grounding_is_an_error():
    questions, _, linkings = rows("1")
    with pytest.raises(KeyError):
        generate_candidates(questions, [], linkings, CONTEXT, [Echo("a", ("SELECT 1",))])


def test_no_questions_no_candidates():
    assert generate_candidates([], [], [], CONTEXT, [Echo("a", ("SELECT 1",))]) == []
