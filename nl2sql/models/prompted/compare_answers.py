"""Op 9 by a model: which of two statements with different results answers the question."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from nl2sql.models.ask import ask_models
from nl2sql.models.chat import Model, Reply, Request
from nl2sql.models.choices import ModelChoice
from nl2sql.models.prompted.local_prompts import fitted_prompt, in_one_style, is_local
from nl2sql.models.prompted.make_request import make_request
from nl2sql.models.read_answers import json_schema, read_json, read_letter
from nl2sql.models.session import Session
from nl2sql.online.context import DatabaseContext
from nl2sql.online.select_answers import Pair
from nl2sql.prompts.answers import Comparison
from nl2sql.prompts.fences import Fenced
from nl2sql.prompts.render import render
from nl2sql.prompts.schema_text import schema_values
from nl2sql.prompts.task_text import asked_values, query_text, result_text
from nl2sql.rows import ColumnName, Grounding
from nl2sql.schema import Schema
from nl2sql.sql_usage import UnreadableSQL, read_usage

LETTER = "Answer with one letter, A or B."
LETTER_TOKENS = 8  # of a letter's answer: the first decides
ALTERNATIVES = 10  # of the first token that are looked at for A and B
SURE = 0.8


@dataclass(frozen=True)
class PairJudge:
    """Fulfils nl2sql.online.select_answers.Judge, as far as the budget goes; the orders are the caller's.

    Both statements are shown with their first rows and the columns that either uses, or the whole schema when one
    cannot be read. A local model is asked as it was trained: in one style, for one letter, whose probability is the
    verdict; it costs nothing, so that no budget keeps it from judging.

    The `tiebreak` model is asked about the pairs of which this one is less than `sure` (0.5..1, by the probabilities
    of A and B, both orders of a pair taken together), and those of which it said nothing that could be read.
    """

    session: Session
    choice: ModelChoice
    tiebreak: ModelChoice | None = None
    sure: float = SURE
    groundings: Mapping[str, Grounding] = field(default_factory=dict)  # by question; local models see their values

    def compare(self, pairs: Sequence[Pair], context: DatabaseContext) -> list[float | None]:
        """The points of the first of each pair, all asked for in one call, and in a second one of the tiebreaker.

        1 or 0; how sure the model was where it gives the probabilities of its answer's first token and that is the
        verdict; None where the answer could not be read or the budget allows no judging.
        """
        points = self._points(self.choice, pairs, context)
        if self.tiebreak is None:
            return points
        unsure = [i for i, certain in enumerate(certainties(pairs, points)) if certain < self.sure]
        second = self._points(self.tiebreak, [pairs[i] for i in unsure], context)
        for i, verdict in zip(unsure, second, strict=True):
            points[i] = points[i] if verdict is None else verdict
        return points

    def _points(self, choice: ModelChoice, pairs: Sequence[Pair], context: DatabaseContext) -> list[float | None]:
        allowed = [i for i, pair in enumerate(pairs) if is_local(choice) or self._may_judge(pair)]
        if len(allowed) < len(pairs):
            self.session.ledger.degrade()
        requests = self._requests(choice, [pairs[i] for i in allowed], context)
        heard = Heard(self.session.model, is_local(choice))
        session, wanted = replace(self.session, model=heard), LETTER if is_local(choice) else ""
        verdicts = ask_models(session, requests, _read, wanted)
        points: list[float | None] = [None] * len(pairs)
        for i, request, verdict in zip(allowed, requests, verdicts, strict=True):
            sure = first_probability(heard.replies.get(request.key))
            points[i] = verdict if verdict is None or sure is None else sure
        return points

    def _may_judge(self, pair: Pair) -> bool:
        budget = self.session.budget
        return budget is None or budget.level_of(pair.question.question_id).judged

    def _requests(self, choice: ModelChoice, pairs: Sequence[Pair], context: DatabaseContext) -> list[Request]:
        shown = {r.sql: r for pair in pairs for r in (pair.first, pair.second)}
        used = {sql: _used(sql, context.schema) for sql in shown}
        styled = in_one_style(tuple(shown.values()), context) if is_local(choice) else shown
        requests = []
        for pair in pairs:
            columns = _united(used[pair.first.sql], used[pair.second.sql], context.schema)
            if is_local(choice):
                alike = replace(pair, first=styled[pair.first.sql], second=styled[pair.second.sql])
                requests.append(self._letter_request(choice, alike, context, columns))
            else:
                requests.append(self._request(choice, pair, context, columns))
        return requests

    def _request(
        self, choice: ModelChoice, pair: Pair, context: DatabaseContext, columns: tuple[ColumnName, ...] | None
    ) -> Request:
        schema = schema_values(context, columns, "ddl", choice.context_tokens)
        prompt = render("compare/pair", **schema, **asked_values(pair.question), **_statements(pair))
        return make_request(choice, prompt, self._role(choice), *_place(pair), json_schema(Comparison))

    def _letter_request(
        self, choice: ModelChoice, pair: Pair, context: DatabaseContext, columns: tuple[ColumnName, ...] | None
    ) -> Request:
        """What `training_prompts.compare_prompt` has; the answer's first token is all that is needed."""
        asked = asked_values(pair.question, self.groundings.get(pair.question.question_id))
        values = {**asked, **_statements(pair)}
        tokens = choice.context_tokens
        prompt = fitted_prompt(context, columns, tokens, lambda schema: render("compare/letter", **schema, **values))
        request = make_request(choice, prompt, self._role(choice), *_place(pair))
        return replace(request, logprobs=ALTERNATIVES, max_tokens=min(choice.max_tokens, LETTER_TOKENS))

    def _role(self, choice: ModelChoice) -> str:
        return "compare" if choice is self.choice else "tiebreak"


