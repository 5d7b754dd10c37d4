"""Op 6 by a model: two rounds of choosing columns; drafts for the reversed pass go out with the first."""

from collections.abc import Sequence
from dataclasses import dataclass

from nl2sql.models.ask import ask_models
from nl2sql.models.chat import Request
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.draft_sql import draft_request
from nl2sql.models.prompted.generate_candidates import WIDE
from nl2sql.models.prompted.make_request import make_request
from nl2sql.models.prompted.resolve_columns import resolve_columns
from nl2sql.models.read_answers import Unreadable, json_schema, read_json, read_sql
from nl2sql.models.session import Session
from nl2sql.online.context import DatabaseContext
from nl2sql.online.link_schema import FirstChoice, ToLink
from nl2sql.prompts.answers import SelectedColumns
from nl2sql.prompts.render import render
from nl2sql.prompts.schema_text import schema_values
from nl2sql.prompts.task_text import asked_values, columns_text, hits_text
from nl2sql.rows import ColumnName
from nl2sql.schema import Schema

NAMED = 200  # columns of an answer that are looked at

Columns = tuple[ColumnName, ...]


@dataclass(frozen=True)
class SchemaLinker:
    """Fulfils nl2sql.online.link_schema.ColumnChooser. Without a model for drafts none are asked for.

    Small databases are shown whole, in the same words for every question, so that providers can cache them.
    """

    session: Session
    choice: ModelChoice
    draft: ModelChoice | None = None

    def choose_first(self, questions: Sequence[ToLink], context: DatabaseContext) -> list[FirstChoice]:
        """Columns and drafts of all questions, asked for in one call."""
        rounds = [self._request("first", to_link, context) for to_link in questions]
        drafts = [self._draft(to_link, context, self.draft) for to_link in questions if self.draft]

        def read(request: Request, text: str) -> Columns | str:
            return read_sql(text) if request.role == "draft" else _read_first(text, context.schema)

        answers = ask_models(self.session, [*rounds, *drafts], read)
        chosen = [a if isinstance(a, tuple) else None for a in answers[: len(rounds)]]
        drafted = [a if isinstance(a, str) else "" for a in answers[len(rounds) :]] or [""] * len(rounds)
        return [FirstChoice(columns, sql) for columns, sql in zip(chosen, drafted, strict=True)]

    def choose_more(self, questions: Sequence[ToLink], context: DatabaseContext) -> list[Columns | None]:
        """What the model finds beside the columns that are kept, () when that is nothing."""
        requests = [self._request("second", to_link, context) for to_link in questions]
        return ask_models(self.session, requests, lambda _, text: _read_columns(text, context.schema))

    def _request(self, which: str, to_link: ToLink, context: DatabaseContext) -> Request:
        more = (
            {"chosen": columns_text(to_link.kept)}
            if which == "second"
            else {"hits": hits_text(to_link.grounding.columns)}
        )
        schema = schema_values(context, _shown(to_link), "markdown", self.choice.context_tokens, short=True)
        prompt = render(f"link/{which}", **schema, **asked_values(to_link.question, to_link.grounding), **more)
        question = to_link.question
        answer = json_schema(SelectedColumns)
        return make_request(self.choice, prompt, "link", question.db_id, question.question_id, answer)

    def _draft(self, to_link: ToLink, context: DatabaseContext, choice: ModelChoice) -> Request:
        return draft_request(to_link.question, to_link.grounding, context, choice, _shown(to_link))


def _shown(to_link: ToLink) -> Columns | None:
    return to_link.ranked if len(to_link.ranked) > WIDE else None


def _read_columns(text: str, schema: Schema) -> Columns:
    named = read_json(text, SelectedColumns).columns[:NAMED]
    return resolve_columns(schema, ((c.table, c.column) for c in named))


def _read_first(text: str, schema: Schema) -> Columns:
    """The columns of a first round; raises Unreadable when the schema has none of them."""
    columns = _read_columns(text, schema)
    if not columns:
        raise Unreadable("it names no column of this database; copy table and column as the schema spells them")
    return columns
