"""The `rules` generator: candidates from patterns, best first, and the quick draft of the reversed linking pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from nl2sql.models.generator import Asked
from nl2sql.models.rules.interpret import Knowledge, interpret
from nl2sql.models.rules.joins import JoinGraph
from nl2sql.models.rules.lexicon import build_lexicon
from nl2sql.models.rules.patterns import PATTERNS
from nl2sql.models.rules.query import assemble, render
from nl2sql.online.context import DatabaseContext
from nl2sql.rows import Candidate, ColumnName, Grounding, Linking, Question

NAME = "rules"
MAX_CANDIDATES = 6


@dataclass
class Rules:
    """Deterministic candidates without a model. Remembers the last database's lexicon, which takes longest to build."""

    limit: int = MAX_CANDIDATES
    _last: tuple[DatabaseContext, Knowledge] | None = field(default=None, init=False, repr=False)

    @property
    def name(self) -> str:
        """The generator's name in a lineup."""
        return NAME

    def generate(self, asked: Sequence[Asked], context: DatabaseContext) -> list[list[Candidate]]:
        """At most `limit` candidates a question, the most plausible first; [] when it names nothing of the schema."""
        return [self._candidates(a, context) for a in asked]

    def _candidates(self, asked: Asked, context: DatabaseContext) -> list[Candidate]:
        question = asked.question
        links = {ColumnName(link.table, link.column): link.score for link in asked.linking.links}
        found = self._statements(question, asked.grounding, links, context)[: self.limit]
        return [
            Candidate(question.question_id, question.db_id, f"{NAME}/{i + 1}", NAME, "", "full", pattern, i, sql)
            for i, (pattern, sql) in enumerate(found)
        ]

    def draft(self, question: Question, grounding: Grounding, linking: Linking, context: DatabaseContext) -> str:
        """The best statement over the whole schema, for linking's reversed pass; '' when there is none.

        `linking` may be half done or empty: its scores only help to choose between columns of like names.
        """
        links = {ColumnName(link.table, link.column): link.score for link in linking.links}
        found = self._statements(question, grounding, links, context)
        return found[0][1] if found else ""

    def _statements(
        self,
        question: Question,
        grounding: Grounding,
        links: Mapping[ColumnName, float],
        context: DatabaseContext,
    ) -> list[tuple[str, str]]:
        knowledge = self._knowledge(context)
        if not knowledge.lexicon.schema.column_names:
            return []
        frame = interpret(question.question, question.evidence, grounding.cells, links, knowledge)
        found: dict[str, str] = {}
        for pattern in PATTERNS:
            query = pattern(frame, knowledge.graph)
            select = assemble(query, knowledge.graph) if query is not None else None
            if select is not None and not _nests_aggregates(select):
                found.setdefault(render(select), pattern.__name__)
        return [(pattern, sql) for sql, pattern in found.items()]

    def _knowledge(self, context: DatabaseContext) -> Knowledge:
        if self._last is None or self._last[0] is not context:
            lexicon = build_lexicon(context.schema, context.profiles)
            self._last = (context, Knowledge(lexicon, JoinGraph(context.schema)))
        return self._last[1]


def _nests_aggregates(select: exp.Expr) -> bool:
    """SQLite has no aggregate of an aggregate, but evidence does ("MAX(COUNT(x))")."""
    for inner in select.find_all(exp.AggFunc):
        outer = inner.find_ancestor(exp.AggFunc)
        if outer is not None and outer.parent_select is inner.parent_select:
            return True
    return False


def draft(question: Question, grounding: Grounding, linking: Linking, context: DatabaseContext) -> str:
    """One quick statement over the whole schema (the reversed linking pass); '' when there is none.

    Builds the database's lexicon each time: for many questions of one database keep a `Rules` and pass its `draft`.
    """
    return Rules().draft(question, grounding, linking, context)
