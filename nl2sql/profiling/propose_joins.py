"""Propose joins that nobody declared: a column whose values all lie in another table's key, and whose name fits it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nl2sql.profiling.names import KEY_WORDS, name_words, stem, subject
from nl2sql.profiling.sketches import Sketch
from nl2sql.rows import ColumnName

LONGEST_KEY = 64  # characters; longer texts are no keys
INCLUDED = 0.9  # share of a column's different values that the key must hold; real data has strays
FEWEST_EXTENDED = 20  # rows that two tables must share to count as one table in two parts
MOST = 2  # proposals per column
SELF_WORDS = frozenset(
    ["parent", "manager", "mgr", "supervisor", "super", "boss", "reports", "prev", "previous", "next", "original"]
)


@dataclass(frozen=True)
class KeyFacts:
    """What is known of a column when it is considered as one end of a join."""

    name: ColumnName
    sketch: Sketch
    distinct: int
    is_unique: bool  # one value per row, no NULLs
    primary: bool  # the whole declared primary key of its table
    numbers: tuple[float, float] | None  # smallest and largest when it holds nothing but whole numbers
    reads_as_number: bool  # every value, text or not
    shortest: int
    longest: int
    fractional: bool


@dataclass(frozen=True)
class Proposal:
    """One proposed join: `child` holds values of the key `parent`."""

    child: ColumnName
    parent: ColumnName
    score: float


def propose_joins(columns: Sequence[KeyFacts], settled: frozenset[ColumnName] = frozenset()) -> list[Proposal]:
    """Undeclared joins between the columns of one database, best first for each child; `settled` have declared ones.

    A proposal needs a parent with one value per row, at least INCLUDED of the child's values in it, and either names
    that fit or values that cannot agree by chance. Not covered: keys over several columns, columns without values.
    """
    parents = [c for c in columns if (c.is_unique or c.primary) and c.distinct and not c.fractional]
    by_kind = {kind: [p for p in parents if (p.numbers is not None) is kind] for kind in (True, False)}
    proposals = []
    for child in columns:
        if child.name in settled or not child.distinct or child.fractional:
            continue
        scored = [(score_join(child, parent), parent) for parent in _possible(child, by_kind)]
        ranked = sorted((s for s in scored if s[0] > 0), key=lambda s: (-s[0], -s[1].distinct))
        best = ranked[0][0] if ranked else 0.0
        proposals += [Proposal(child.name, p.name, s) for s, p in ranked[:MOST] if s >= best - 0.05]
    return _one_way(proposals)


def _possible(child: KeyFacts, parents: dict[bool, list[KeyFacts]]) -> Iterator[KeyFacts]:
    """The keys that could hold a column's values, by what is cheap to see."""
    into_itself = bool(SELF_WORDS & set(name_words(child.name.column)))
    for parent in parents[True] if child.numbers else []:
        low, high = parent.numbers or (0, 0)
        inside = child.numbers is not None and low <= child.numbers[0] and child.numbers[1] <= high
        if inside and (into_itself or parent.name.table != child.name.table) and parent.name != child.name:
            yield parent
    for parent in parents[False]:
        short = min(child.longest, parent.longest) <= LONGEST_KEY and child.shortest <= parent.longest
        if short and (into_itself or parent.name.table != child.name.table) and parent.name != child.name:
            yield parent
    # Text that holds numbers refers to numeric keys as well: SQLite compares them as numbers.
    for parent in parents[True] if child.reads_as_number and not child.numbers else []:
        if into_itself or parent.name.table != child.name.table:
            yield parent


def score_join(child: KeyFacts, parent: KeyFacts) -> float:
    """How likely `child` refers to `parent`, 0..1; 0 means no proposal."""
    names = name_evidence(child.name, parent.name)
    extends = _extends(child, parent)
    if names < 0.95 and child.is_unique and _is_own_key(child.name) and not extends:
        return 0.0
    if names == 0 and not extends and chance_evidence(child, parent) < 0.9:
        return 0.0
    included, measured = child.sketch.included_in(parent.sketch)
    if included < INCLUDED or measured == 0 or not _is_key_like(parent):
        return 0.0
    values = chance_evidence(child, parent) * min(1.0, measured / 5)
    accepted = (
        names >= 0.9
        or (names >= 0.6 and (values >= 0.5 or included == 1.0))
        or (values >= 0.95 and included >= 0.98 and measured >= 10 and (parent.primary or child.is_unique))
        or (extends and included == 1.0)
    )
    if not accepted:
        return 0.0
    home = 0.1 if set(subject(parent.name.column)) <= _table_stems(parent.name.table) else 0.0
    return 0.5 * names + 0.2 * included + 0.15 * values + 0.05 * parent.primary + home


