"""Op 7: every generator of the lineup proposes SQL for every question."""

from collections.abc import Sequence

from nl2sql.models.generator import Generator
from nl2sql.online.context import DatabaseContext
from nl2sql.rows import Candidate, Grounding, Linking, Question


def generate_candidates(
    questions: Sequence[Question],
    groundings: Sequence[Grounding],
    linkings: Sequence[Linking],
    context: DatabaseContext,
    generators: Sequence[Generator],
) -> list[Candidate]:
    """Candidates of one database's questions: by question, then in the order of the lineup.

    Groundings and linkings are found by question id; a question without them raises KeyError. Candidates without
    text are left out.
    """
    grounding = {g.question_id: g for g in groundings}
    linking = {item.question_id: item for item in linkings}
    return [
        candidate
        for question in questions
        for generator in generators
        for candidate in generator.generate(
            question, grounding[question.question_id], linking[question.question_id], context
        )
        if candidate.sql.strip()
    ]
