"""What a database's tables and columns may be called in a question."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nl2sql.models.rules.vocabulary import SYNONYMS
from nl2sql.models.rules.words import VAGUE_TABLE_WORDS, joined, split_identifier
from nl2sql.rows import ColumnName, Profile
from nl2sql.schema import Schema

SAID_FOR = {
    name: tuple(k for k, names in SYNONYMS.items() if name in names) for names in SYNONYMS.values() for name in names
}
ENDINGS = ("name", "type", "code", "date", "number")  # of names written as one word: "birthdate"
WHOLE = frozenset({"candidate", "update", "mandate", "surname", "username", "nickname", "barcode", "prototype"})
MAX_SENSES = 200  # columns that one phrase may mean: 2,000 columns called "value" cannot be told apart anyway
MAX_NAMES = 40_000  # entries of a lexicon: a 2,000-column schema stays under it


@dataclass(frozen=True, slots=True)
class Sense:
    """One thing that a phrase may name. `column` is '' for a table; `quality` is 0..1."""

    table: str
    column: str
    quality: float
    compound: bool = False  # the phrase says the table's name before the column's: "singer name"


@dataclass(frozen=True)
class Lexicon:
    """The phrases of one database, and its profiles by column."""

    schema: Schema
    senses: dict[str, tuple[Sense, ...]]
    profiles: dict[ColumnName, Profile]
    words: dict[ColumnName, tuple[str, ...]]
    table_words: dict[str, tuple[str, ...]]
    display: dict[str, tuple[ColumnName, ...]] = field(default_factory=dict)
    verbs: dict[str, tuple[Sense, ...]] = field(default_factory=dict)  # by the first letters of a table's word

    def lookup(self, words: Sequence[str]) -> tuple[Sense, ...]:
        """What these stems name, () when nothing."""
        return self.senses.get(joined(tuple(words)), ())

    def is_numeric(self, column: ColumnName) -> bool:
        """Whether the column's values are numbers that can be compared and summed."""
        profile = self.profiles.get(column)
        return profile is not None and profile.numeric_fraction >= 0.9 and profile.rows > profile.nulls

    def is_date(self, column: ColumnName) -> bool:
        """Whether the column holds dates, years or times."""
        profile = self.profiles.get(column)
        words = set(self.words.get(column, ()))
        return bool(profile and profile.date_format) or bool(words & {"date", "year", "time", "birthday"})

    def is_key(self, column: ColumnName) -> bool:
        """Whether the column identifies rows rather than describes them."""
        profile = self.profiles.get(column)
        if profile is None:
            return False
        words = self.words.get(column, ())
        named_so = (bool(words) and words[-1] in ("id", "code", "key")) or column.column.lower().endswith("id")
        return bool(profile.references) or (bool(profile.primary_key) and (named_so or profile.texts == 0)) or named_so

    def key_of(self, table: str) -> ColumnName | None:
        """The column that identifies a table's rows, None for tables without such a one."""
        found = self.schema.table(table)
        if found is None:
            return None
        if len(found.primary_key) == 1:
            return ColumnName(found.name, found.primary_key[0])
        return None


def build_lexicon(schema: Schema, profiles: Sequence[Profile]) -> Lexicon:
    """Name everything in a schema in the ways in which people would."""
    by_column = {ColumnName(p.table, p.column): p for p in profiles}
    table_words = {t.name: split_identifier(t.name) for t in schema.tables}
    vocabulary = {w for words in table_words.values() for w in words if len(w) > 3}
    words = {c: _segmented(split_identifier(c.column), vocabulary) for c in schema.column_names}
    best: dict[str, dict[tuple[str, str], Sense]] = defaultdict(dict)
    total = 0
    for key, sense in _entries(schema, by_column, table_words, words):
        known = best[key].get((sense.table, sense.column))
        total += known is None
        if known is None or known.quality < sense.quality:
            best[key][sense.table, sense.column] = sense
        if total >= MAX_NAMES:
            break
    senses = {k: tuple(sorted(f.values(), key=lambda s: -s.quality)[:MAX_SENSES]) for k, f in best.items()}
    lexicon = Lexicon(schema, senses, by_column, words, table_words)
    lexicon.display.update({t.name: _display(lexicon, t.name) for t in schema.tables})
    lexicon.verbs.update(_verbs(table_words))
    return lexicon


def _verbs(table_words: dict[str, tuple[str, ...]]) -> dict[str, tuple[Sense, ...]]:
    """ "attended" speaks of the table attendance: single-word tables by their first five letters."""
    found: dict[str, tuple[Sense, ...]] = {}
    for table, words in table_words.items():
        if len(words) == 1 and len(words[0]) > 5:
            found[words[0][:5]] = (*found.get(words[0][:5], ()), Sense(table, "", 0.6))
    return found


def _segmented(words: tuple[str, ...], vocabulary: set[str]) -> tuple[str, ...]:
    """Take 'petid' apart when the schema has a table of pets."""
    found: list[str] = []
    for word in words:
        head = max((v for v in vocabulary if len(v) < len(word) and word.startswith(v)), key=len, default="")
        tail = next((t for t in ENDINGS if word.endswith(t) and word not in WHOLE), "")
        if head:
            found.extend((head, word[len(head) :].strip("_")))
        elif tail and len(word) - len(tail) >= 3:
            found.extend((word[: -len(tail)], tail))
        else:
            found.append(word)
    return tuple(w for w in found if w)


