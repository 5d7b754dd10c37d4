"""What a repair sees of a statement that failed, and the two ways of writing one."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, wraps

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from nl2sql.online.context import DatabaseContext
from nl2sql.online.repairs.scopes import Block, read_blocks
from nl2sql.rows import CellMatch, ColumnName, Profile
from nl2sql.schema import Schema

STRING_OR_NAME = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]"
LONGEST = 20_000  # characters of a statement that is looked at; some searches take time with its square
QUERY = re.compile(r"[\s(]*(?:SELECT|WITH|VALUES)\b", re.I)


@dataclass(frozen=True)
class Facts:
    """What is known of the database that the statements ran on."""

    schema: Schema
    profiles: Mapping[ColumnName, Profile]
    cells: Mapping[str, Sequence[CellMatch]]  # by literal; only of the literals that were looked up

    def cells_like(self, literal: str) -> Sequence[CellMatch]:
        """Cells that the literal may mean, best first."""
        return self.cells.get(literal, ())


@dataclass(frozen=True)
class Failure:
    """A statement without a usable result. Outcome and error are those of its own execution."""

    sql: str
    outcome: str
    error: str
    facts: Facts
    # A parsed query that a repair looked at and left as it was: copying and scoping trees is what takes the time.
    spare: "list[ParsedQuery]" = field(default_factory=list, compare=False, repr=False)


MakeRepair = Callable[[Failure], str | None]


def gather_facts(context: DatabaseContext, literals: Sequence[str], limit: int = 30) -> Facts:
    """Look the literals up in the cell index, all in one call."""
    profiles = {ColumnName(p.table, p.column): p for p in context.profiles}
    unique = list(dict.fromkeys(literals))
    found = context.cells.lookup(unique, limit=limit) if unique else []
    return Facts(context.schema, profiles, dict(zip(unique, found, strict=True)))


def is_one_query(sql: str) -> bool:
    """Whether a text begins as a query and nothing follows its semicolon.

    Anything else is not shown to sqlglot, which logs a warning for statements that it only half reads.
    """
    ends = [m.end() for m in re.finditer(STRING_OR_NAME + "|(?P<end>;)", sql) if m.group("end")]
    return bool(QUERY.match(sql)) and all(not sql[end:].strip(" \t\r\n;") for end in ends)


@lru_cache(maxsize=128)
def _parsed(sql: str) -> exp.Query | None:
    if len(sql) > LONGEST or not is_one_query(sql):
        return None
    try:
        tree = sqlglot.parse_one(sql, dialect="sqlite")
    except (SqlglotError, RecursionError):
        return None
    return tree if isinstance(tree, exp.Query) else None


def parse(sql: str) -> exp.Query | None:
    """Parse one query; the tree is the caller's to change. None for what is too long, no query or does not parse."""
    tree = _parsed(sql)
    return tree.copy() if tree is not None else None


def quoted_texts(sql: str) -> list[str]:
    """Give what stands in quotes, be it a string or a name that may be meant as one, whether the text parses or not."""
    found = (m.group() for m in re.finditer(STRING_OR_NAME, sql))
    return [text[1:-1].replace(text[0] * 2, text[0]) for text in found]


@dataclass(frozen=True)
class ParsedQuery:
    """A query's tree, to be changed in place, and its SELECTs as they were before any change."""

    tree: exp.Query
    blocks: tuple[Block, ...]


def on_tree(edit: Callable[[ParsedQuery, Facts], bool]) -> MakeRepair:
    """Make a repair of a function that changes the parsed query in place and says whether it did."""

    @wraps(edit)
    def repair(failure: Failure) -> str | None:
        try:
            query = failure.spare.pop() if failure.spare else read_query(failure.sql, failure.facts.schema)
            if query is None:
                return None
            if edit(query, failure.facts):
                return query.tree.sql("sqlite")
        except (SqlglotError, RecursionError):  # a scope that sqlglot cannot follow
            return None
        failure.spare.append(query)
        return None

    return repair


def read_query(sql: str, schema: Schema) -> ParsedQuery | None:
    """Parse one query with its scopes, None when it does not parse. Raises SqlglotError for odd scopes."""
    tree = parse(sql)
    return ParsedQuery(tree, tuple(read_blocks(tree, schema))) if tree is not None else None
