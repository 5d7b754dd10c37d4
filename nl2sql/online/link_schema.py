"""Op 6: the columns that a question needs, in a precise view (S1) and one for recall (S2)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from nl2sql.online.context import DatabaseContext
from nl2sql.online.join_paths import JoinGraph, key_columns
from nl2sql.online.rank_columns import ColumnRanker
from nl2sql.online.score_columns import WEIGHTS, ColumnScorer, Scores, reasons
from nl2sql.rows import CellMatch, ColumnName, Grounding, Link, Linking, Question
from nl2sql.sql_usage import UnreadableSQL, read_usage

# A quick draft of the SQL from what is linked so far; '' when there is none. Its columns join S2 (reversed pass).
Draft = Callable[[Question, Grounding, Linking, DatabaseContext], str]


@dataclass(frozen=True)
class ToLink:
    """A question whose columns are to be chosen."""

    question: Question
    grounding: Grounding
    ranked: tuple[ColumnName, ...]  # all columns of the database by their scores, best first
    kept: tuple[ColumnName, ...] = ()  # those of round 1, with the keys that join them


@dataclass(frozen=True)
class FirstChoice:
    """What a model chose from everything, None when that could not be read, and its draft, '' when there is none."""

    columns: tuple[ColumnName, ...] | None
    draft_sql: str


class ColumnChooser(Protocol):
    """Chooses columns by a model, for a batch of questions at a time; names that the schema has not are ignored."""

    def choose_first(self, questions: Sequence[ToLink], context: DatabaseContext) -> Sequence[FirstChoice]:
        """Round 1, and drafts over the whole schema; all of them are asked for at once."""
        ...

    def choose_more(
        self, questions: Sequence[ToLink], context: DatabaseContext
    ) -> Sequence[tuple[ColumnName, ...] | None]:
        """Round 2: from what round 1 left; None when the answer could not be read."""
        ...


@dataclass(frozen=True)
class Limits:
    """How much each view keeps. Scores are those of score_columns.

    Chosen on five databases of BIRD's and Spider's dev sets; the figures are flat around these values.
    """

    precise_score: float = 0.95  # named outright, or by a cell, with some support; less for weak questions
    precise_share: float = 0.62  # of the best score: a question that names columns outright wants no half-named ones
    precise_columns: int = 12
    precise_mention: float = 0.95  # a table of which so much of the name is said is joined in S1
    recall_share: float = 0.4  # of the database's columns, the keys of meant tables on top
    recall_least: int = 4  # columns that S2 keeps at least: small tables cost nothing
    recall_most: int = 25  # and at most, before those keys: wide databases need no more
    recall_score: float = 0.1  # below it nothing speaks for a column
    cell_score: float = 0.85  # a matched cell this sure brings its column into S2
    table_score: float = 0.6  # a table that stands this high has its keys in S2
    tables: int = 6  # whose keys and paths are added
    exactly: int = 0  # above 0, S2 is so many best-ranked columns and nothing else
    keys_by_tables: bool = True  # whether keys rank as high as the tables that they join let them
    chosen: int = 40  # columns that a model may choose in a round; further ones are ignored
    chosen_tables: int = 12  # whose keys and paths are added to what a model chose


LIMITS = Limits()


def link_schema(
    questions: Sequence[Question],
    groundings: Sequence[Grounding],
    context: DatabaseContext,
    *,
    draft: Draft | None = None,
    chooser: ColumnChooser | None = None,
    limits: Limits = LIMITS,
    weights: Mapping[str, float] = WEIGHTS,
) -> list[Linking]:
    """Link a batch of questions of one database to its columns; groundings are found by question_id.

    S1 (view 1): round 1, the best-scored columns of all, with the keys that join their tables. S2 adds (view 2):
    round 2, the best of what is left once the tables of S1 count as meant and keys as much as the tables that they
    join; columns of surely matched cells; primary keys of the meant tables and the keys on the paths between them; the
    columns of the draft, after which round 2 is chosen again. Links come best first. A database without columns gives
    no links. Raises KeyError for a question without grounding.

    With a `chooser` both rounds are its choices, its drafts take the place of `draft`, and S2 is closed over the keys
    of every table that was touched. Where an answer could not be read, the scores choose in that round and `draft`
    drafts; after a first round without one the second is not asked for.
    """
    ranker = ColumnRanker(ColumnScorer(context, weights), JoinGraph(context.schema))
    grounded = {g.question_id: g for g in groundings}
    asked = [(q, grounded[q.question_id]) for q in questions]
    scorer = ranker.scorer
    kept = (Kept(ranker, scorer.score(q, g), limits) for q, g in asked)
    if chooser is None or not scorer.columns:
        return [_link_by_scores(k, q, g, context, draft) for k, (q, g) in zip(kept, asked, strict=False)]
    return _link_by_choices(list(kept), asked, context, draft, chooser)


def _link_by_scores(
    kept: "Kept", question: Question, grounding: Grounding, context: DatabaseContext, draft: Draft | None, sql: str = ""
) -> Linking:
    kept.take_precise()
    return _recall_by_scores(kept, question, grounding, context, draft, sql)


def _recall_by_scores(
    kept: "Kept", question: Question, grounding: Grounding, context: DatabaseContext, draft: Draft | None, sql: str
) -> Linking:
    """Round 2, and once more when the columns of a draft are known; `sql` is that draft where a model wrote one."""
    kept.take_recall(grounding.cells)
    linking = kept.linking(question)
    sql = sql or (draft(question, grounding, linking, context) if draft else "")
    if not sql:
        return linking
    kept.links = {place: link for place, link in kept.links.items() if link[0] == 1}
    kept.take_drafted(sql, context)
    kept.take_recall(grounding.cells)
    return kept.linking(question, sql)


def _link_by_choices(
    kept: Sequence["Kept"],
    asked: Sequence[tuple[Question, Grounding]],
    context: DatabaseContext,
    draft: Draft | None,
    chooser: ColumnChooser,
) -> list[Linking]:
    opened = [ToLink(q, g, k.ranked()) for k, (q, g) in zip(kept, asked, strict=True)]
    first = chooser.choose_first(opened, context)
    chosen = [i for i, choice in enumerate(first) if choice.columns and kept[i].take_chosen(choice.columns)]
    left = [replace(opened[i], kept=kept[i].columns()) for i in chosen]
    more = dict(zip(chosen, chooser.choose_more(left, context) if left else (), strict=True))
    linkings = []
    for i, (question, grounding) in enumerate(asked):
        sql, columns = first[i].draft_sql, more.get(i)
        if i not in more:
            linkings.append(_link_by_scores(kept[i], question, grounding, context, draft, sql))
        elif columns is None:
            linkings.append(_recall_by_scores(kept[i], question, grounding, context, draft, sql))
        else:
            linkings.append(_recall_by_choice(kept[i], question, grounding, context, draft, sql, columns))
    return linkings


def _recall_by_choice(
    kept: "Kept",
    question: Question,
    grounding: Grounding,
    context: DatabaseContext,
    draft: Draft | None,
    sql: str,
    columns: Sequence[ColumnName],
) -> Linking:
    kept.take_more(columns, grounding.cells)
    sql = sql or (draft(question, grounding, kept.linking(question), context) if draft else "")
    kept.take_drafted(sql, context)
    kept.close()
    return kept.linking(question, sql)


@dataclass
class Kept:
    """The columns kept so far for one question: place in the schema -> (view, reasons)."""

    ranker: ColumnRanker
    scores: Scores
    limits: Limits
    links: dict[int, tuple[int, list[str]]] = field(default_factory=dict)
    second: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def scorer(self) -> ColumnScorer:
        """What is known of the schema's columns."""
        return self.ranker.scorer

    @property
    def graph(self) -> JoinGraph:
        """The keys between its tables."""
        return self.ranker.graph

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
        """Round 2: what is left, ranked with the tables of round 1 as meant; cells; keys and paths."""
        if not len(self.second):
            return
        limits, count, celled = self.limits, len(self.second), list(self._celled(cells))
        drafted = [i for i, (_, why) in self.links.items() if "draft" in why]
        precise = [i for i, (view, _) in self.links.items() if view == 1]
        self.second = self.ranker.rank(self.scores.total, precise, drafted, celled, self.limits.keys_by_tables)
        if limits.exactly:
            best = np.argsort(-self.second, kind="stable")[: limits.exactly]
            self.links = {int(i): self.links.get(int(i), (2, [])) for i in best}
            return
        room = int(min(max(limits.recall_least, round(limits.recall_share * count)), limits.recall_most))
        order = [i for i in np.argsort(-self.second, kind="stable") if i not in self.links]
        fresh = [i for i in order if self.second[i] >= limits.recall_score]
        self._add(fresh[: max(0, room - len(self.links))], 2)
        self._add(celled, 2, "cell")
        self._add_keys(self._meant())

    def take_chosen(self, columns: Sequence[ColumnName]) -> bool:
        """Round 1 by a model: its columns, then the keys that join their tables. False when the schema has none."""
        chosen = list(self._places(columns))[: self.limits.chosen]
        self.second = self.scores.total
        self._add(chosen, 1, "model")
        self._add_paths(self._tables(chosen)[: self.limits.chosen_tables], 1)
        return bool(chosen)

    def take_more(self, columns: Sequence[ColumnName], cells: Sequence[CellMatch]) -> None:
        """Round 2 by a model; the columns of sure cells."""
        fresh = [place for place in self._places(columns) if place not in self.links]
        self._add(fresh[: self.limits.chosen], 2, "model")
        self._add(self._celled(cells), 2, "cell")

    def close(self) -> None:
        """The keys of every table that was touched, and the paths between them."""
        self._add_keys(self._tables(self.links)[: self.limits.chosen_tables])

    def ranked(self) -> tuple[ColumnName, ...]:
        """All columns by their scores, best first."""
        return tuple(self.scorer.columns[i] for i in np.argsort(-self.scores.total, kind="stable"))

    def columns(self) -> tuple[ColumnName, ...]:
        """What is kept, first come first."""
        return tuple(self.scorer.columns[i] for i in self.links)

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

    def _add_keys(self, meant: Sequence[str]) -> None:
        """Primary keys of the meant tables, and the keys that join them."""
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
