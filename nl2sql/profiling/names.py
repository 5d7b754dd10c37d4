"""Read the words in the names that people give to tables and columns."""

import re
from functools import lru_cache

WORDS = re.compile(r"[^\W\d_]+|\d+")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Words that say that a column is a key, not of what.
KEY_WORDS = frozenset(
    ["id", "ids", "code", "cd", "no", "num", "number", "nr", "key", "pk", "fk", "ref", "link", "to", "uuid", "guid"]
)


@lru_cache(maxsize=1 << 16)
def name_words(name: str) -> tuple[str, ...]:
    """The words of an identifier: 'EyeColour_ID' gives eye, colour, id."""
    return tuple(w.casefold() for w in WORDS.findall(CAMEL.sub(" ", name)))


def stem(word: str) -> str:
    """A word without its English plural ending."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@lru_cache(maxsize=1 << 16)
def subject(name: str) -> tuple[str, ...]:
    """What a key's name speaks of: its stems without the words that only say 'key'."""
    words = [stem(w) for w in name_words(name)]
    cut = [w for w in words if w not in KEY_WORDS]
    # 'stuid' and 'makerid' are written without a seam.
    return tuple(w[:-2] if len(w) > 4 and w.endswith("id") else w for w in cut)
