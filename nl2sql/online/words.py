"""Words of questions and of identifiers, and how alike two of them are."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

# Function words, question words and the verbs of asking: they say nothing about which column is meant.
STOP_WORDS = frozenset(
    """
    a about above after all also among amongst an and any are as ask at be been before being below between
    both but by calculate can could describe did display divide do does down each either every false find
    for from gave get give given gives had has have having he her here him his how i identify if in include
    indicate into is it its just kindly let list many may me mention more most much multiply must no nor not
    null of off on only or other our out over own please present provide refer referred refers retrieve
    return same shall she should show so some subtract such tell than that the their them then there these
    they this those through to together too true under up upon us very was we were what when where whether
    which while who whom whose why will with within without would write you your
    """.split()  # noqa: SIM905
)
# Only those whose reading is the same in every domain.
ABBREVIATIONS = {
    "acct": "account", "addr": "address", "amt": "amount", "attr": "attribute", "avg": "average", "bal": "balance",
    "cat": "category", "cd": "code", "cnt": "count", "cont": "continent", "cust": "customer", "dept": "department",
    "desc": "description", "dest": "destination", "dob": "birth date", "dt": "date", "emp": "employee",
    "fname": "first name", "freq": "frequency", "grp": "group", "id": "id", "img": "image", "lang": "language",
    "lat": "latitude", "lname": "last name", "lng": "longitude", "loc": "location", "lon": "longitude",
    "max": "maximum", "mgr": "manager", "min": "minimum", "msg": "message", "nbr": "number", "no": "number",
    "num": "number", "org": "organization", "pct": "percent", "perf": "performance", "pos": "position",
    "pwd": "password", "qty": "quantity", "ref": "reference", "seq": "sequence", "stu": "student", "tel": "telephone",
    "temp": "temperature", "tot": "total", "txt": "text", "univ": "university", "val": "value", "vol": "volume",
    "wt": "weight", "yr": "year",
}  # fmt: skip
IRREGULAR = {
    "people": "person", "persons": "person", "children": "child", "men": "man", "women": "woman", "feet": "foot",
    "teeth": "tooth", "mice": "mouse", "geese": "goose", "criteria": "criterion", "indices": "index",
    "heroes": "hero", "series": "series", "species": "species", "status": "status", "bus": "bus", "gas": "gas",
    "lives": "life", "wives": "wife", "wolves": "wolf", "movies": "movie", "spent": "spend", "paid": "pay",
    "taught": "teach", "held": "hold", "sold": "sell", "bought": "buy", "won": "win", "born": "birth",
    "colours": "color", "colour": "color", "males": "male", "females": "female", "tallest": "tall",
}  # fmt: skip
# Suffixes that leave the word's subject alone: publish, publisher, published.
SUFFIXES = ("ational", "ation", "ment", "ing", "ied", "ed", "er", "or", "ion", "ly")
SHORTEST_STEM = 4
SAME_STEM = 0.85  # publisher for published
COMMON_PREFIX = 0.7  # weigh for weight: this share of the longer word, and four letters at least

_PARTS = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


@lru_cache(maxsize=100_000)
def lemma(word: str) -> str:
    """A word in lower case and the singular; other scripts come back casefolded."""
    word = word.casefold().replace("’", "'").removesuffix("'s").rstrip("'")
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zzes")):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """A lemma without the endings that make nouns of verbs; no shorter than four letters."""
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= SHORTEST_STEM:
            return word[: -len(suffix)]
    return word.removesuffix("e") if len(word) > SHORTEST_STEM else word


@lru_cache(maxsize=100_000)
def identifier_words(name: str) -> tuple[str, ...]:
    """The lemmas of an identifier: snake_case, CamelCase, spaces; known abbreviations are spelled out."""
    parts: list[str] = [p.casefold() for chunk in _CAMEL.split(name) for p in _PARTS.findall(chunk)]
    words = [w for p in parts for w in ABBREVIATIONS.get(p, p).split()]
    return tuple(lemma(w) for w in words)


def text_words(text: str) -> list[str]:
    """The lemmas of a text in order, stop words left out; identifiers in it are taken apart as well."""
    words: list[str] = []
    for word in _WORD.findall(text.replace("_", " ")):
        if word.casefold() in STOP_WORDS:
            continue
        words.append(lemma(word))
        if _CAMEL.search(word):
            words.extend(identifier_words(word))
    return words


def compact(name: str) -> str:
    """A name without case, spaces and punctuation: 'First Name' and first_name are the same."""
    return "".join(c for c in name.casefold() if c.isalnum())


def similarity(word: str, other: str) -> float:
    """How likely two lemmas mean the same, 0..1, by their letters alone."""
    if word == other:
        return 1.0
    if min(len(word), len(other)) < SHORTEST_STEM:
        return 0.0
    if stem(word) == stem(other):
        return SAME_STEM
    shared = _common_prefix(word, other) / max(len(word), len(other))
    return shared if shared >= COMMON_PREFIX else 0.0


def _common_prefix(word: str, other: str) -> int:
    length = 0
    for a, b in zip(word, other, strict=False):
        if a != b:
            return length
        length += 1
    return length


class Vocabulary:
    """The words of a schema, looked up by words of questions: those with the same beginning are compared."""

    def __init__(self, words: Iterable[str]) -> None:
        """Index each distinct word by its first letters; short words only match themselves."""
        self._by_start: dict[str, list[str]] = defaultdict(list)
        for word in sorted(set(words)):
            self._by_start[word[:SHORTEST_STEM]].append(word)

    def matches(self, words: Sequence[str]) -> dict[str, float]:
        """Give each word of the schema that the words may mean, with the best similarity."""
        best: dict[str, float] = {}
        for word in dict.fromkeys(words):
            for other in self._by_start.get(word[:SHORTEST_STEM], ()):
                alike = similarity(word, other)
                if alike > best.get(other, 0.0):
                    best[other] = alike
        return best
