"""Repairs of values: what a column is compared with but does not hold."""

import re
from collections.abc import Iterator

from sqlglot import exp

from nl2sql.online.repairs.failure import Facts, ParsedQuery, on_tree
from nl2sql.online.repairs.scopes import Block, identifier, point_at
from nl2sql.rows import CellMatch, ColumnName

CLOSE = 0.8  # similarity (0..1) from which a cell may be what a literal means
LEAD = 0.05  # by which the best must be closer than the next
TRUE = frozenset({"1", "t", "true", "y", "yes"})
FALSE = frozenset({"0", "f", "false", "n", "no"})
COMPARISONS = (exp.EQ, exp.NEQ, exp.Is, exp.Like)
DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")


def compared(block: Block) -> Iterator[tuple[exp.Column, ColumnName, exp.Literal]]:
    """Give each literal that a column of the database is compared with by =, <>, IS, IN or a LIKE without wildcards."""
    for node in block.columns:
        column, parent = block.resolve(node), node.parent
        if column is None or parent is None:
            continue
        if isinstance(parent, exp.In) and parent.this is node:
            values = parent.expressions
        elif isinstance(parent, COMPARISONS):
            values = [parent.expression if parent.this is node else parent.this]
        else:
            continue
        for value in values:
            if isinstance(value, exp.Literal) and not (isinstance(parent, exp.Like) and set(value.name) & set("%_")):
                yield node, column, value


def missing(block: Block, facts: Facts) -> Iterator[tuple[exp.Column, ColumnName, exp.Literal]]:
    """Give those comparisons whose string is, as far as is known, no cell of the column."""
    for node, column, value in compared(block):
        in_column = (c.value for c in facts.cells_like(value.name) if (c.table, c.column) == _pair(column))
        if value.is_string and value.name not in in_column and value.name not in _known_values(column, facts):
            yield node, column, value


def _pair(column: ColumnName) -> tuple[str, str]:
    return column.table, column.column


def _known_values(column: ColumnName, facts: Facts) -> tuple[str, ...]:
    profile = facts.profiles.get(column)
    return profile.top_values if profile else ()


@on_tree
def respell_value(query: ParsedQuery, facts: Facts) -> bool:
    """Spell a string as its column spells it: other case, other spaces."""
    changed = False
    for block in query.blocks:
        for _, column, value in list(missing(block, facts)):
            in_column = [c.value for c in facts.cells_like(value.name) if (c.table, c.column) == _pair(column)]
            same = {v for v in (*in_column, *_known_values(column, facts)) if _folded(v) == _folded(value.name)}
            if len(same) == 1:
                value.set("this", same.pop())
                changed = True
    return changed


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


@on_tree
def move_to_sibling(query: ParsedQuery, facts: Facts) -> bool:
    """Compare a string with the one other column of the tables in scope that holds it."""
    changed = False
    for block in query.blocks:
        for node, _, value in list(missing(block, facts)):
            sources = {s.table.name: s for s in block.sources if s.table}
            cells = [c for c in facts.cells_like(value.name) if _folded(c.value) == _folded(value.name)]
            found = list(dict.fromkeys(c for c in cells if c.table in sources))
            if len({(c.table, c.column) for c in found}) == 1 and isinstance(node.parent, exp.EQ | exp.NEQ):
                point_at(node, sources[found[0].table], found[0].column)
                value.set("this", found[0].value)
                changed = True
    return changed


@on_tree
def use_close_value(query: ParsedQuery, facts: Facts) -> bool:
    """Replace a string by the one close cell of its column."""
    changed = False
    for block in query.blocks:
        for _, column, value in list(missing(block, facts)):
            cells = [c for c in facts.cells_like(value.name) if (c.table, c.column) == _pair(column)]
            if (best := _clear_best(cells)) and best.score >= CLOSE:
                value.set("this", best.value)
                changed = True
    return changed