def _is_key_like(parent: KeyFacts) -> bool:
    """Whether a column without duplicates is one by design: ranks and years have none by chance."""
    words = set(name_words(parent.name.column))
    named = bool(words & KEY_WORDS) or parent.name.column.casefold().endswith("id") or _is_own_key(parent.name)
    return parent.primary or named or (parent.numbers is None and parent.longest >= 4)


def _is_own_key(name: ColumnName) -> bool:
    """Whether a column's name says that it numbers its own table: ContId of continents, or just id."""
    about, table = subject(name.column), [stem(w) for w in name_words(name.table)]
    return not about or about[-1] in table or any(_abbreviates(about[-1], word) for word in table)


def _extends(child: KeyFacts, parent: KeyFacts) -> bool:
    """Whether two tables of one subject share one count of rows, as car_names and cars_data do."""
    shared = _table_stems(child.name.table) & _table_stems(parent.name.table) - KEY_WORDS
    keys = child.primary and parent.primary and child.distinct == parent.distinct >= FEWEST_EXTENDED
    return bool(shared) and keys and child.numbers == parent.numbers


def name_evidence(child: ColumnName, parent: ColumnName) -> float:
    """How well a column's name speaks of a key, 0..1; within one table it must be a word such as manager or parent."""
    if child.table == parent.table:  # only a word such as manager or parent got it so far
        return 0.9 if _is_own_key(parent) else 0.0
    about, key = subject(child.column), subject(parent.column)
    table = tuple(stem(w) for w in name_words(parent.table))
    if not about:
        return 0.0
    if about == key:
        return 1.0
    if not table:  # named with symbols only
        return 0.0
    if about == table or about[-len(table) :] == table:
        return 0.95
    if about[-1] == table[-1] or (key and about[-1] == key[-1]):
        return 0.9
    joined, whole = "".join(about), "".join(table)
    if len(joined) >= 3 and (whole.endswith(joined) or (len(whole) >= 4 and joined.endswith(whole))):
        return 0.9
    if _abbreviates(about[-1], table[-1]) or _abbreviates(table[-1], about[-1]):
        return 0.7
    return 0.6 if set(about) & (set(table) | set(key)) else 0.0


def chance_evidence(child: KeyFacts, parent: KeyFacts) -> float:
    """How hard it would be for these values to lie in that key by chance, 0..1.

    Whole numbers that count from 1 lie in every longer count from 1: no evidence. Long texts do not agree by chance.
    """
    if parent.numbers is None:
        return min(1.0, parent.longest / 8)
    low, high = parent.numbers
    density = parent.distinct / (high - low + 1)
    scattered = 1 - density ** min(child.distinct, 20)
    offset = min(1.0, 2 * low / high) if 100 < low <= high else 0.0
    return max(scattered, 0.9 * offset)


def _abbreviates(short: str, long: str) -> bool:
    """Whether a word shortens another: its beginning (stu, student) or its consonants in order (dept, department)."""
    if len(short) < 3 or len(short) >= len(long) or short[0] != long[0]:
        return False
    letters = iter(long)
    return long.startswith(short) or (len(short) >= 4 and all(c in letters for c in short) and short[-1] in long[3:])


def _table_stems(table: str) -> set[str]:
    return {stem(w) for w in name_words(table)} | KEY_WORDS


def _one_way(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Of two keys that refer to each other keep the better direction."""
    scores = {(p.child, p.parent): p.score for p in proposals}
    return [p for p in proposals if _wins(p, scores.get((p.parent, p.child), -1.0))]


def _wins(proposal: Proposal, other: float) -> bool:
    if proposal.score != other:
        return proposal.score > other
    return (proposal.child.table, proposal.child.column) > (proposal.parent.table, proposal.parent.column)
