"""A quick draft of the SQL over the whole schema, for linking's reversed pass: its columns join S2."""

from collections.abc import Sequence

from nl2sql.models.chat import Request
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.make_request import make_request
from nl2sql.online.context import DatabaseContext
from nl2sql.prompts.render import render
from nl2sql.prompts.schema_text import schema_values
from nl2sql.prompts.task_text import asked_values
from nl2sql.rows import ColumnName, Grounding, Question


def draft_request(
    question: Question,
    grounding: Grounding,
    context: DatabaseContext,
    choice: ModelChoice,
    columns: Sequence[ColumnName] | None,
) -> Request:
    """The request for a draft over these columns, None for all; its answer is read by read_sql."""
    schema = schema_values(context, columns, "ddl", choice.context_tokens)
    prompt = render("draft/sql", **schema, **asked_values(question, grounding))
    return make_request(choice, prompt, "draft", question.db_id, question.question_id)
