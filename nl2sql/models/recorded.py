"""Replay SQL that other systems wrote: any system's output becomes a pool of candidates."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from nl2sql.models.generator import Asked
from nl2sql.online.context import DatabaseContext
from nl2sql.rows import Candidate, Question

PREFIX = "recorded:"
UNNAMED = "unnamed"


class Prediction(Protocol):
    """One line of a prediction file. `db_id` and `model` are '' when the file does not say."""

    @property
    def question_id(self) -> str:
        """The question that the SQL answers."""
        ...

    @property
    def db_id(self) -> str:
        """The database that the SQL was written for."""
        ...

    @property
    def sql(self) -> str:
        """What the system wrote, as it stands in the file."""
        ...

    @property
    def model(self) -> str:
        """The system, e.g. 'Alpha-SQL' or 'RSL-SQL/gpt-4o/each_step/base_prompt' for a stage of one."""
        ...


@dataclass(frozen=True)
class Recorded:
    """A generator that gives what the predictions hold for a question, in their order. Build it with `record`."""

    name: str
    by_question: Mapping[str, Sequence[Prediction]]

    def generate(self, asked: Sequence[Asked], context: DatabaseContext) -> list[list[Candidate]]:
        """Give one candidate per prediction; a model's second line for the question is its second sample.

        A prediction written for another database is left out: its SQL speaks of tables that are not here.
        Blank SQL stays, as the failure that it is.
        """
        return [self._replay(a.question) for a in asked]

    def _replay(self, question: Question) -> list[Candidate]:
        fitting = [p for p in self.by_question.get(question.question_id, ()) if _same_database(p, question)]
        samples: Counter[str] = Counter()
        candidates = []
        for prediction in fitting:
            generator = PREFIX + (prediction.model or UNNAMED)
            samples[generator] += 1
            candidates.append(_candidate(question, generator, prediction, samples[generator]))
        return candidates


def record(predictions: Iterable[Prediction], name: str = "recorded") -> Recorded:
    """Gather predictions by question. Ids are compared as text, so that 12 and '12' are one question."""
    by_question: dict[str, list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        by_question[str(prediction.question_id)].append(prediction)
    return Recorded(name, dict(by_question))


def unused(recorded: Recorded, questions: Iterable[Question]) -> dict[str, int]:
    """Count what a replay leaves out, to be reported: lines of unknown questions, lines of other databases,
    and questions without any line.
    """
    known = {q.question_id: q for q in questions}
    lines = [(known.get(i), p) for i, found in recorded.by_question.items() for p in found]
    return {
        "unknown_question": sum(q is None for q, _ in lines),
        "other_database": sum(q is not None and not _same_database(p, q) for q, p in lines),
        "question_without_prediction": sum(i not in recorded.by_question for i in known),
    }


def _same_database(prediction: Prediction, question: Question) -> bool:
    return not prediction.db_id or prediction.db_id.casefold() == question.db_id.casefold()


def _candidate(question: Question, generator: str, prediction: Prediction, sample: int) -> Candidate:
    return Candidate(
        question_id=question.question_id,
        db_id=question.db_id,
        candidate_id=f"{generator}/{sample}",
        generator=generator,
        model=prediction.model,
        view="full",
        prompt="",
        sample=sample,
        sql=prediction.sql,
    )
