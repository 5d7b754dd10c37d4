"""Everything that the steps of a run wrote, as rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from nl2sql.rows import (
    Candidate,
    Grounding,
    Linking,
    ModelCall,
    Question,
    Recall,
    Repair,
    Selection,
    Verdict,
)

Row = TypeVar("Row", Grounding, Linking)


class RowsInParts(Mapping[str, Row]):
    """Rows by question of which one part is in memory at a time, so that a run may have any number of questions.

    Cheap where questions of one part follow each other, since asking for a row of another part reads that.
    """

    def __init__(self, parts: Sequence[Callable[[], Sequence[Row]]], places: Mapping[str, int]) -> None:
        """`places` holds for each question which of `parts` reads its row."""
        self._parts = parts
        self._places = places
        self._place = -1
        self._rows: dict[str, Row] = {}

    def __getitem__(self, question_id: str) -> Row:
        """The row of a question; raises KeyError for one that has none."""
        place = self._places[question_id]
        if place != self._place:
            self._rows = {}  # before the next part is read
            self._rows = {row.question_id: row for row in self._parts[place]()}
            self._place = place
        return self._rows[question_id]

    def __iter__(self) -> Iterator[str]:
        """The questions."""
        return iter(self._places)

    def __len__(self) -> int:
        """How many questions have a row."""
        return len(self._places)


@dataclass(frozen=True)
class RunTables:
    """What summaries and reports are made of, in the order of the pipeline. What a run did not write stays empty."""

    questions: Sequence[Question] = ()
    groundings: Mapping[str, Grounding] = field(default_factory=dict)  # by question, like the linkings
    linkings: Mapping[str, Linking] = field(default_factory=dict)
    candidates: Sequence[Candidate] = ()
    repairs: Sequence[Repair] = ()
    selections: Sequence[Selection] = ()
    verdicts: Sequence[Verdict] = ()
    recalls: Sequence[Recall] = ()
    corrected: Sequence[Verdict] = ()  # by a second gold, of the questions that it changes
    model_calls: Sequence[ModelCall] = ()  # of artifacts that this run made
    reused_calls: Sequence[ModelCall] = ()  # of artifacts of earlier runs that it took over
    gold_previews: Mapping[str, str] = field(default_factory=dict)  # question id -> rows, in Repair.preview's form
