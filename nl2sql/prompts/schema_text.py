"""The schema of a database as a prompt shows it: in one of three notations, trimmed to a limit of tokens.

What goes first when a text is too long, step by step until it fits:
1. examples of values, 2. LONG summaries, which become SHORT ones, 3. summaries, 4. types and joins that are only
proposed, 5. columns: of a choice of columns those that come last in it, of the whole database those that nothing
speaks for - neither keys nor described - from the end of each table, so that 6. tables go last. Names are never cut.
"""

import math
import random
import weakref
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from threading import Lock
from typing import Any, Literal

from nl2sql.online.context import DatabaseContext
from nl2sql.prompts.fences import Fenced, cut, fence
from nl2sql.rows import ColumnName, Profile, Summary
from nl2sql.schema import schema_from_profiles
from nl2sql.schema_views import ddl_view, m_schema_view, markdown_view

Notation = Literal["ddl", "markdown", "m_schema"]

VIEWS = {"ddl": ddl_view, "markdown": markdown_view, "m_schema": m_schema_view}
MAX_TOKENS = 16_000
BYTES_PER_TOKEN = 2.5  # schemas have 2.9 to 3.2 by OpenAI's cl100k, names, digits and signs making short tokens
LONG, SHORT = 540, 200  # characters of a summary; with its counts it stays below what views cut
LONGEST_NAME = 500  # characters; a column called longer than that goes as soon as columns do
KEPT_TEXTS = 256  # per database
STEPS = 4  # of detail, after the full one


def schema_values(
    context: DatabaseContext,
    columns: Sequence[ColumnName] | None,
    notation: Notation,
    max_tokens: int = MAX_TOKENS,
    *,
    short: bool = False,
    shuffle: int = 0,
) -> dict[str, Fenced | str]:
    """What prompts with the placeholders `schema` and `notation` are rendered with; arguments as of `schema_text`."""
    text = schema_text(context, columns, notation, max_tokens, short=short, shuffle=shuffle)
    return {"schema": fence(text, "schema", len(text)), "notation": notation}


def schema_text(
    context: DatabaseContext,
    columns: Sequence[ColumnName] | None,
    notation: Notation,
    max_tokens: int = MAX_TOKENS,
    *,
    short: bool = False,
    shuffle: int = 0,
) -> str:
    """The schema in at most so many tokens by `count_tokens`; `columns`, the best first, restrict it (None = all).

    With `short` (for linking) SHORT summaries stand from the start, else LONG ones with counts. Where no model has
    summarised a column its description and value description stand. `shuffle` above 0 is the seed of another order of
    the tables. Columns that the database does not have are left out. Texts are kept per context, so that the prompts
    of one question, and the full schema of all, are written once.
    """
    texts = _texts_of(context)
    key = (None if columns is None else tuple(columns), notation, max_tokens, short, shuffle)
    text = texts.kept.get(key)
    if text is None:
        if len(texts.kept) >= KEPT_TEXTS:
            texts.kept.clear()
        text = texts.kept[key] = _fitted(texts, columns, max_tokens, Look(notation, short, shuffle))
    return text


def count_tokens(text: str) -> int:
    """An upper estimate of the tokens of a text, by its bytes in UTF-8: for limits, not for money."""
    return math.ceil(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)


@dataclass(frozen=True)
class Texts:
    """What is known of one database's columns, and the texts written so far."""

    db_id: str
    profiles: tuple[Profile, ...]
    summaries: tuple[Summary, ...]
    kept: dict[tuple[object, ...], str] = field(default_factory=dict)
    trimmed: dict[tuple[ColumnName, bool, bool], Profile] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> dict[ColumnName, Profile]:
        """Profiles by the names that the database spells."""
        return {ColumnName(p.table, p.column): p for p in self.profiles}

    @cached_property
    def places(self) -> dict[ColumnName, int]:
        """Where each column stands in the schema."""
        return {name: place for place, name in enumerate(self.by_name)}

    @cached_property
    def long(self) -> dict[ColumnName, str]:
        """The LONG text of each column, with its counts: DISTINCT depends on them."""
        described = {name: _described(p) for name, p in self.by_name.items()}
        described |= {ColumnName(s.table, s.column): cut(s.long, LONG) for s in self._written}
        return {n: "; ".join(filter(None, (text, _counts(self.by_name.get(n))))) for n, text in described.items()}

    @cached_property
    def short(self) -> dict[ColumnName, str]:
        """The SHORT text of each column that has one."""
        described = {name: cut(p.description or p.expanded_name, SHORT) for name, p in self.by_name.items()}
        return described | {ColumnName(s.table, s.column): cut(s.short, SHORT) for s in self._written}

    @property
    def _written(self) -> Iterator[Summary]:
        """Summaries of models: those made from the profile say no more than the profile does."""
        return (s for s in self.summaries if s.source != "profile")

    @cached_property
    def ranked(self) -> tuple[ColumnName, ...]:
        """All columns, those first that something speaks for; equals in turns from table to table."""
        ranks: dict[int, dict[str, list[ColumnName]]] = defaultdict(lambda: defaultdict(list))
        for name, profile in self.by_name.items():
            key = profile.primary_key or profile.references
            rank = 0 if key else 1 if self.short.get(name) or profile.joins else 2
            ranks[rank][name.table].append(name)
        turns = (name for rank in sorted(ranks) for turn in zip_longest(*ranks[rank].values()) for name in turn)
        return tuple(name for name in turns if name)