@on_tree
def use_containing_value(query: ParsedQuery, facts: Facts) -> bool:
    """Replace a string by the one cell of its column that it is the beginning or the end of, or the other way round."""
    changed = False
    for block in query.blocks:
        for _, column, value in list(missing(block, facts)):
            in_column = [c.value for c in facts.cells_like(value.name) if (c.table, c.column) == _pair(column)]
            found = {v for v in (*in_column, *_known_values(column, facts)) if _extends(v, value.name)}
            if len(found) == 1:
                value.set("this", found.pop())
                changed = True
    return changed


def _extends(one: str, other: str) -> bool:
    short, long = sorted((_folded(one), _folded(other)), key=len)
    return len(short) >= 3 and (long.startswith(short + " ") or long.endswith(" " + short))


def _clear_best(cells: list[CellMatch]) -> CellMatch | None:
    ordered = sorted(cells, key=lambda c: -c.score)
    if len(ordered) > 1 and ordered[0].score - ordered[1].score < LEAD:
        return None
    return ordered[0] if ordered else None


@on_tree
def use_boolean_value(query: ParsedQuery, facts: Facts) -> bool:
    """Spell yes and no as the column spells them, where its few values are one of each at most."""
    changed = False
    for block in query.blocks:
        for _, column, value in list(compared(block)):
            known = _known_values(column, facts)
            for meaning in (TRUE, FALSE):
                spelled = [v for v in known if v.casefold() in meaning]
                fits = value.name.casefold() in meaning and value.name not in known
                if fits and len(spelled) == 1 and all(v.casefold() in TRUE | FALSE for v in known):
                    value.replace(exp.Literal.string(spelled[0]))
                    changed = True
    return changed


@on_tree
def pad_date(query: ParsedQuery, facts: Facts) -> bool:
    """Write a date as the column does: '2019-8-2' or '2019/08/02' as '2019-08-02' where dates have that shape."""
    changed = False
    for literal in query.tree.find_all(exp.Literal):
        match = DATE.fullmatch(literal.name) if literal.is_string else None
        if match:
            year, month, day = match.groups()
            padded = f"{year}-{int(month):02}-{int(day):02}"
            changed |= padded != literal.name
            literal.set("this", padded)
    return changed


@on_tree
def match_whole_day(query: ParsedQuery, facts: Facts) -> bool:
    """Compare a date with the day of a column that holds date and time."""
    changed = False
    for block in query.blocks:
        for node, column, value in list(compared(block)):
            values = _known_values(column, facts)
            has_time = bool(values) and all(re.match(r"\d{4}-\d\d-\d\d[T ]\d", v) for v in values)
            if has_time and re.fullmatch(r"\d{4}-\d\d-\d\d", value.name) and isinstance(node.parent, exp.EQ):
                node.parent.replace(exp.Like(this=node.copy(), expression=exp.Literal.string(value.name + "%")))
                changed = True
    return changed


@on_tree
def look_up_key(query: ParsedQuery, facts: Facts) -> bool:
    """Where a foreign key is compared with a name, compare it with the key of the row of that name."""
    changed = False
    for block in query.blocks:
        for node, column, value in list(missing(block, facts)):
            keys = [k for k in facts.schema.foreign_keys if k.declared and ColumnName(k.table, k.column) == column]
            if len(keys) != 1 or not isinstance(node.parent, exp.EQ):
                continue
            cells = [c for c in facts.cells_like(value.name) if _folded(c.value) == _folded(value.name)]
            holders = [c for c in cells if c.table == keys[0].to_table]
            if len(holders) == 1:
                node.parent.replace(_key_lookup(node, keys[0].to_column, holders[0]))
                changed = True
    return changed


def _key_lookup(node: exp.Column, key: str, cell: CellMatch) -> exp.Expr:
    holder = exp.EQ(this=exp.Column(this=identifier(cell.column)), expression=exp.Literal.string(cell.value))
    inner = exp.select(exp.Column(this=identifier(key))).from_(exp.Table(this=identifier(cell.table))).where(holder)
    return exp.In(this=node.copy(), query=inner.subquery())
