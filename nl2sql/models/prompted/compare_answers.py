"""Op 9 by a model: which of two statements with different results answers the question."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from nl2sql.models.ask import ask_models
from nl2sql.models.chat import Model, Reply, Request
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.make_request import make_request
from nl2sql.models.read_answers import json_schema, read_json
from nl2sql.models.session import Session
from nl2sql.online.context import DatabaseContext
from nl2sql.online.select_answers import Pair
from nl2sql.prompts.answers import Comparison
from nl2sql.prompts.render import render
from nl2sql.prompts.schema_text import MAX_TOKENS, schema_values
from nl2sql.prompts.task_text import asked_values, query_text, result_text
from nl2sql.rows import ColumnName
from nl2sql.schema import Schema
from nl2sql.sql_usage import UnreadableSQL, read_usage


@dataclass(frozen=True)
class PairJudge:
    """Fulfils nl2sql.online.select_answers.Judge, as far as the budget goes; the orders are the caller's.

    Both statements are shown with their first rows and the columns that either uses, or the whole schema when one
    cannot be read.
    """

    session: Session
    choice: ModelChoice
    tokens: int = MAX_TOKENS  # of the schema text

    def compare(self, pairs: Sequence[Pair], context: DatabaseContext) -> list[float | None]:
        """The points of the first of each pair, all asked for in one call.

        1 or 0; how sure the model was where it gives the probabilities of its answer's first token and that is the
        verdict; None where the answer could not be read or the budget allows no judging.
        """
        allowed = [i for i, pair in enumerate(pairs) if self._may_judge(pair)]
        if len(allowed) < len(pairs):
            self.session.ledger.degrade()
        statements = {r.sql for i in allowed for r in (pairs[i].first, pairs[i].second)}
        used = {sql: _used(sql, context.schema) for sql in statements}
        requests = [self._request(pairs[i], context, used) for i in allowed]
        heard = Heard(self.session.model)
        verdicts = ask_models(replace(self.session, model=heard), requests, lambda _, text: _read(text))
        points: list[float | None] = [None] * len(pairs)
        for i, request, verdict in zip(allowed, requests, verdicts, strict=True):
            sure = first_probability(heard.replies.get(request.key))
            points[i] = verdict if verdict is None or sure is None else sure
        return points

    def _may_judge(self, pair: Pair) -> bool:
        budget = self.session.budget
        return budget is None or budget.level_of(pair.question.question_id).judged

    def _request(
        self, pair: Pair, context: DatabaseContext, used: Mapping[str, frozenset[ColumnName] | None]
    ) -> Request:
        columns = _united(used[pair.first.sql], used[pair.second.sql], context.schema)
        prompt = render(
            "compare/pair",
            **schema_values(context, columns, "ddl", self.tokens),
            **asked_values(pair.question),
            query_a=query_text(pair.first.sql),
            result_a=result_text(pair.first),
            query_b=query_text(pair.second.sql),
            result_b=result_text(pair.second),
        )
        question = pair.question
        schema = json_schema(Comparison)
        return make_request(self.choice, prompt, "compare", question.db_id, question.question_id, schema)


def _used(sql: str, schema: Schema) -> frozenset[ColumnName] | None:
    try:
        return frozenset(read_usage(sql, schema).columns)
    except UnreadableSQL:
        return None


def _united(
    first: frozenset[ColumnName] | None, second: frozenset[ColumnName] | None, schema: Schema
) -> tuple[ColumnName, ...] | None:
    """The columns that either statement uses, in schema order; None, which is all, when one of them is unclear."""
    if first is None or second is None:
        return None
    return tuple(c for c in schema.column_names if c in first or c in second) or None


def _read(text: str) -> float:
    return 1.0 if read_json(text, Comparison).better == "A" else 0.0


@dataclass(frozen=True)
class Heard:
    """A model, with the replies that it gave by the key of their requests."""

    model: Model
    replies: dict[str, Reply] = field(default_factory=dict)

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """Ask the model and keep what it says."""
        replies = self.model.ask(requests)
        self.replies.update(zip((r.key for r in requests), replies, strict=True))
        return replies

    async def ask_one(self, request: Request) -> Reply:
        """Ask the model for one reply and keep it."""
        self.replies[request.key] = reply = await self.model.ask_one(request)
        return reply


def first_probability(reply: Reply | None) -> float | None:
    """How likely the first token of an answer was A rather than B, 0..1; None when it was neither."""
    alternatives = {token.strip().upper(): p for token, p in reversed(reply.logprobs if reply else ())}
    if not {"A", "B"} <= alternatives.keys():
        return None
    return 1 / (1 + math.exp(min(700.0, alternatives["B"] - alternatives["A"])))
