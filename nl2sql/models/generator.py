"""What every maker of candidates has in common (op 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nl2sql.online.context import DatabaseContext
from nl2sql.rows import Candidate, Grounding, Linking, Question


@dataclass(frozen=True)
class Asked:
    """A question with what is known of it when SQL is to be written."""

    question: Question
    grounding: Grounding
    linking: Linking


class Generator(Protocol):
    """Writes SQL for a batch of questions: rules, a replayed prediction file, an API or a local model."""

    @property
    def name(self) -> str:
        """The `generator` of its candidates, unique in a lineup."""
        ...

    def generate(self, asked: Sequence[Asked], context: DatabaseContext) -> list[list[Candidate]]:
        """Give each question's candidates, the most plausible first; [] for one where there is nothing to propose.

        Raises nothing for odd questions or schemas. `candidate_id`s are unique within the question and begin with
        the generator's name.
        """
        ...
