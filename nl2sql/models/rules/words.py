"""Words of questions and identifiers: tokens with their places, stems, and names taken apart."""

import re
from dataclasses import dataclass
from functools import lru_cache

MAX_TEXT = 2_000  # characters of a question that are read: more is no question
TOKEN = re.compile(
    r"\d{1,4}[-/]\d{1,2}[-/]\d{1,4}(?:[T ][\d:.]+)?"  # dates
    r"|\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\w)|\d+(?:\.\d+)?(?!\w)"  # numbers
    r"|\w+(?:['’](?!s\b)\w+)*|['’]s\b|[^\w\s-]|(?<!\w)-|-(?!\w)"  # words; a hyphen inside a word separates
)
PIECE = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")
IRREGULAR = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "series": "series",
    "species": "species",
    "status": "status",
    "indices": "index",
    "data": "data",
    "analyses": "analysis",
    "is": "is",
    "was": "was",
    "has": "has",
    "does": "does",
    "movies": "movie",
    "cookies": "cookie",
    "calories": "calorie",
    "ids": "id",
}
ABBREVIATIONS = {
    "fname": ("first", "name"),
    "lname": ("last", "name"),
    "firstname": ("first", "name"),
    "lastname": ("last", "name"),
    "dob": ("date", "of", "birth"),
    "qty": ("quantity",),
    "num": ("number",),
    "no": ("number",),
    "nbr": ("number",),
    "desc": ("description",),
    "addr": ("address",),
    "dept": ("department",),
    "stu": ("student",),
    "emp": ("employee",),
    "cust": ("customer",),
    "prod": ("product",),
    "amt": ("amount",),
    "lat": ("latitude",),
    "lng": ("longitude",),
    "abbr": ("abbreviation",),
    "abbrev": ("abbreviation",),
    "yr": ("year",),
    "avg": ("average",),
    "cd": ("code",),
    "doc": ("document",),
    "ref": ("reference",),
    "mgr": ("manager",),
    "org": ("organization",),
    "tel": ("phone",),
}
VAGUE_TABLE_WORDS = {"list", "data", "info", "information", "table", "tbl", "detail", "record", "ref", "name"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or mark of a text. `start` and `end` are character offsets."""

    text: str
    lower: str
    stem: str
    start: int
    end: int


def tokenise(text: str) -> tuple[Token, ...]:
    """Words, numbers, dates and marks, in order; a possessive 's stands alone."""
    found = []
    for match in TOKEN.finditer(text[:MAX_TEXT]):
        word = match.group()
        lower = word.lower().replace("’", "'")
        found.append(Token(word, lower, stem(lower), match.start(), match.end()))
    return tuple(found)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The singular of a lower-case noun, by spelling; other words pass unchanged."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def split_identifier(name: str) -> tuple[str, ...]:
    """The stems of an identifier's words: 'CountryName', 'country_name' and 'country name' read alike."""
    if name.lower() in ABBREVIATIONS:
        return ABBREVIATIONS[name.lower()]
    words: list[str] = []
    for piece in PIECE.findall(name):
        words.extend(ABBREVIATIONS.get(piece.lower(), (stem(piece.lower()),)))
    return tuple(words)


def joined(words: tuple[str, ...]) -> str:
    """The key under which words are looked up: without spaces, so that 'petid' meets 'pet id'."""
    return "".join(words)
