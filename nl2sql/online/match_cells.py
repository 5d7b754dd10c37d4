"""Find the cells that the literals of questions mean; codes and what the evidence binds have paths of their own."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from nl2sql.online.context import DatabaseContext
from nl2sql.online.find_literals import Found
from nl2sql.online.value_variants import variants
from nl2sql.online.words import compact, lemma
from nl2sql.rows import CellMatch, Profile

HITS_PER_TEXT = 20  # what the index gives per literal, over all columns
PER_COLUMN_CUT = 0.9  # of a literal's matches in a column keep those near the best one (CHESS's figure)
BESIDE_EXACT = 0.85  # a fuzzy match in another column must be this good when the literal stands somewhere exactly
FUZZY_FLOOR = 0.6  # below it, a literal and a cell share letters by chance
PHRASE_FLOOR = 0.95  # n-grams are guesses, so only (nearly) equal cells count
SURE = 0.9  # from here on a match explains its words, and parts of them count less
INSIDE_LONGER = 0.7  # factor for a match whose literal is a part of a longer one that matched
VARIANT_SCORE = 0.85  # 'F' for female: certain only when the column is about that
TWIN_FACTOR = 0.95  # a value of a column that this one declares to reference: it may not stand here
SHAPE_SCORE = 0.6  # a code that looks like a column's values; whether it stands there is unknown
EVIDENCE_SCORE = 0.6  # the evidence names column and value, the index does not know the value
EXACT_METHODS = frozenset({"exact", "casefold"})


def match_cells(found: Sequence[Found], context: DatabaseContext, limit: int) -> list[tuple[CellMatch, ...]]:
    """Give each question's matches, best first, at most `limit`; the index is asked once for all."""
    texts = list(dict.fromkeys(t for f in found for t in _texts(f)))
    hits = dict(zip(texts, context.cells.lookup(texts, HITS_PER_TEXT), strict=True)) if texts else {}
    columns = ValueColumns(context.profiles)
    return [_best(_matches(f, hits, columns), limit) for f in found]


def _texts(found: Found) -> Iterator[str]:
    yield from found.literals
    for phrase in found.phrases:
        yield phrase
        yield singular(phrase)
        yield from variants(phrase)


def singular(phrase: str) -> str:
    """A phrase with its last word in the singular: 'hot dogs' may stand as 'hot dog'."""
    head, space, last = phrase.rpartition(" ")
    return head + space + lemma(last) if last.endswith("s") else phrase


def _matches(found: Found, hits: dict[str, list[CellMatch]], columns: "ValueColumns") -> list[CellMatch]:
    matches: list[CellMatch] = []
    for literal in found.literals:
        matches += cut(hits[literal])
    for phrase in found.phrases:
        exact = hits[phrase] + [replace(h, literal=phrase) for h in hits[singular(phrase)]]
        matches += [h for h in exact if h.score >= PHRASE_FLOOR]
        for text in variants(phrase):
            same = (h for h in hits[text] if h.method in EXACT_METHODS)
            matches += [replace(h, literal=phrase, score=VARIANT_SCORE, method="variant") for h in same]
    matches += columns.twins(matches)
    known = {(m.table, m.column, m.value.casefold()) for m in matches if m.method in EXACT_METHODS}
    matches += columns.codes(found.literals, {value for _, _, value in known})
    matches += [m for m in columns.bound(found.bound) if (m.table, m.column, m.value.casefold()) not in known]
    return matches


def cut(hits: Sequence[CellMatch]) -> list[CellMatch]:
    """Keep of one literal's hits those near the best one of their column, and near an exact one of any."""
    best: dict[tuple[str, str], float] = defaultdict(float)
    for hit in hits:
        best[hit.table, hit.column] = max(best[hit.table, hit.column], hit.score)
    floor = BESIDE_EXACT if any(h.method in EXACT_METHODS for h in hits) else FUZZY_FLOOR
    return [
        h
        for h in hits
        if h.score >= PER_COLUMN_CUT * best[h.table, h.column] and (h.score >= floor or h.method in EXACT_METHODS)
    ]


