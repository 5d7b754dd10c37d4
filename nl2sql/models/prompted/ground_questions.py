"""Op 5 by a model: keywords, literals and skeleton of each question, in one call per question."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nl2sql.models.ask import ask_models
from nl2sql.models.chat import Request
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.make_request import make_request
from nl2sql.models.read_answers import json_schema, read_json
from nl2sql.models.session import Session
from nl2sql.online.ground_questions import Reading
from nl2sql.prompts.answers import GroundedQuestion
from nl2sql.prompts.fences import harmless
from nl2sql.prompts.render import render
from nl2sql.prompts.task_text import asked_values
from nl2sql.rows import Question
from nl2sql.skeletons import COLUMN, DATE, DATES, LONGEST_QUESTION, NUMBER, NUMBERS, VALUE

KEYWORDS = 12
LITERALS = 30
LONGEST_PIECE = 200  # characters of a keyword or literal
ENDS = " ?.!？。！"  # of questions in whatever script; models leave them out
_MARK = re.compile(r"(<column>|<value>|(?<!\w)_(?!\w))", re.ASCII)  # ASCII: words of other scripts may touch it


@dataclass(frozen=True)
class QuestionReader:
    """Reads batches of questions for nl2sql.online.ground_questions."""

    session: Session
    choice: ModelChoice

    def __call__(self, questions: Sequence[Question]) -> list[Reading | None]:
        """What the model read in each question, None where its answer could not be read; all are asked at once."""
        answers = ask_models(
            self.session, [self._request(q) for q in questions], lambda _, text: read_json(text, GroundedQuestion)
        )
        return [_reading(q, a) if a else None for q, a in zip(questions, answers, strict=True)]

    def _request(self, question: Question) -> Request:
        values = asked_values(question)
        prompt = render("ground/keywords", question=values["question"], evidence=values["evidence"])
        schema = json_schema(GroundedQuestion)
        return make_request(self.choice, prompt, "ground", question.db_id, question.question_id, schema)


def _reading(question: Question, answer: GroundedQuestion) -> Reading:
    text = _plain(f"{question.question}\n{question.evidence}")
    literals = _pieces(answer.literals, LITERALS)
    there = tuple(t for t in literals if _stands_in(t, text))
    return Reading(
        tuple(k for k in _pieces(answer.keywords, KEYWORDS) if _stands_in(k, text)),
        there,
        tuple(t for t in literals if t not in there),
        masked_skeleton(answer.skeleton, question.question),
    )


def _pieces(texts: Sequence[str], most: int) -> list[str]:
    cleaned = (harmless(t).strip(" \t\n'\"`“”‘’") for t in texts[: 4 * most])
    return list(dict.fromkeys(t for t in cleaned if t and len(t) <= LONGEST_PIECE))[:most]


def _stands_in(piece: str, text: str) -> bool:
    """Whether a text holds a piece, not only as a part of a longer word; other scripts may not part their words."""
    plain = _plain(piece)
    return bool(re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", text)) if plain.isascii() else plain in text


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def masked_skeleton(skeleton: str, question: str) -> str:
    """The model's skeleton in the marks of mask_question; '' when it is not this question with some pieces masked.

    What its marks leave standing must stand in the question in the same order, whatever its case; what each `_` stands
    for says whether it is a number, a date or another value.
    """
    text = " ".join(question[:LONGEST_QUESTION].split()).rstrip(ENDS)
    plain, parts = text.casefold(), _MARK.split(" ".join(skeleton.split()).casefold().rstrip(ENDS))
    if len(parts) == 1 or len(plain) != len(text):  # places in a text that folding made longer mean nothing
        return ""
    masked, place = "", 0
    for i, piece in enumerate(parts[::2]):
        mark = parts[2 * i - 1] if i else ""
        is_last = 2 * i == len(parts) - 1
        start = len(plain) - len(piece) if is_last else plain.find(piece, place + bool(mark))
        covered = text[place : max(start, 0)].strip()
        if start < place or not plain.startswith(piece, start) or bool(covered) != bool(mark):
            return ""
        masked += (_mark_of(mark, covered) if mark else "") + text[start : start + len(piece)]
        place = start + len(piece)
    return re.sub(rf"({VALUE}|{COLUMN})(?:\s+\1)+", r"\1", masked)


def _mark_of(mark: str, covered: str) -> str:
    if mark == COLUMN:
        return COLUMN
    return DATE if DATES.fullmatch(covered) else NUMBER if NUMBERS.fullmatch(covered) else VALUE
