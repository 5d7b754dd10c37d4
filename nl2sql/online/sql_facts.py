"""What a statement says on its face: its words, strings, numbers and clauses, read without parsing it."""

import re
from dataclasses import dataclass
from functools import lru_cache

_PIECES = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|\[[^\]]*\]|\d+(?:\.\d+)?|\w+|[*/<>=!]+|[^\s\w]")
_KEYWORDS = frozenset(
    """
    select from where join inner left outer on as and or by asc desc is not null in cast real integer then end
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True)
class SqlFacts:
    """Casefolded pieces of one statement. Strings are without quotes; names stand in `words` with or without them."""

    words: frozenset[str]
    strings: frozenset[str]
    numbers: frozenset[str]
    pieces: frozenset[str]  # all of it but the commonest keywords, for comparing statements
    length: int  # pieces, repeated ones too

    def has(self, *words: str) -> bool:
        """Whether one of these words stands in the statement."""
        return not self.words.isdisjoint(words)


@lru_cache(maxsize=50_000)
def read_facts(sql: str) -> SqlFacts:
    """Read a statement; whatever it is, broken SQL and prose too, it has facts."""
    pieces = [p.casefold() for p in _PIECES.findall(sql)]
    strings = {p[1:-1].replace("''", "'") for p in pieces if p[0] in "'\"" and len(p) > 1}
    words = {w for p in pieces for w in (p, p.strip('"`[]')) if w[:1].isalpha() or w[:1] == "_"}
    numbers = {p for p in pieces if p[0].isdigit()}
    return SqlFacts(
        frozenset(words), frozenset(strings), frozenset(numbers), frozenset(pieces) - _KEYWORDS, len(pieces)
    )