def _best(matches: Iterable[CellMatch], limit: int) -> tuple[CellMatch, ...]:
    """The best match of each cell, those first whose literal is exact, long and no part of another."""
    best: dict[tuple[str, str, str], CellMatch] = {}
    for match in _without_parts(list(matches)):
        key = (match.table, match.column, match.value)
        if key not in best or match.score > best[key].score:
            best[key] = match
    ranked = sorted(best.values(), key=lambda m: (-m.score, -len(m.literal), m.table, m.column, m.value))
    return tuple(ranked[:limit])


def _without_parts(matches: Sequence[CellMatch]) -> list[CellMatch]:
    """Lower the score of what is only a part of a longer literal that matched surely."""
    sure = {m.literal.casefold() for m in matches if m.score >= SURE and m.method in EXACT_METHODS}
    return [
        replace(m, score=m.score * INSIDE_LONGER)
        if any(m.literal.casefold() != s and _contains(s, m.literal.casefold()) for s in sure)
        else m
        for m in matches
    ]


def _contains(text: str, part: str) -> bool:
    return len(part) < len(text) and f" {part} " in f" {text} "


@dataclass(frozen=True)
class ValueColumns:
    """The columns of one database by what their values look like."""

    profiles: tuple[Profile, ...]

    @cached_property
    def _referrers(self) -> dict[tuple[str, str], list[Profile]]:
        found: dict[tuple[str, str], list[Profile]] = defaultdict(list)
        for profile in self.profiles:
            for target in profile.references:
                found[target.table, target.column].append(profile)
        return found

    @cached_property
    def _shaped(self) -> dict[str, list[Profile]]:
        found: dict[str, list[Profile]] = defaultdict(list)
        for profile in self.profiles:
            if profile.texts and profile.top_values and profile.shortest == profile.longest and profile.longest > 3:
                found[_outline(profile.top_values[0])].append(profile)
        return found

    @cached_property
    def _by_name(self) -> dict[str, list[Profile]]:
        found: dict[str, list[Profile]] = defaultdict(list)
        for profile in self.profiles:
            for name in {profile.column, profile.expanded_name, f"{profile.table}{profile.column}"}:
                if compact(name):
                    found[compact(name)].append(profile)
        return found

    def twins(self, matches: Sequence[CellMatch]) -> list[CellMatch]:
        """The same values in columns that declare to reference the matched ones, which no index needs to repeat."""
        return [
            replace(m, table=twin.table, column=twin.column, score=m.score * TWIN_FACTOR)
            for m in matches
            for twin in self._referrers.get((m.table, m.column), ())
        ]

    def codes(self, literals: Sequence[str], known: set[str]) -> Iterator[CellMatch]:
        """A code of letters and digits that has the length and outline of a column's values."""
        for literal in literals:
            if literal.casefold() in known or not re.search(r"\d", literal) or not re.search(r"[^\W\d]", literal):
                continue
            for profile in self._shaped.get(_outline(literal), ()):
                yield CellMatch(literal, profile.table, profile.column, literal, SHAPE_SCORE, "shape")

    def bound(self, pairs: Sequence[tuple[str, str]]) -> Iterator[CellMatch]:
        """A value that the evidence gives to a column by name, when the column holds text."""
        for name, value in pairs:
            for profile in self._by_name.get(compact(name), ()):
                if profile.texts and value:
                    yield CellMatch(value, profile.table, profile.column, value, EVIDENCE_SCORE, "evidence")


def _outline(value: str) -> str:
    """The length of a code and how it begins: codes of one column vary in where the digits fall."""
    start = re.match(r"[^\W\d_]*", value)
    head = start[0][:3] if start else ""
    return f"{len(value)}:{head if head.islower() else head.swapcase()}"
