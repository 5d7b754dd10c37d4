"""Answers in the formats that the leaderboards take."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nl2sql.rows import Question
from nl2sql.scoring.predictions import SEPARATOR
from nl2sql.scoring.sql_text import count_statements, one_line

FORMATS = ("bird", "spider")
# A blank line moves all later answers of a Spider file by one question, and BIRD counts a blank statement as right
# where the gold returns nothing; this statement runs and is never the gold's answer.
NO_ANSWER = "SELECT 'no answer'"


@dataclass(frozen=True)
class Export:
    """The text of a file, how many answers it holds and which questions have none."""

    text: str
    n: int
    unanswered: tuple[str, ...]


def export_predictions(questions: Sequence[Question], answers: Mapping[str, str], file_format: str) -> Export:
    """Write the answers (SQL by question id) of all questions, in their order, in 'bird' or 'spider' format.

    BIRD: a JSON object of question id to SQL, tab, '----- bird -----', tab, db_id. Spider: a line of SQL per question
    and nothing else, as its evaluator takes the db_id from the gold file. SQL comes on one line without tabs,
    comments and closing semicolons; a question without an answer gets NO_ANSWER. Answers to other questions are left
    out. Raises ValueError for another format.
    """
    if file_format not in FORMATS:
        raise ValueError(f"no export format {file_format!r}: {', '.join(FORMATS)}")
    lines = {q.question_id: answers.get(q.question_id, "") for q in questions}
    unanswered = tuple(key for key, sql in lines.items() if not count_statements(sql))
    flat = {key: NO_ANSWER if key in unanswered else one_line(sql) for key, sql in lines.items()}
    if file_format == "spider":
        text = "".join(f"{sql}\n" for sql in flat.values())
    else:
        entries = {q.question_id: f"{flat[q.question_id]}{SEPARATOR}{q.db_id}" for q in questions}
        text = json.dumps(entries, indent=1) + "\n"  # ASCII: the official script opens it in the machine's encoding
    return Export(text, len(flat), unanswered)
