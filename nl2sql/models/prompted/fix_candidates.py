"""Op 8 by a model: statements that fail are shown with what came of them, and of earlier attempts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nl2sql.models.ask import ask_models
from nl2sql.models.chat import Prompt, Request, Turn
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.generate_candidates import columns_of
from nl2sql.models.prompted.local_prompts import fitted_prompt, is_local
from nl2sql.models.prompted.make_request import make_request
from nl2sql.models.read_answers import read_sql
from nl2sql.models.session import Session
from nl2sql.online.context import DatabaseContext
from nl2sql.online.repair_candidates import Broken
from nl2sql.previews import executed
from nl2sql.prompts.fences import harmless
from nl2sql.prompts.render import render
from nl2sql.prompts.schema_text import schema_values
from nl2sql.prompts.task_text import asked_values, outcome_text, query_text
from nl2sql.rows import ColumnName
from nl2sql.sql_usage import UnreadableSQL, read_usage

BARE_QUERY = "Answer with the whole corrected query and no other text."


@dataclass(frozen=True)
class Fixer:
    """Fulfils nl2sql.online.repair_candidates.FixStatements, as far as the budget goes.

    The schema shown is the wider of the linked views, with the columns that the statement uses besides. A local model
    costs nothing, so that no budget keeps it from trying, and is asked as it was trained: briefly, in one turn.
    """

    session: Session
    choice: ModelChoice

    def __call__(self, broken: Sequence[Broken], context: DatabaseContext) -> list[str]:
        """A fix for each statement, all asked for in one call; '' where the model or the budget gave none."""
        allowed = [i for i, b in enumerate(broken) if self._may_fix(b)]
        if len(allowed) < len(broken):
            self.session.ledger.degrade()
        requests = [self._request(broken[i], context) for i in allowed]
        wanted = BARE_QUERY if is_local(self.choice) else ""
        found = ask_models(self.session, requests, lambda _, text: read_sql(text), wanted)
        fixes = dict(zip(allowed, found, strict=True))
        return [fixes.get(i) or "" for i in range(len(broken))]

    def _may_fix(self, broken: Broken) -> bool:
        budget = self.session.budget
        if budget is None or is_local(self.choice):
            return True
        return len(broken.tried) < budget.level_of(broken.question.question_id).fixes

    def _request(self, broken: Broken, context: DatabaseContext) -> Request:
        linked = columns_of(broken.linking, "s2")
        columns = tuple(dict.fromkeys((*linked, *_used(broken.sql, context)))) if linked else None
        local = is_local(self.choice)
        prompt = (self._local_prompt if local else self._prompt)(broken, context, columns)
        question = broken.question
        request = make_request(self.choice, prompt, "fix", question.db_id, question.question_id)
        return request if local else replace(request, turns=_attempts(broken))

    def _prompt(self, broken: Broken, context: DatabaseContext, columns: tuple[ColumnName, ...] | None) -> Prompt:
        return render(
            "fix/error",
            **schema_values(context, columns, "ddl", self.choice.context_tokens),
            **asked_values(broken.question, broken.grounding),
            query=query_text(broken.sql),
            outcome=outcome_text(executed(broken.question, broken.sql, broken.result)),
        )

    def _local_prompt(self, broken: Broken, context: DatabaseContext, columns: tuple[ColumnName, ...] | None) -> Prompt:
        """The statement that was tried last with what came of it, as `training_prompts.correction_prompt` has it."""
        sql, result = broken.tried[-1] if broken.tried else (broken.sql, broken.result)
        values = {
            **asked_values(broken.question, broken.grounding, columns),
            "query": query_text(sql),
            "outcome": outcome_text(executed(broken.question, sql, result)),
        }
        tokens = self.choice.context_tokens
        return fitted_prompt(context, columns, tokens, lambda schema: render("fix/local", **schema, **values))


def _used(sql: str, context: DatabaseContext) -> tuple[ColumnName, ...]:
    try:
        return read_usage(sql, context.schema).columns
    except UnreadableSQL:
        return ()


def _attempts(broken: Broken) -> tuple[Turn, ...]:
    """The conversation so far: each fix that did not help, and what came of it."""
    turns: list[Turn] = []
    for sql, result in broken.tried:
        if sql != broken.sql:
            outcome = outcome_text(executed(broken.question, sql, result))
            turns += [
                Turn("assistant", f"```sql\n{harmless(sql)}\n```"),
                Turn("user", f"That query does not help. What happened:\n{outcome}\nWrite another one."),
            ]
    return tuple(turns)