def _entries(
    schema: Schema,
    profiles: dict[ColumnName, Profile],
    table_words: dict[str, tuple[str, ...]],
    words: dict[ColumnName, tuple[str, ...]],
) -> Iterable[tuple[str, Sense]]:
    for table in schema.tables:
        for phrase, quality in _table_phrases(table_words[table.name]):
            yield joined(phrase), Sense(table.name, "", quality)
    for column in schema.column_names:
        expanded = split_identifier(profiles[column].expanded_name) if column in profiles else ()
        for base, factor in ((words[column], 1.0), (split_identifier(column.column), 1.0), (expanded, 0.97)):
            for phrase, quality in _column_phrases(base, table_words[column.table]):
                yield joined(phrase), Sense(column.table, column.column, quality * factor)
            for phrase in _compounds(base, table_words[column.table]):
                yield joined(phrase), Sense(column.table, column.column, 0.95 * factor, compound=True)


def _table_phrases(words: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], float]]:
    yield words, 1.0
    core = tuple(w for w in words if w not in VAGUE_TABLE_WORDS)
    if core and core != words:
        yield core, 0.9
    for word in core[-1:]:
        yield (word,), 0.75 if len(core) > 1 else 0.9
        for other in SYNONYMS.get(word, ()):
            yield tuple(other.split()), 0.6
            if len(core) > 1:
                yield (*core[:-1], *other.split()), 0.8
    for word in core[:-1]:
        yield (word,), 0.5
    if len(core) > 1:
        yield core[1:], 0.7


def _column_phrases(words: tuple[str, ...], table: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], float]]:
    if not words:
        return
    yield words, 1.0
    bare = _without_table(words, table)
    if bare != words:
        yield bare, 0.97
    for whole in {words, bare}:
        other = " ".join(whole)
        for synonym in (*SYNONYMS.get(other, ()), *SAID_FOR.get(other, ())):
            yield tuple(synonym.split()), 0.8 if " " in synonym else 0.58
    if len(words) > 1:
        yield from _partial_phrases(words)


def _compounds(words: tuple[str, ...], table: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """The column's words after the table's: "singer name", "car maker id"."""
    core = tuple(w for w in table if w not in VAGUE_TABLE_WORDS)
    bare = _without_table(words, table)
    for prefix in {table, core, core[-1:]}:
        if prefix and bare and prefix != words[: len(prefix)]:
            yield (*prefix, *bare)
            if words != bare:
                yield (*prefix, *words)


def _without_table(words: tuple[str, ...], table: tuple[str, ...]) -> tuple[str, ...]:
    for prefix in (table, table[-1:], table[:1]):
        if prefix and words[: len(prefix)] == prefix and len(words) > len(prefix):
            return words[len(prefix) :]
    short = len(words) > 1 and len(words[0]) >= 3 and any(t.startswith(words[0]) for t in table[:1])
    return words[1:] if short else words


def _partial_phrases(words: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], float]]:
    size = len(words)
    for begin in range(size):
        for end in range(begin + 1, size + 1):
            if end - begin == size or words[begin:end] in (("of",), ("to",), ("the",), ("is",)):
                continue
            weight = 0.45 if end == size else 0.35
            yield words[begin:end], weight + 0.4 * (end - begin) / size


def _display(lexicon: Lexicon, table: str) -> tuple[ColumnName, ...]:
    """What names a row of this table to a person: its name or title, else its text column, else its key."""
    found = lexicon.schema.table(table)
    columns = [ColumnName(table, c.name) for c in found.columns] if found else []
    ranked = sorted(((_display_rank(lexicon, c, place), c) for place, c in enumerate(columns)), key=lambda r: r[0])
    if not ranked:
        return ()
    first = next((c for c in columns if lexicon.words[c][:2] == ("first", "name")), None)
    last = next((c for c in columns if lexicon.words[c][:2] == ("last", "name")), None)
    if first and last and ranked[0][0][0] >= 1:
        return (first, last)
    return (ranked[0][1],)


def _display_rank(lexicon: Lexicon, column: ColumnName, place: int) -> tuple[float, int]:
    words, table = lexicon.words[column], lexicon.table_words[column.table]
    profile = lexicon.profiles.get(column)
    bare = _without_table(words, table)
    if profile is not None and profile.references:
        return (8.0, place)
    if bare in (("name",), ("title",)):
        return (0.0, place)
    core = tuple(w for w in table if w not in VAGUE_TABLE_WORDS)
    if words in (table, table[-1:], core, core[-1:]):
        return (0.5, place)
    if words and words[-1] in ("name", "title"):
        return (1.0, place)
    if lexicon.is_key(column):
        return (5.0 if profile is not None and profile.primary_key else 7.0, place)
    described = profile is not None and profile.texts and not profile.date_format
    return (5.5 if described else 6.0, place)