def _described(profile: Profile) -> str:
    """What the benchmark says of a column, codes included, on one line."""
    said = "\n".join((profile.description or profile.expanded_name, profile.value_description))
    return cut("; ".join(line.strip(" .;\t\r") for line in said.split("\n") if line.strip(" .;\t\r")), LONG)


def _counts(profile: Profile | None) -> str:
    """How often values repeat and are missing; '' where that goes without saying."""
    if profile is None or profile.primary_key or not profile.rows:
        return ""
    filled = profile.rows - profile.nulls
    different = "all different" if profile.distinct == filled else f"{profile.distinct} different"
    return f"{profile.rows} rows, {different}" + (f", {profile.nulls} NULL" if profile.nulls else "")


@dataclass(frozen=True)
class Look:
    """How a schema is written, whatever is left of it."""

    notation: Notation
    short: bool
    shuffle: int


def _fitted(texts: Texts, columns: Sequence[ColumnName] | None, max_tokens: int, look: Look) -> str:
    ranked = texts.ranked if columns is None else tuple(dict.fromkeys(c for c in columns if c in texts.by_name))
    for step in range(STEPS + 1):
        text = _written(texts, ranked, step, look)
        if count_tokens(text) <= max_tokens:
            return text
    bare = [name for name in ranked if len(name.table) + len(name.column) <= LONGEST_NAME]
    return _longest_fitting(texts, bare, max_tokens, look)


def _longest_fitting(texts: Texts, ranked: Sequence[ColumnName], max_tokens: int, look: Look) -> str:
    """The bare text of as many columns as fit, found by halving."""
    best, least, most = "", 0, len(ranked)
    while least <= most:
        middle = (least + most) // 2
        text = _written(texts, ranked[:middle], STEPS, look)
        if count_tokens(text) <= max_tokens:
            best, least = text, middle + 1
        else:
            most = middle - 1
    return best


def _written(texts: Texts, columns: Collection[ColumnName], step: int, look: Look) -> str:
    """The text at one step of detail, 0 the fullest. Only what is shown is looked at, however large the database is."""
    names = sorted(columns, key=texts.places.__getitem__)
    said = {} if step >= 3 else texts.short if look.short or step >= 2 else texts.long
    profiles = [_trimmed(texts, name, step) for name in names]
    summaries = [Summary(texts.db_id, n.table, n.column, "", said[n], "shown") for n in names if said.get(n)]
    schema = schema_from_profiles(profiles)
    tables = list(schema.tables)
    if look.shuffle:
        random.Random(look.shuffle).shuffle(tables)
    ordered = replace(schema, db_id=texts.db_id, tables=tuple(tables))
    return VIEWS[look.notation](ordered, profiles, summaries, names)


def _trimmed(texts: Texts, name: ColumnName, step: int) -> Profile:
    """The profile as far as a view may show it: what the benchmark says of it stands in the summaries."""
    key = (name, step >= 1, step >= 4)
    if key not in texts.trimmed:
        bare: dict[str, Any] = {"description": "", "expanded_name": ""}
        bare |= {"top_values": ()} if step >= 1 else {}
        bare |= {"declared_type": "", "joins": ()} if step >= 4 else {}
        texts.trimmed[key] = replace(texts.by_name[name], **bare)
    return texts.trimmed[key]


# --- texts per context ----------------------------------------------------------------------------------------------

_known: dict[int, Texts] = {}
_lock = Lock()


def _texts_of(context: DatabaseContext) -> Texts:
    """The texts of a context for as long as it lives; contexts are told apart by identity, as they are large."""
    with _lock:
        if id(context) not in _known:
            _known[id(context)] = Texts(context.schema.db_id, context.profiles, context.summaries)
            weakref.finalize(context, _known.pop, id(context), None)
        return _known[id(context)]
