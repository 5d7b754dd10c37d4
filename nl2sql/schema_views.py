"""The schema as text for a model: DDL with example comments, a light Markdown view, M-Schema."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from nl2sql.rows import ColumnName, Profile, Summary
from nl2sql.schema import Column, ForeignKey, Schema, Table, quote

EXAMPLES = 3
LONGEST_EXAMPLE = 30  # characters; longer values are no examples
LONGEST_LIST = 100  # characters of all examples; beyond it only the first is shown
LONGEST_COMMENT = 600  # characters
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# SQLite's keywords: some may stand unquoted in some places, quoting all of them is always right.
KEYWORDS = frozenset(
    """
    ABORT ACTION ADD AFTER ALL ALTER ALWAYS ANALYZE AND AS ASC ATTACH AUTOINCREMENT BEFORE BEGIN BETWEEN
    BY CASCADE CASE CAST CHECK COLLATE COLUMN COMMIT CONFLICT CONSTRAINT CREATE CROSS CURRENT CURRENT_DATE
    CURRENT_TIME CURRENT_TIMESTAMP DATABASE DEFAULT DEFERRABLE DEFERRED DELETE DESC DETACH DISTINCT DO
    DROP EACH ELSE END ESCAPE EXCEPT EXCLUDE EXCLUSIVE EXISTS EXPLAIN FAIL FILTER FIRST FOLLOWING FOR
    FOREIGN FROM FULL GENERATED GLOB GROUP GROUPS HAVING IF IGNORE IMMEDIATE IN INDEX INDEXED INITIALLY
    INNER INSERT INSTEAD INTERSECT INTO IS ISNULL JOIN KEY LAST LEFT LIKE LIMIT MATCH MATERIALIZED NATURAL
    NO NOT NOTHING NOTNULL NULL NULLS OF OFFSET ON OR ORDER OTHERS OUTER OVER PARTITION PLAN PRAGMA
    PRECEDING PRIMARY QUERY RAISE RANGE RECURSIVE REFERENCES REGEXP REINDEX RELEASE RENAME REPLACE
    RESTRICT RETURNING RIGHT ROLLBACK ROW ROWS SAVEPOINT SELECT SET TABLE TEMP TEMPORARY THEN TIES TO
    TRANSACTION TRIGGER UNBOUNDED UNION UNIQUE UPDATE USING VACUUM VALUES VIEW VIRTUAL WHEN WHERE WINDOW
    WITH WITHOUT
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Shown:
    """The part of a schema that a view shows, with what is known of each column."""

    schema: Schema
    tables: tuple[Table, ...]
    keys: tuple[ForeignKey, ...]
    profiles: dict[ColumnName, Profile]
    comments: dict[ColumnName, str]


def ddl_view(
    schema: Schema,
    profiles: Sequence[Profile],
    summaries: Sequence[Summary] = (),
    columns: Collection[ColumnName] | None = None,
) -> str:
    """CREATE TABLE statements with a comment of meaning and examples behind every column; SQLite can run them.

    `columns` restricts the view to those columns (None = all); tables without one are left out, and so are keys that
    lose an end. Views show as tables, joins that are only proposed as comments.
    """
    shown = _shown(schema, profiles, summaries, columns)
    return "\n\n".join(_ddl_table(table, shown) for table in shown.tables)


def _ddl_table(table: Table, shown: Shown) -> str:
    lines = [f"  {spell(c.name)} {_ddl_type(c)}".rstrip() for c in table.columns]
    comments = [_ddl_comment(table, c, shown) for c in table.columns]
    if table.primary_key:
        lines.append(f"  PRIMARY KEY ({', '.join(map(spell, table.primary_key))})")
    for key in _declared(shown.keys, table.name):
        name = re.sub(r"\W+", "_", f"fk_{key.table}_{key.column}")
        target = f"{spell(key.to_table)} ({spell(key.to_column)})"
        lines.append(f"  CONSTRAINT {spell(name)} FOREIGN KEY ({spell(key.column)}) REFERENCES {target}")
    comments += [""] * (len(lines) - len(comments))
    commas = ["," if i < len(lines) - 1 else "" for i in range(len(lines))]
    body = [f"{a}{b}{f' -- {c}' if c else ''}" for a, b, c in zip(lines, commas, comments, strict=True)]
    opening = f"CREATE TABLE {spell(table.name)} ({' -- a view' if table.is_view else ''}"
    return "\n".join([opening, *body, ");"])


def _ddl_type(column: Column) -> str:
    # A type is any text in SQLite; one that would end the column's definition is dropped.
    return column.declared_type if re.fullmatch(r"[\w ]*(?:\([\d\s,+-]*\))?", column.declared_type) else ""


def _ddl_comment(table: Table, column: Column, shown: Shown) -> str:
    name = ColumnName(table.name, column.name)
    examples = _examples(name, shown)
    joins = [f"joins {spell(k.to_table)}.{spell(k.to_column)}" for k in shown.keys if _proposed(k, name)]
    parts = [shown.comments.get(name, ""), *joins, f"example: {', '.join(examples)}" if examples else ""]
    return "; ".join(p for p in parts if p)


def markdown_view(
    schema: Schema,
    profiles: Sequence[Profile],
    summaries: Sequence[Summary] = (),
    columns: Collection[ColumnName] | None = None,
) -> str:
    """The light view: for each table a heading, a grid of name, type, description and examples, then its keys.

    `columns` as in `ddl_view`. Joins that are only proposed are listed with the declared ones and marked.
    """
    shown = _shown(schema, profiles, summaries, columns)
    return "\n\n".join(_markdown_table(table, shown) for table in shown.tables)


