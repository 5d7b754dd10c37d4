"""Other forms of one schema, so that a model learns to read it and not its order: shuffled, thinned, cut to size."""

import hashlib
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from nl2sql.prompts.schema_text import Texts
from nl2sql.rows import ColumnName, Profile, Summary
from nl2sql.schema import ForeignKey, Schema, Table
from nl2sql.schema_views import markdown_view

# What XiYan-SQL's training code does (alibaba/XiYan-SQL).
SHUFFLE_TABLES, SHUFFLE_COLUMNS, SHUFFLE_KEYS = 0.5, 0.3, 0.2  # how often an order is changed
KEEP_TABLE, KEEP_COLUMN = 0.8, 0.7  # of what the query does not need
BARE = 0.2  # how often examples are left out, as inference does where the schema is long


@dataclass(frozen=True)
class Described:
    """A database as prompts show it."""

    schema: Schema
    profiles: tuple[Profile, ...] = ()
    summaries: tuple[Summary, ...] = ()


@dataclass(frozen=True)
class Augmented:
    """One form of a schema: `order` holds its columns, those that can be left out last first."""

    described: Described
    needed: tuple[ColumnName, ...]
    order: tuple[ColumnName, ...]

    def text(self, spare: int | None = None) -> str:
        """The Markdown view of what is needed and of the first `spare` other columns; None for all of them."""
        columns = {*self.needed, *self.order[:spare]}
        d = self.described
        # A view reads every profile that it is given: only those of its columns are.
        profiles = [p for p in d.profiles if ColumnName(p.table, p.column) in columns]
        summaries = [s for s in d.summaries if ColumnName(s.table, s.column) in columns]
        return markdown_view(d.schema, profiles, summaries, columns)


def as_shown(schema: Schema, profiles: Sequence[Profile], summaries: Sequence[Summary]) -> Described:
    """A database with the texts that prompts show of its columns: meaning, codes and counts in one."""
    texts = Texts(schema.db_id, tuple(profiles), tuple(summaries))
    said = (Summary(schema.db_id, n.table, n.column, "", text, "shown") for n, text in texts.long.items() if text)
    bare = (replace(p, description="", expanded_name="") for p in profiles)
    return Described(schema, tuple(bare), tuple(said))


def seeded(*parts: object) -> random.Random:
    """A random number generator that depends on these parts only, on every machine and in every run."""
    return random.Random(hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "replace")).digest())


def augment_schema(
    described: Described, needed: Collection[ColumnName], linked: Sequence[ColumnName], rng: random.Random
) -> Augmented:
    """Shuffle tables, columns, keys and examples, and keep a part of what the query does not need.

    `needed` columns stay, with the keys of their tables that join them. Tables without any are kept with 80 %, their
    columns and the other columns of needed tables with 70 %. `linked`, best first, are what schema linking found:
    they are kept too, and are the last to go when the prompt is too long.
    """
    schema = described.schema
    kept_needed = _with_keys(schema, needed)
    tables = {c.table for c in kept_needed}
    distractors = _distractors(schema, tables, set(kept_needed), rng)
    others = [c for c in dict.fromkeys((*linked, *distractors)) if c not in kept_needed]
    return Augmented(_shuffled(described, rng), tuple(kept_needed), tuple(others))


def fit_schema(augmented: Augmented, tokens: Callable[[str], int], limit: int) -> str:
    """The longest of its texts of fewer than `limit` tokens: what the query needs, and as many other columns as fit.

    The caller checks what even the shortest text takes: it is given when nothing fits.
    """
    whole, least = augmented.text(), augmented.text(0)
    over, under = tokens(whole), tokens(least)
    if over < limit or under >= limit:
        return whole if over < limit else least
    # The most columns that fit: guessed from what is known, as tokens grow evenly, in turn with halving.
    low, high, guess = 0, len(augmented.order) - 1, True
    while low < high:
        share = (limit - under) / (over - under) if guess and over > under else 0.5
        middle = min(high, max(low + 1, low + int((high + 1 - low) * share)))
        found = tokens(augmented.text(middle))
        low, high = (middle, high) if found < limit else (low, middle - 1)
        under, over = (found, over) if found < limit else (under, found)
        guess = not guess
    return augmented.text(low)


def _with_keys(schema: Schema, needed: Collection[ColumnName]) -> dict[ColumnName, None]:
    """The needed columns, in schema order, with the keys between their tables."""
    tables = {c.table for c in needed}
    between = [k for k in schema.foreign_keys if {k.table, k.to_table} <= tables and k.declared]
    ends = {c for k in between for c in (ColumnName(k.table, k.column), ColumnName(k.to_table, k.to_column))}
    return dict.fromkeys(c for c in schema.column_names if c in ends or c in set(needed))


def _distractors(
    schema: Schema, tables: Collection[str], needed: Collection[ColumnName], rng: random.Random
) -> list[ColumnName]:
    """What is kept although the query does not need it, the columns of its own tables first."""
    own = [c for c in schema.column_names if c.table in tables and c not in needed and rng.random() < KEEP_COLUMN]
    rng.shuffle(own)
    others = [t for t in schema.tables if t.name not in tables and rng.random() < KEEP_TABLE]
    rng.shuffle(others)
    return [*own, *(c for t in others for c in _some_columns(t, rng))]


def _some_columns(table: Table, rng: random.Random) -> list[ColumnName]:
    kept = [ColumnName(table.name, c.name) for c in table.columns if rng.random() < KEEP_COLUMN or c.primary_key]
    return kept or [ColumnName(table.name, c.name) for c in table.columns[:1]]


def _shuffled(described: Described, rng: random.Random) -> Described:
    schema = described.schema
    tables, keys = list(schema.tables), list(schema.foreign_keys)
    if rng.random() < SHUFFLE_TABLES:
        rng.shuffle(tables)
    if rng.random() < SHUFFLE_KEYS:
        rng.shuffle(keys)
    tables = [_shuffled_table(t, rng) for t in tables]
    bare = rng.random() < BARE
    profiles = tuple(_permuted(p, rng, bare) for p in described.profiles)
    return Described(_schema(schema.db_id, tables, keys), profiles, described.summaries)


def _schema(db_id: str, tables: Sequence[Table], keys: Sequence[ForeignKey]) -> Schema:
    return Schema(db_id, tuple(tables), tuple(keys))


def _shuffled_table(table: Table, rng: random.Random) -> Table:
    columns = list(table.columns)
    if rng.random() < SHUFFLE_COLUMNS:
        rng.shuffle(columns)
    return replace(table, columns=tuple(columns))


def _permuted(profile: Profile, rng: random.Random, bare: bool) -> Profile:
    """The same column with its example values in another order, or without them."""
    values = [] if bare else list(zip(profile.top_values, profile.top_counts, strict=True))
    rng.shuffle(values)
    return replace(profile, top_values=tuple(v for v, _ in values), top_counts=tuple(c for _, c in values))
