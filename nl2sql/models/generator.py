"""What every maker of candidates has in common (op 7)."""

from typing import Protocol

from nl2sql.online.context import DatabaseContext
from nl2sql.rows import Candidate, Grounding, Linking, Question


class Generator(Protocol):
    """Writes SQL for a question: rules, a replayed prediction file, an API or a local model."""

    @property
    def name(self) -> str:
        """The `generator` of its candidates, unique in a lineup."""
        ...

    def generate(
        self, question: Question, grounding: Grounding, linking: Linking, context: DatabaseContext
    ) -> list[Candidate]:
        """Give this question's candidates, the most plausible first; [] when there is nothing to propose.

        Raises nothing for odd questions or schemas. `candidate_id`s are unique within the question and begin with
        the generator's name.
        """
        ...
