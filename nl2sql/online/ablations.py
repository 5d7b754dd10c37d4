"""What stands in for a step that an ablation switches off: the least that the steps after it can work with."""

from collections import defaultdict
from collections.abc import Sequence

from nl2sql.online.select_answers import majority
from nl2sql.rows import Link, Linking, Question, Repair, Selection
from nl2sql.schema import Schema


def keep_all_columns(questions: Sequence[Question], schema: Schema) -> list[Linking]:
    """Instead of linking: every column in the precise view, in the schema's order and with score 0."""
    links = tuple(Link(c.table, c.column, 1, 0.0, ()) for c in schema.column_names)
    return [Linking(q.question_id, q.db_id, links, len(links), "") for q in questions]


def take_first(questions: Sequence[Question], repairs: Sequence[Repair]) -> list[Selection]:
    """Instead of selection: the first candidate of each question, whatever came of it (path first, confidence 0).

    Candidates stand in the order of the lineup. The plain vote is still counted.
    """
    by_question: dict[str, list[Repair]] = defaultdict(list)
    for repair in repairs:
        by_question[repair.question_id].append(repair)
    return [_first(q, by_question.get(q.question_id, [])) for q in questions]


def _first(question: Question, candidates: Sequence[Repair]) -> Selection:
    key, db_id = question.question_id, question.db_id
    if not candidates:
        return Selection(key, db_id, "", "", "none", 0.0, (), "", "", 0)
    first, vote = candidates[0], majority(candidates)
    chosen = vote or first
    vote_id = vote.candidate_id if vote else ""
    return Selection(key, db_id, first.candidate_id, first.sql, "first", 0.0, (), vote_id, chosen.sql, 0)