def _markdown_table(table: Table, shown: Shown) -> str:
    lines = [f"## {_flat(table.name)}{' (view)' if table.is_view else ''}", "", "Column information", ""]
    lines += ["| name | type | description | value examples |", "| --- | --- | --- | --- |"]
    for column in table.columns:
        name = ColumnName(table.name, column.name)
        cells = (column.name, _bare_type(column), shown.comments.get(name, ""), ", ".join(_examples(name, shown)))
        escaped = (_flat(c).replace("|", "\\|") for c in cells)
        lines.append(f"| {' | '.join(escaped)} |")
    if table.primary_key:
        lines += ["", f"Primary key: {', '.join(map(_flat, table.primary_key))}"]
    keys = [k for k in shown.keys if k.table == table.name]
    if keys:
        lines += ["", "Foreign keys:", *(f"- {_equation(k, ' = ')}" for k in keys)]
    return "\n".join(lines)


def m_schema_view(
    schema: Schema,
    profiles: Sequence[Profile],
    summaries: Sequence[Summary] = (),
    columns: Collection[ColumnName] | None = None,
) -> str:
    """M-Schema, the text that XiYan-SQL gives its models: tables as lists of (column:TYPE, comment, key, examples).

    `columns` as in `ddl_view`. Joins that are only proposed are listed with the declared ones and marked.
    """
    shown = _shown(schema, profiles, summaries, columns)
    lines = [f"【DB_ID】 {schema.db_id}", "【Schema】"]
    for table in shown.tables:
        lines += [f"# Table: {_flat(table.name)}{', a view' if table.is_view else ''}", "["]
        lines += [",\n".join(_m_schema_column(table, c, shown) for c in table.columns), "]"]
    if shown.keys:
        lines += ["【Foreign keys】", *(_equation(k, "=") for k in shown.keys)]
    return "\n".join(lines)


def _m_schema_column(table: Table, column: Column, shown: Shown) -> str:
    name = ColumnName(table.name, column.name)
    examples = _examples(name, shown)
    parts = [f"{_flat(column.name)}:{_bare_type(column)}", shown.comments.get(name, "")]
    parts += ["Primary Key" if column.primary_key else "", f"Examples: [{', '.join(examples)}]" if examples else ""]
    return f"({', '.join(p for p in parts if p)})"


# --- what all views share -------------------------------------------------------------------------------------------


def _shown(
    schema: Schema,
    profiles: Sequence[Profile],
    summaries: Sequence[Summary],
    columns: Collection[ColumnName] | None,
) -> Shown:
    kept = set(schema.column_names if columns is None else columns)
    tables = [_restricted(table, kept) for table in schema.tables]
    keys = dict.fromkeys(
        k
        for k in schema.foreign_keys
        if ColumnName(k.table, k.column) in kept and ColumnName(k.to_table, k.to_column) in kept
    )
    comments = {ColumnName(p.table, p.column): p.description or p.expanded_name for p in profiles}
    # A model's summary says more than the benchmark's description; one made from the profile says no more.
    comments |= {ColumnName(s.table, s.column): s.long for s in summaries if s.source != "profile"}
    return Shown(
        schema,
        tuple(t for t in tables if t.columns),
        tuple(keys),
        {ColumnName(p.table, p.column): p for p in profiles},
        {name: _cut(_flat(text)) for name, text in comments.items()},
    )


def _restricted(table: Table, kept: Collection[ColumnName]) -> Table:
    columns = tuple(c for c in table.columns if ColumnName(table.name, c.name) in kept)
    whole = {c.name for c in columns} >= set(table.primary_key)
    return Table(table.name, columns if whole else tuple(map(_keyless, columns)), table.is_view)


def _keyless(column: Column) -> Column:
    return Column(column.name, column.declared_type, 0)


def _declared(keys: Iterable[ForeignKey], table: str) -> list[ForeignKey]:
    return [k for k in keys if k.declared and k.table == table]


def _proposed(key: ForeignKey, name: ColumnName) -> bool:
    return not key.declared and ColumnName(key.table, key.column) == name


def _equation(key: ForeignKey, sign: str) -> str:
    marked = "" if key.declared else " (not declared)"
    return f"{_flat(key.table)}.{_flat(key.column)}{sign}{_flat(key.to_table)}.{_flat(key.to_column)}{marked}"


def _examples(name: ColumnName, shown: Shown) -> list[str]:
    """A few short values: one of dates and of keys, three of others, none of blobs."""
    profile = shown.profiles.get(name)
    if profile is None or profile.blobs > profile.texts + profile.integers + profile.reals:
        return []
    values = [_flat(v) for v in profile.top_values if v.strip() and len(v) <= LONGEST_EXAMPLE]
    single = bool(profile.date_format or profile.primary_key or profile.references)
    values = values[: 1 if single else EXAMPLES]
    texts = [quote_text(v) if profile.texts else v for v in values]
    return texts if sum(map(len, texts)) <= LONGEST_LIST else texts[:1]


def spell(identifier: str) -> str:
    """An identifier as SQL spells it: in double quotes only where they are needed."""
    plain = PLAIN.fullmatch(identifier) and identifier.upper() not in KEYWORDS
    return identifier if plain else quote(identifier)


def quote_text(value: str) -> str:
    """A value as a string literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def _bare_type(column: Column) -> str:
    return _flat(column.declared_type.split("(")[0].strip().upper() or "ANY")


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_COMMENT else f"{text[: LONGEST_COMMENT - 1]}…"
