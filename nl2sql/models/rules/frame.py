"""What a question asks for, before it is a query: a draft that the reading steps fill in one after another."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from nl2sql.models.rules.anchors import Anchor
from nl2sql.models.rules.reading import Span
from nl2sql.models.rules.scope import Scope
from nl2sql.rows import ColumnName


@dataclass(frozen=True)
class Condition:
    """A condition of the question with the place where it stands. `name` is its column."""

    name: ColumnName
    expression: exp.Expr
    start: int
    kind: str = ""  # equal, compare, evidence


@dataclass(frozen=True)
class Item:
    """Something wanted. `kind` is column, aggregate, count, entity or formula."""

    expression: exp.Expr
    start: int
    kind: str
    table: str = ""
    name: ColumnName | None = None


@dataclass
class Frame:
    """The growing interpretation. `used` holds the spans that have found their role."""

    scope: Scope
    anchors: tuple[Anchor, ...]
    items: list[Item] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    having: list[exp.Expr] = field(default_factory=list)
    group: list[ColumnName] = field(default_factory=list)
    order: list[tuple[exp.Expr, bool]] = field(default_factory=list)
    limit: int | None = None
    distinct: bool = False
    entity: str = ""
    counted: str = ""  # the table whose rows a superlative or HAVING counts
    excluded: list[tuple[str, list[Condition]]] = field(default_factory=list)  # NOT IN: a table and its conditions
    intersected: list[tuple[Condition, Condition]] = field(default_factory=list)
    all_spoken: bool = False  # join every table that is spoken of
    per_entity: bool = False  # one row per row of the entity: group by its key
    used: set[Span] = field(default_factory=set)

    def unused(self, *kinds: str) -> list[Span]:
        """The spans of these kinds without a role so far, in order."""
        return [s for s in self.scope.reading.spans if s.kind in kinds and s not in self.used]

    def next_span(self, place: int, kinds: Sequence[str], within: int) -> Span | None:
        """The nearest span of these kinds that begins at most `within` tokens after a place."""
        found = [s for s in self.scope.reading.spans if s.kind in kinds and place <= s.start <= place + within]
        return found[0] if found else None

    def previous_span(self, place: int, kinds: Sequence[str], within: int) -> Span | None:
        """The nearest span of these kinds that ends at most `within` tokens before a place."""
        found = [s for s in self.scope.reading.spans if s.kind in kinds and place - within <= s.end <= place]
        return found[-1] if found else None

    def columns_of(self, span: Span) -> list[ColumnName]:
        """The columns that a span names: those of a hint, or the best sense of a phrase."""
        if span.kind == "columns":
            return list(self.anchors[int(span.cue)].hint.columns)
        if self.scope.table(span):
            return []
        found = self.scope.columns(span)
        hinted = {c for a in self.anchors for c in a.hint.columns}
        told = next((c for c in found if c in hinted and found and c.column == found[0].column), None)
        return [told or found[0]] if found else []

    def tables_before(self, place: int) -> list[str]:
        """The tables that mentions and values speak of, nearest before a place first."""
        said = [(s.start, t) for s, t in self.scope.tables]
        said += [(s.start, c.table) for s in self.scope.reading.spans if s.kind == "value" for c in s.cells[:1]]
        return [t for start, t in sorted(said, reverse=True) if start < place]

    def column_for(self, words: Sequence[str], tables: Sequence[str] = ()) -> ColumnName | None:
        """The column whose name holds one of these words, the first word first, in the named tables before others."""
        lexicon = self.scope.lexicon
        said = [
            *tables,
            *([self.entity] if self.entity else []),
            *(t for _, t in self.scope.tables),
            *self.scope.favoured,
        ]
        mentioned = list(dict.fromkeys(said))
        held = {word: self._holding(word) for word in words}
        for columns in held.values():
            near = [c for c in columns if c.table in mentioned]
            if near:
                return min(near, key=lambda c: (mentioned.index(c.table), len(lexicon.words[c])))
        for columns in held.values():
            if columns and (not mentioned or columns is held[words[0]]):
                first = mentioned[0] if mentioned else columns[0].table
                close = min(columns, key=lambda c: (self.scope.graph.distance(first, c.table), len(lexicon.words[c])))
                if self.scope.graph.distance(first, close.table) <= 2.0:
                    return close
        return None

    def _holding(self, word: str) -> list[ColumnName]:
        lexicon, parts = self.scope.lexicon, word.split()
        return [c for c, w in lexicon.words.items() if all(p in w for p in parts) and not lexicon.is_key(c)]
