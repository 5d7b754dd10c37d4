"""Say in plain English what a column holds: from its profile alone, or from what a model made of that."""

from collections.abc import Callable, Iterable, Sequence

from nl2sql.profiling.names import name_words
from nl2sql.rows import Profile, Summary

SHORT_VALUES = 3
SHORT_CHARACTERS = 300  # an embedding model reads about 256 word pieces
LONGEST_EXAMPLE = 40
FEW = 10  # different values that are all listed
SOURCE = "profile"

# Writes summaries anew, given with the profiles that they were made from; those that it cannot write come back as they
# are. What it gives stands in the order of what it was given.
Rewrite = Callable[[Sequence[Profile], Sequence[Summary]], list[Summary]]


def summarise_fields(profiles: Sequence[Profile], *, rewrite: Rewrite | None = None) -> list[Summary]:
    """A SHORT and a LONG text for every column, in the order of the profiles.

    SHORT names the column in words, says what it means and gives a few values: for embedding and linking. LONG adds
    keys, counts, ranges, formats and the meaning of codes: for writing SQL. With `rewrite` a model writes both from
    these; `source` says whose they are.
    """
    composite = {p.table for p in profiles if p.primary_key > 1}
    summaries = [
        Summary(p.db_id, p.table, p.column, short_text(p), long_text(p, p.table in composite), SOURCE) for p in profiles
    ]
    return rewrite(profiles, summaries) if rewrite else summaries


def short_text(profile: Profile) -> str:
    """Name, meaning and a few values of a column, at most SHORT_CHARACTERS long."""
    parts = [f"{spoken(profile.table)} {spoken_name(profile)}"]
    if profile.description and profile.description.casefold() != spoken_name(profile).casefold():
        parts.append(profile.description.rstrip(". "))
    values = example_values(profile, SHORT_VALUES)
    if values and not is_key(profile):
        parts.append(f"such as {', '.join(values)}")
    return _cut("; ".join(parts), SHORT_CHARACTERS)


def long_text(profile: Profile, composite: bool = False) -> str:
    """Everything that the profile says of a column, as sentences; `composite` says how its table is keyed."""
    sentences = [
        _meaning(profile),
        profile.value_description,
        *_keys(profile, composite),
        _amounts(profile),
        _values(profile),
        _format(profile),
    ]
    return " ".join(s if s.endswith((".", "!", "?")) else f"{s}." for s in sentences if s)


def spoken(name: str) -> str:
    """An identifier as words: 'EyeColour_ID' reads 'eye colour id'."""
    return " ".join(name_words(name)) or name


def spoken_name(profile: Profile) -> str:
    """The column's name as words, spelled out where the benchmark's description does so."""
    return profile.expanded_name or spoken(profile.column)


def is_key(profile: Profile) -> bool:
    """Whether a column's values only tie rows together."""
    return bool(profile.references or profile.joins or (profile.primary_key and is_opaque(profile)))


def is_opaque(profile: Profile) -> bool:
    """Whether a key's values are numbers or codes that mean nothing by themselves."""
    numbers = profile.integers + profile.reals
    return numbers > 0 or profile.shape.endswith("*") or profile.numeric_fraction > 0.9


def example_values(profile: Profile, count: int, longest: int = LONGEST_EXAMPLE) -> list[str]:
    """The most frequent values, without blobs, blanks and what is longer than `longest` characters."""
    readable = [v for v in profile.top_values if v.strip() and not v.startswith("x'") and len(v) <= longest]
    return readable[:count]


def _meaning(profile: Profile) -> str:
    kind = "view" if profile.is_view else "table"
    opening = f"Column {profile.column} of {kind} {profile.table}"
    if profile.expanded_name and profile.expanded_name.casefold() != profile.column.casefold():
        opening += f" ({profile.expanded_name})"
    return f"{opening}: {profile.description}" if profile.description else opening


def _keys(profile: Profile, composite: bool) -> Iterable[str]:
    if profile.primary_key:
        yield "It is part of the primary key" if composite else "It is the primary key"
    for target in profile.references:
        yield f"It refers to {target.table}.{target.column}"
    for target in profile.joins:
        yield f"Its values are found in {target.table}.{target.column}"


def _amounts(profile: Profile) -> str:
    if not profile.rows:
        return "There are no rows"
    filled = profile.rows - profile.nulls
    if not filled:
        return f"It is NULL in all {profile.rows} rows"
    nulls = f", {profile.nulls} of them NULL" if profile.nulls else ""
    unique = "all different" if profile.distinct == filled else f"{profile.distinct} different values"
    return f"{profile.rows} rows{nulls}, {unique}, stored as {stored_types(profile)}"


def stored_types(profile: Profile) -> str:
    """The types that the values are stored as, most frequent first."""
    kinds = ((profile.integers, "integer"), (profile.reals, "real"), (profile.texts, "text"), (profile.blobs, "blob"))
    return " and ".join(name for count, name in sorted(kinds, key=lambda k: -k[0]) if count)


def _values(profile: Profile) -> str:
    values = example_values(profile, FEW)
    if not values:
        return ""
    if profile.distinct <= len(values):
        counted = zip(profile.top_values, profile.top_counts, strict=True)
        return f"Values: {', '.join(f'{_shown(v, profile)} ({n} rows)' for v, n in counted)}"
    frequent = profile.top_counts[0] > 1
    listed = ", ".join(_shown(v, profile) for v in values[: FEW if frequent else SHORT_VALUES])
    return f"{'Most frequent values' if frequent else 'Examples'}: {listed}{_range(profile)}"


def _range(profile: Profile) -> str:
    if profile.minimum is None or profile.maximum is None or len(profile.minimum + profile.maximum) > 60:
        return ""
    return f"; from {_shown(profile.minimum, profile)} to {_shown(profile.maximum, profile)}"


def _shown(value: str, profile: Profile) -> str:
    return f"'{value}'" if profile.texts else value


def _format(profile: Profile) -> str:
    if profile.date_format == "epoch":
        return "Moments are counted in seconds or milliseconds since 1970"
    if profile.date_format:
        return f"Dates are written as {profile.date_format}"
    if not profile.texts:
        return ""
    if profile.numeric_fraction > 0.9:
        return "The texts read as numbers"
    lengths = (
        str(profile.shortest) if profile.shortest == profile.longest else f"{profile.shortest} to {profile.longest}"
    )
    shaped = f" of the shape {profile.shape}" if profile.shape else ""
    return f"Texts are {lengths} characters long{shaped}"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
