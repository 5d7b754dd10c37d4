"""One call for one role, with what the choice of its model says."""

from nl2sql.models.chat import Prompt, Request
from nl2sql.models.choices import ModelChoice


def make_request(
    choice: ModelChoice, prompt: Prompt, role: str, db_id: str, question_id: str = "", schema: str = ""
) -> Request:
    """A request for the choice's model with its effort, temperature and length; `schema` is the answer's, as JSON."""
    return Request(
        choice.model,
        prompt,
        schema=schema,
        temperature=choice.temperature,
        effort=choice.effort,
        max_tokens=choice.max_tokens,
        role=role,
        db_id=db_id,
        question_id=question_id,
    )
