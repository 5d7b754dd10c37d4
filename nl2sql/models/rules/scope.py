"""Which table or column a phrase means here, given what stands around it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from nl2sql.models.rules.joins import JoinGraph
from nl2sql.models.rules.lexicon import Lexicon, Sense
from nl2sql.models.rules.reading import Reading, Span
from nl2sql.models.rules.values import Values
from nl2sql.rows import ColumnName

NEAR, COMPOUND, MENTIONED, LINKED, KEYED = (
    0.12,
    0.28,
    0.1,
    0.2,
    0.12,
)  # what each circumstance adds to a sense
POSSESSIVES = frozenset({"'s", "'", "’s", "’"})
LEADS = frozenset(
    {"of", "for", "in", "from", "the", "a", "an", "all", "every", "each", "any", "these", "those", "by", "on"}
)


@dataclass(frozen=True)
class Scope:
    """A reading beside the database it speaks of. `links` are the scores of schema linking, 0..1."""

    reading: Reading
    lexicon: Lexicon
    graph: JoinGraph
    values: Values
    links: Mapping[ColumnName, float]
    tables: tuple[tuple[Span, str], ...] = ()  # spans that name tables
    favoured: dict[str, float] = field(default_factory=dict)  # tables of values and evidence

    def favour(self, table: str, by: float = 0.15) -> None:
        """Prefer a table from here on: it has turned out to be what the question is about."""
        self.favoured[table] = self.favoured.get(table, 0.0) + by

    def columns(self, span: Span) -> list[ColumnName]:
        """The columns that a span may mean, best first."""
        near = {t: self._closeness(t, span) for t in {s.table for s in span.senses}}
        scored = {(s.table, s.column): self._score(s) + near[s.table] for s in span.senses if s.column}
        ranked = sorted(scored.items(), key=lambda item: -item[1])
        found = [ColumnName(table, column) for (table, column), _ in ranked]
        return self._named(span, found) if span.words in (("name",), ("title",)) else found

    def _named(self, span: Span, found: list[ColumnName]) -> list[ColumnName]:
        """ "name of each continent" where continents have no column of names: what shows a continent to a person."""
        before = (t for s, t in self.tables if s.end <= span.start and self._joins(s, span))
        owner = next(before, "") or next(
            (t for s, t in self.tables if s.start >= span.end and self._leads(span, s)), ""
        )
        shown = [c for c in self.lexicon.display.get(owner, ()) if not self.lexicon.is_key(c)]
        exact = found and found[0].table == owner and self._quality(span, found[0]) >= 0.9
        if owner and shown and not exact:
            return [*shown[:1], *found]
        return found

    def column(self, span: Span) -> ColumnName | None:
        """The column that a span most likely means."""
        found = self.columns(span)
        return found[0] if found else None

    def table(self, span: Span) -> str:
        """The table that a span names, '' when it names a column or nothing."""
        return next((t for s, t in self.tables if s == span), "")

    def _joins(self, mention: Span, span: Span) -> bool:
        return all(t.lower in POSSESSIVES for t in self.reading.tokens[mention.end : span.start])

    def _quality(self, span: Span, name: ColumnName) -> float:
        return max((s.quality for s in span.senses if (s.table, s.column) == (name.table, name.column)), default=0.0)

    def _score(self, sense: Sense) -> float:
        name = ColumnName(sense.table, sense.column)
        score = sense.quality + LINKED * self.links.get(name, 0.0) + self.favoured.get(sense.table, 0.0)
        profile = self.lexicon.profiles.get(name)
        if profile is not None and self.lexicon.words[name][-1:] == ("id",):
            score += KEYED if profile.primary_key == 1 and not profile.references else 0.0
        if profile is not None and profile.rows and profile.rows == profile.nulls:
            score -= 0.5
        return score

    def _closeness(self, table: str, span: Span) -> float:
        best = 0.0
        for mention, named in self.tables:
            if named != table or mention == span:
                continue
            gap = self.reading.tokens[span.end : mention.start] if mention.start >= span.end else ()
            before = self.reading.tokens[mention.end : span.start] if mention.end <= span.start else ()
            if mention.end <= span.start and all(t.lower in POSSESSIVES for t in before):
                best = max(best, COMPOUND)
            elif mention.start >= span.end and self._leads(span, mention):
                best = max(best, COMPOUND - 0.002 * len(gap))
            else:
                best = max(best, MENTIONED + NEAR / (1 + len(gap) + len(before)))
        for value in self.reading.spans:
            if value.kind == "value" and value != span and {c.table for c in value.cells} == {table}:
                best = max(
                    best,
                    MENTIONED / 2 + NEAR / (1 + min(abs(value.start - span.end), abs(span.start - value.end))),
                )
        for other in self.reading.spans:
            if other != span and other.kind == "schema" and other.senses[0].compound and other.senses[0].table == table:
                gap = min(abs(other.start - span.end), abs(span.start - other.end))
                best = max(best, MENTIONED + NEAR / (1 + gap))
        if any(s.compound and s.table == table for s in span.senses):
            best = max(best, 0.5 * COMPOUND)
        return best

    def _leads(self, span: Span, mention: Span) -> bool:
        """Whether "name, age and id of all the singers" stands between a column and a table."""
        between = self.reading.tokens[span.end : mention.start]
        words = [t.lower for t in between]
        if not ({"of", "for", "from"} & set(words)) or len(between) > 14:
            return False
        last = max(i for i, w in enumerate(words) if w in ("of", "for", "from"))
        if any(w not in LEADS and not w.isalpha() for w in words[last:]) or len(words) - last > 5:
            return False
        others = [s for s, _ in self.tables if span.end <= s.start < mention.start]
        return not others


def build_scope(
    reading: Reading,
    lexicon: Lexicon,
    graph: JoinGraph,
    values: Values,
    links: Mapping[ColumnName, float],
    favoured: dict[str, float],
) -> Scope:
    """The scope of a reading: spans that name a table rather than a column are found first."""
    scope = Scope(reading, lexicon, graph, values, links, (), favoured)
    tables = tuple((s, t) for s in reading.spans if s.kind == "schema" and (t := _table_of(s, scope)))
    return replace(scope, tables=tables)


def _table_of(span: Span, scope: Scope) -> str:
    tables = [s for s in span.senses if not s.column]
    columns = [s for s in span.senses if s.column]
    if not tables:
        return ""
    best = max(tables, key=lambda s: s.quality + scope.favoured.get(s.table, 0.0))
    rival = max((s.quality for s in columns), default=0.0)
    if best.quality >= rival:
        return best.table
    # "model" is a column of two tables and the core of the name of one: counting and joining are about the table.
    plural = scope.reading.tokens[span.end - 1].lower != scope.reading.tokens[span.end - 1].stem
    return best.table if plural and best.quality >= 0.7 and rival - best.quality < 0.3 else ""
