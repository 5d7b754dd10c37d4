"""Op 6: the columns that a question needs, in a precise view (S1) and one for recall (S2)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nl2sql.online.context import DatabaseContext
from nl2sql.online.join_paths import JoinGraph, key_columns
from nl2sql.online.score_columns import WEIGHTS, ColumnScorer, Scores, reasons
from nl2sql.rows import CellMatch, ColumnName, Grounding, Link, Linking, Question
from nl2sql.sql_usage import UnreadableSQL, read_usage

LINKED_TABLE = 0.25  # what a column gains in round 2 when its table is in S1
KEY_PENALTY = 0.15  # what a key loses there: keys come by closure, the room is for the others

# A quick draft of the SQL from what is linked so far; '' when there is none. Its columns join S2 (reversed pass).
Draft = Callable[[Question, Grounding, Linking, DatabaseContext], str]


@dataclass(frozen=True)
class Limits:
    """How much each view keeps. Scores are those of score_columns.

    Chosen on five databases of BIRD's and Spider's dev sets; the figures are flat around these values.
    """

    precise_score: float = 0.95  # named outright, or by a cell, with some support; less for weak questions
    precise_share: float = 0.62  # of the best score: a question that names columns outright wants no half-named ones
    precise_columns: int = 12
    precise_mention: float = 0.95  # a table of which so much of the name is said is joined in S1
    recall_share: float = 0.25  # of the database's columns, keys and paths on top
    recall_least: int = 4  # columns that S2 keeps at least: small tables cost nothing
    recall_most: int = 30  # and at most, before keys: wide databases need no more
    recall_score: float = 0.25  # below it nothing speaks for a column
    cell_score: float = 0.85  # a matched cell this sure brings its column into S2
    table_score: float = 0.6  # a table that stands this high has its keys in S2
    tables: int = 6  # whose keys and paths are added


LIMITS = Limits()


def link_schema(
    questions: Sequence[Question],
    groundings: Sequence[Grounding],
    context: DatabaseContext,
    *,
    draft: Draft | None = None,
    limits: Limits = LIMITS,
    weights: Mapping[str, float] = WEIGHTS,
) -> list[Linking]:
    """Link a batch of questions of one database to its columns; groundings are found by question_id.

    S1 (view 1): round 1, the best-scored columns of all, with the keys that join their tables. S2 adds (view 2):
    round 2, the best of what is left once the tables of S1 count as meant; columns of surely matched cells; primary
    keys of the meant tables and the keys on the paths between them; the columns of the draft. Links come best first.
    A database without columns gives no links. Raises KeyError for a question without grounding.
    """
    scorer, graph = ColumnScorer(context, weights), JoinGraph(context.schema)
    grounded = {g.question_id: g for g in groundings}
    return [
        _link(question, grounded[question.question_id], context, scorer, graph, draft, limits) for question in questions
    ]


def _link(
    question: Question,
    grounding: Grounding,
    context: DatabaseContext,
    scorer: ColumnScorer,
    graph: JoinGraph,
    draft: Draft | None,
    limits: Limits,
) -> Linking:
    scores = scorer.score(question, grounding)
    kept = Kept(scorer, scores, graph, limits)
    kept.take_precise()
    kept.take_recall(grounding.cells)
    linking = kept.linking(question)
    if draft is None:
        return linking
    sql = draft(question, grounding, linking, context)
    kept.take_drafted(sql, context)
    return kept.linking(question, sql)


@dataclass
class Kept:
    """The columns kept so far for one question: place in the schema -> (view, reasons)."""

    scorer: ColumnScorer
    scores: Scores
    graph: JoinGraph
    limits: Limits
    links: dict[int, tuple[int, list[str]]] = field(default_factory=dict)
    second: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def take_precise(self) -> None:
        """Round 1: the best columns, then the keys that join their tables."""
        total = self.scores.total
        self.second = total
        if not len(total):
            return
        least = max(min(self.limits.precise_score, total.max()), self.limits.precise_share * total.max())
        best = [i for i in np.argsort(-total, kind="stable")[: self.limits.precise_columns] if total[i] >= least]
        self._add(best, 1)
        mentions = zip(self.scores.mentions, self.scorer.tables, strict=True)
        spoken = [t for m, t in sorted(mentions, reverse=True) if m >= self.limits.precise_mention]
        tables = list(dict.fromkeys(self._tables(best) + spoken))[: self.limits.tables]
        self._add_paths(tables, 1)

    def take_recall(self, cells: Sequence[CellMatch]) -> None:
        """Round 2: what is left, scored again with the tables of round 1 as meant; cells; keys and paths."""
        if not len(self.second):
            return
        limits, count = self.limits, len(self.second)
        linked = self._tables(self.links)
        bonus = np.array([table in linked for table in self.scorer.tables])[self.scorer.table_of]
        self.second = self.scores.total + LINKED_TABLE * bonus - KEY_PENALTY * self.scorer.keys
        room = int(min(max(limits.recall_least, round(limits.recall_share * count)), limits.recall_most))
        order = [i for i in np.argsort(-self.second, kind="stable") if i not in self.links]
        fresh = [i for i in order if self.second[i] >= limits.recall_score]
        scored = sum("path" not in why for _, why in self.links.values())
        self._add(fresh[: max(0, room - scored)], 2)
        self._add((i for i in self._celled(cells)), 2, "cell")
        self._add_keys()

    def take_drafted(self, sql: str, context: DatabaseContext) -> None:
        """The reversed pass: columns that the draft uses; a draft that cannot be read adds none."""
        try:
            used = read_usage(sql, context.schema).columns if sql.strip() else ()
        except UnreadableSQL:
            return
        self._add(self._places(used), 2, "draft")

    def _celled(self, cells: Sequence[CellMatch]) -> Iterable[int]:
        sure = (c for c in cells if c.score >= self.limits.cell_score and c.method != "number")
        return self._places(ColumnName(c.table, c.column) for c in sure)

    def _add_keys(self) -> None:
        """Primary keys of the meant tables, and the keys that join them."""
        meant = self._meant()
        self._add_paths(meant, 2)
        self._add(self._places(self.graph.between(meant)), 2, "key")
        for table in meant:
            found = self.graph.schema.table(table)
            self._add(self._places(ColumnName(table, c) for c in (found.primary_key if found else ())), 2, "key")

    def _meant(self) -> list[str]:
        """Tables in the order of their standing: those of S1, then those that the question speaks of."""
        precise = self._tables(i for i, (view, _) in self.links.items() if view == 1)
        standing = sorted(zip(-self.scores.tables, self.scorer.tables, strict=True))
        spoken = [t for score, t in standing if -score >= self.limits.table_score and t not in precise]
        return (precise + spoken)[: self.limits.tables]

    def _add_paths(self, tables: Sequence[str], view: int) -> None:
        keys = self.graph.connect(tables)
        self._add(self._places(c for key in keys for c in key_columns(key)), view, "path")

    def _tables(self, places: Iterable[int]) -> list[str]:
        """Their tables, first come first."""
        return list(dict.fromkeys(self.scorer.columns[i].table for i in places))

    def _places(self, columns: Iterable[ColumnName]) -> Iterable[int]:
        places = (self.scorer.place(c.table, c.column) for c in columns)
        return [place for place in places if place is not None]

    def _add(self, places: Iterable[int], view: int, reason: str = "") -> None:
        for place in places:
            view_before, why = self.links.get(place, (view, []))
            self.links[place] = (min(view, view_before), [*why, reason] if reason and reason not in why else why)

    def linking(self, question: Question, draft_sql: str = "") -> Linking:
        """The links, S1 before S2, each by score."""
        rows = [
            Link(
                self.scorer.columns[i].table,
                self.scorer.columns[i].column,
                view,
                round(float(self.second[i]), 4),
                tuple(dict.fromkeys([*reasons(self.scores, i), *why])),
            )
            for i, (view, why) in self.links.items()
        ]
        ranked = sorted(rows, key=lambda r: (r.view, -r.score, r.table, r.column))
        return Linking(question.question_id, question.db_id, tuple(ranked), len(self.scorer.columns), draft_sql)
