"""Which column a name in the evidence means."""

from collections import Counter
from collections.abc import Mapping, Sequence

from nl2sql.models.rules.evidence_pieces import Resolver
from nl2sql.models.rules.joins import JoinGraph
from nl2sql.models.rules.lexicon import Lexicon
from nl2sql.models.rules.words import Token, split_identifier, stem
from nl2sql.rows import ColumnName

EXACT, SPELLED = 1.0, 0.9  # a name written as the database writes it, and one that reads alike


def column_resolver(
    lexicon: Lexicon,
    tokens: Sequence[Token],
    links: Mapping[ColumnName, float],
    graph: JoinGraph,
    near: Sequence[str],
) -> Resolver:
    """A function from the words of evidence to the column that they name exactly, None when they name none."""
    said = Counter(t.stem for t in tokens)
    tables = {t: sum(said[w] for w in words) for t, words in lexicon.table_words.items()}

    def resolve(words: Sequence[str]) -> ColumnName | None:
        found = _candidates(lexicon, words)
        if not found:
            return None
        if len(found) == 1:
            return next(iter(found))
        return max(found, key=lambda c: (found[c], plausibility(c)))

    def plausibility(name: ColumnName) -> float:
        profile = lexicon.profiles.get(name)
        away = sum(min(graph.distance(t, name.table), 5.0) for t in near[:2])
        refers = profile is not None and bool(profile.references)
        return links.get(name, 0.0) + 0.3 * min(tables.get(name.table, 0), 2) - 0.2 * refers - 0.07 * away

    return resolve


def _candidates(lexicon: Lexicon, words: Sequence[str]) -> dict[ColumnName, float]:
    text = " ".join(words)
    table, _, column = text.rpartition(".")
    named = dict.fromkeys(lexicon.schema.columns_named(column or text), EXACT)
    if table:
        kept = {c: s for c, s in named.items() if c.table.casefold() == table.casefold()}
        named = kept or named
    if named:
        return named
    stems = tuple(s for w in words for s in split_identifier(w.rpartition(".")[2]))
    senses = lexicon.lookup([stem(s) for s in stems])
    shuffled = (
        {c: SPELLED for c, w in lexicon.words.items() if len(stems) > 1 and sorted(w) == sorted(stems)}
        if not senses
        else {}
    )
    if shuffled:
        return shuffled
    return {ColumnName(s.table, s.column): SPELLED * s.quality for s in senses if s.column and s.quality >= 0.9}
