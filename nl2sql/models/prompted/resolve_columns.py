"""What models write for the columns of a schema, in the schema's own spelling."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rapidfuzz import fuzz, process

from nl2sql.online.words import compact
from nl2sql.rows import ColumnName
from nl2sql.schema import Schema

CLOSE = 85.0  # likeness of two names, 0..100, from which one is a slip of the other
LONGEST_NAME = 200  # characters; longer ones are not looked for among like ones
_DIGITS = re.compile(r"\d+")


def resolve_column(schema: Schema, table: str, column: str) -> ColumnName | None:
    """The column that is meant, None when it is none of the schema's or could be several.

    Case, quotes, a table in front of the column and the punctuation of names do not matter; a slip of the pen is
    mended where its digits agree: metric_1001 is not metric_1002. A table that does not exist counts as left out.
    """
    table, column = _bare(table), _bare(column)
    found = _exact(schema, table, column)
    if found is None and "." in column:
        before, _, after = column.rpartition(".")
        found = _exact(schema, _bare(before.rpartition(".")[2]) or table, _bare(after))
    return found or _alike(schema, table, column)


def resolve_columns(schema: Schema, names: Iterable[tuple[str, str]]) -> tuple[ColumnName, ...]:
    """Those of the columns that exist, each once, in their order."""
    found = (resolve_column(schema, table, column) for table, column in names)
    return tuple(dict.fromkeys(name for name in found if name is not None))


def _exact(schema: Schema, table: str, column: str) -> ColumnName | None:
    return schema.column(table.rpartition(".")[2], column) or schema.column(table, column)


def _alike(schema: Schema, table: str, column: str) -> ColumnName | None:
    if len(table) + len(column) > LONGEST_NAME:
        return None
    name = closest(table, [t.name for t in schema.tables])
    meant = schema.table(name) if name else None
    if meant is not None:
        own = closest(column, [c.name for c in meant.columns])
        return ColumnName(meant.name, own) if own else None
    named = schema.columns_named(column)
    return named[0] if len(named) == 1 else None


def closest(name: str, names: Sequence[str]) -> str | None:
    """The one of the names that this is a slip of: the same but for case and signs, or alike with the same digits."""
    by_letters, by_digits = _indexed(tuple(names))
    key = compact(name)
    same = by_letters.get(key, []) if key else [n for n in names if n == name]
    if same:
        return next((n for n in same if n.casefold() == name.casefold()), same[0] if len(same) == 1 else None)
    fitting = by_digits.get(tuple(_DIGITS.findall(name)), {})
    found = process.extract(key, fitting, scorer=fuzz.ratio, score_cutoff=CLOSE, limit=2)
    is_clear = len(found) == 1 or (len(found) == 2 and found[0][1] > found[1][1])
    return found[0][2] if is_clear else None


@lru_cache(maxsize=256)
def _indexed(names: tuple[str, ...]) -> tuple[dict[str, list[str]], dict[tuple[str, ...], dict[str, str]]]:
    """Names by their letters and digits, and by their digits alone with the former."""
    by_letters: dict[str, list[str]] = defaultdict(list)
    by_digits: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for name in names:
        by_letters[compact(name)].append(name)
        by_digits[tuple(_DIGITS.findall(name))][name] = compact(name)
    return dict(by_letters), dict(by_digits)


def _bare(name: str) -> str:
    """A name without the quotes of SQL around it."""
    name = name.strip()
    return name[1:-1] if len(name) > 1 and name[0] + name[-1] in ('""', "``", "[]", "''") else name