def certainties(pairs: Sequence[Pair], points: Sequence[float | None]) -> list[float]:
    """How sure a judge is of each pair, 0.5..1: from both orders where both are there, 0 where it said nothing.

    A judge that prefers whichever comes first contradicts itself in the other order, however sure it is of each.
    """
    said = {_orders(pair): p for pair, p in zip(pairs, points, strict=True)}
    found = []
    for pair, point in zip(pairs, points, strict=True):
        key = _orders(pair)
        other = said.get((key[0], key[2], key[1]), None if point is None else 1 - point)
        both = None if point is None or other is None else (point + 1 - other) / 2
        found.append(0.0 if both is None else max(both, 1 - both))
    return found


def _orders(pair: Pair) -> tuple[str, str, str]:
    return pair.question.question_id, pair.first.candidate_id, pair.second.candidate_id


def _place(pair: Pair) -> tuple[str, str]:
    return pair.question.db_id, pair.question.question_id


def _statements(pair: Pair) -> dict[str, Fenced]:
    return {
        "query_a": query_text(pair.first.sql),
        "result_a": result_text(pair.first),
        "query_b": query_text(pair.second.sql),
        "result_b": result_text(pair.second),
    }


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


def _read(request: Request, text: str) -> float:
    letter = read_json(text, Comparison).better if request.schema else read_letter(text)
    return 1.0 if letter == "A" else 0.0


@dataclass(frozen=True)
class Heard:
    """A model, with the replies that it gave by the key of their requests.

    With `letters` an answer whose first token tells A from B is that letter: what follows it is not needed.
    """

    model: Model
    letters: bool = False
    replies: dict[str, Reply] = field(default_factory=dict)

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """Ask the model and keep what it says."""
        replies = [self._settled(reply) for reply in self.model.ask(requests)]
        self.replies.update(zip((r.key for r in requests), replies, strict=True))
        return replies

    async def ask_one(self, request: Request) -> Reply:
        """Ask the model for one reply and keep it."""
        self.replies[request.key] = reply = self._settled(await self.model.ask_one(request))
        return reply

    def _settled(self, reply: Reply) -> Reply:
        likely = first_probability(reply) if self.letters and reply.failure in ("", "cut") else None
        return reply if likely is None else replace(reply, text="A" if likely >= 0.5 else "B", failure="")


def first_probability(reply: Reply | None) -> float | None:
    """How likely the first token of an answer was A rather than B, 0..1; None when it was neither."""
    alternatives = {token.strip().upper(): p for token, p in reversed(reply.logprobs if reply else ())}
    if not {"A", "B"} <= alternatives.keys():
        return None
    return 1 / (1 + math.exp(min(700.0, alternatives["B"] - alternatives["A"])))
