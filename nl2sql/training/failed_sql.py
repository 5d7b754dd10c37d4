"""SQL that fails as models make it fail: edits of a right statement that SQLite refuses when they are executed."""

import re
from collections.abc import Iterator, Sequence

from sqlglot import exp

from nl2sql.schema_views import PLAIN
from nl2sql.sql_edits import Edit, Facts, Rule, apply_edits, changed, replaced, select_of, tables_of, write_sql

CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def edit_to_fail(sql: str, facts: Facts) -> list[Edit]:
    """Edits that should make a right statement fail; whether they do is for execution to say."""
    return apply_edits(sql, facts, RULES)


def misspell_column(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """A column under a name that is nearly its own: plural, other word separators, a letter lost."""

    def others(node: exp.Expr) -> Iterator[exp.Expr]:
        if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            yield from (_column(name, node) for name in _nearly(node.name) if not facts.schema.columns_named(name))

    return replaced(tree, (exp.Column,), others)


def misspell_table(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """A table under a name that is nearly its own."""

    def change(node: exp.Expr) -> bool:
        if facts.schema.table(node.name) is None:
            return False
        name = node.name[:-1] if node.name.endswith("s") else f"{node.name}s"
        node.set("this", exp.to_identifier(name))
        return facts.schema.table(name) is None

    return changed(tree, (exp.Table,), change)


def name_wrong_table(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """A column said to be of a joined table that does not have it."""

    def others(node: exp.Expr) -> Iterator[exp.Expr]:
        select = select_of(node)
        if not isinstance(node, exp.Column) or not node.table or select is None:
            return
        for alias, table in tables_of(select).items():
            if table and alias != node.table.casefold() and facts.schema.column(table, node.name) is None:
                yield exp.column(node.this.copy(), table=_alias_as_written(select, alias))

    return replaced(tree, (exp.Column,), others)


def forget_join(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """A table whose columns are still named, without its join."""
    return replaced(tree, (exp.Join,), lambda _: [None])


def forget_alias(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """A table without the alias by which its columns are named."""

    def change(node: exp.Expr) -> bool:
        had = bool(node.args.get("alias"))
        node.set("alias", None)
        return had

    return changed(tree, (exp.Table,), change)


def leave_ambiguous(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """A column that several joined tables have, without its table."""

    def others(node: exp.Expr) -> Iterator[exp.Expr]:
        select = select_of(node)
        if isinstance(node, exp.Column) and node.table and select is not None:
            tables = [t for t in tables_of(select).values() if t and facts.schema.column(t, node.name)]
            yield from [exp.column(node.this.copy())] if len(tables) > 1 else []

    return replaced(tree, (exp.Column,), others)


def aggregate_in_where(tree: exp.Expr, facts: Facts) -> Iterator[exp.Expr]:
    """The condition of HAVING in WHERE, where no aggregate may stand."""

    def change(node: exp.Expr) -> bool:
        having, where = node.args.get("having"), node.args.get("where")
        if having is None:
            return False
        conditions = [having.this.copy(), *([where.this.copy()] if where else [])]
        node.set("having", None)
        node.set("where", exp.Where(this=exp.and_(*conditions)))
        return True

    return changed(tree, (exp.Select,), change)


def borrow_dialect(tree: exp.Expr, facts: Facts) -> Iterator[str]:
    """What other databases have and SQLite has not: YEAR(), TOP, IF(), casts with ::, ILIKE."""
    sql = write_sql(tree)
    for pattern, replacement in BORROWED:
        borrowed = re.sub(pattern, replacement, sql, count=1, flags=re.IGNORECASE)
        if borrowed != sql:
            yield borrowed


def forget_quotes(tree: exp.Expr, facts: Facts) -> Iterator[str]:
    """A name that needs quotes without them."""
    sql = write_sql(tree)
    for name in dict.fromkeys(n.name for n in tree.find_all(exp.Identifier) if n.quoted):
        if not PLAIN.fullmatch(name):
            yield sql.replace(f'"{name}"', name)


def unbalance(tree: exp.Expr, facts: Facts) -> Iterator[str]:
    """A statement that stops being one: a parenthesis or a comma is lost."""
    sql = write_sql(tree)
    for sign, kept in ((")", ""), (", ", " ")):
        place = sql.rfind(sign)
        if place > 0:
            yield sql[:place] + kept + sql[place + len(sign) :]


BORROWED = (
    (r"STRFTIME\('%Y', ([^()]+)\)", r"YEAR(\1)"),
    (r"STRFTIME\('%m', ([^()]+)\)", r"MONTH(\1)"),
    (r"CAST\(([\w.\"]+) AS (\w+)\)", r"\1::\2"),
    (r"^SELECT (.*) LIMIT (\d+)$", r"SELECT TOP \2 \1"),
    (r"\bIIF\(", "IF("),
    (r"\bLIKE\b", "ILIKE"),
    (r"\bSUBSTR(?:ING)?\(([^(),]+), 1, (\d+)\)", r"LEFT(\1, \2)"),
)


def _nearly(name: str) -> Iterator[str]:
    snake = CAMEL.sub("_", name).replace(" ", "_").lower()
    camel = "".join(word.capitalize() for word in snake.split("_"))
    plural = name[:-1] if name.endswith("s") else f"{name}s"
    yield from dict.fromkeys(n for n in (snake, camel, plural) if n and n.casefold() != name.casefold())


def _column(name: str, node: exp.Column) -> exp.Expr:
    return exp.column(exp.to_identifier(name), table=node.args.get("table"))


def _alias_as_written(select: exp.Select, alias: str) -> str:
    written = (n.alias_or_name for n in select.find_all(exp.Table) if n.alias_or_name.casefold() == alias)
    return next(written, alias)


RULES: Sequence[tuple[str, Rule]] = (
    ("misspelt column", misspell_column),
    ("misspelt table", misspell_table),
    ("column of another table", name_wrong_table),
    ("missing join", forget_join),
    ("missing alias", forget_alias),
    ("ambiguous column", leave_ambiguous),
    ("aggregate in where", aggregate_in_where),
    ("another dialect", borrow_dialect),
    ("missing quotes", forget_quotes),
    ("broken syntax", unbalance),
)
