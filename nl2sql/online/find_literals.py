"""The pieces of a question and its evidence that may be values: quoted, names, numbers, dates, codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from nl2sql.online.words import STOP_WORDS
from nl2sql.skeletons import DATES

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Span

SMALL_MODEL = "en_core_web_sm"
TEXT_LIMIT = 8_000  # characters of a question that are read: its two ends, where a question says what it wants
LITERAL_LIMIT = 60  # a person's question names a few values; a pasted page must not cost a page of look-ups
PHRASE_LIMIT = 600  # n-grams per question
PHRASE_WORDS = 6  # tokens of the longest n-gram; longer names come quoted or capitalised
CHARACTER_GRAMS = range(2, 9)  # of scripts written without spaces

# A quote that opens after a letter is an apostrophe, and so is one that closes before a letter.
_QUOTED = re.compile(
    r"(?<!\w)(?:'(.{1,200}?)'|\"(.{1,200}?)\"|‘(.{1,200}?)’|“(.{1,200}?)”|`+(.{1,200}?)(?:''|`+))(?!\w)"
)
_BOUND = re.compile(
    r"([\w.]+|`[^`]{1,80}`|\"[^\"]{1,80}\")\s*(?:!\s*=|<>|=+|LIKE|IN\s*\()\s*([^;,()=<>]{1,80}(?!\w*\())"
)
_MEANS = re.compile(r"\b(?:refers?\s+to|means?|stands?\s+for|is\s+called|represents?)\s+([^;,()=<>]{1,80})", re.I)
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]+")
_CODE = re.compile(r"(?=\S*\d)(?=\S*[^\W\d])[\w#./:+-]{2,60}")
_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?!\w)")
_CONNECTORS = frozenset("of the and & de da del la le van von der for in on at a an to".split())  # noqa: SIM905
_EDGES = " \t\r\n.,;:?!()[]{}'\"`“”‘’"


@dataclass(frozen=True)
class Found:
    """The pieces of one question, most telling first and without repeats (case counts).

    `literals` deserve a fuzzy look-up, `phrases` (n-grams) an exact one. `bound` are literals that the
    evidence gives to a column by name: (column as written, value).
    """

    literals: tuple[str, ...]
    phrases: tuple[str, ...]
    bound: tuple[tuple[str, str], ...]
    keywords: tuple[str, ...]


@cache
def load_language() -> Language:
    """The small English model when it is installed, else a bare tokenizer; both with rules for values."""
    import spacy  # brings torch: three seconds that a run from the cache need not wait for

    has_model = spacy.util.is_package(SMALL_MODEL)
    language = spacy.load(SMALL_MODEL) if has_model else spacy.blank("en")
    ruler = language.add_pipe("entity_ruler", config={"overwrite_ents": True})
    ruler.add_patterns(DATE_PATTERNS + NAME_PATTERNS)  # type: ignore[attr-defined]
    return language


_CAPITALISED = {"TEXT": {"REGEX": r"^[A-ZÀ-ÞА-ЯΑ-Ω][\w'’.&-]*$"}}
_MONTH = {"LOWER": {"REGEX": r"^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*$"}}
DATE_PATTERNS = [
    {"label": "DATE", "pattern": [_MONTH, {"SHAPE": {"IN": ["d", "dd"]}}, {"TEXT": ","}, {"SHAPE": "dddd"}]},
    {"label": "DATE", "pattern": [{"SHAPE": {"IN": ["d", "dd"]}}, _MONTH, {"SHAPE": "dddd"}]},
]
NAME_PATTERNS = [
    {
        "label": "NAME",
        "pattern": [
            _CAPITALISED,
            {"LOWER": {"IN": sorted(_CONNECTORS)}, "OP": "*"},
            {**_CAPITALISED, "OP": "+"},
        ],
    },
    {"label": "NAME", "pattern": [_CAPITALISED]},
]


def find_literals(question: str, evidence: str = "") -> Found:
    """Read one question. Bounded: of a text longer than TEXT_LIMIT only the two ends are read."""
    return find_all_literals([(question, evidence)])[0]


def find_all_literals(texts: Iterable[tuple[str, str]]) -> list[Found]:
    """Read many (question, evidence) pairs in one pass of spaCy."""
    pairs = [(shorten(question), shorten(evidence)) for question, evidence in texts]
    documents = load_language().pipe(question for question, _ in pairs)
    return [read_document(document, evidence) for document, (_, evidence) in zip(documents, pairs, strict=True)]


def shorten(text: str) -> str:
    """A text of at most TEXT_LIMIT characters: the beginning and the end."""
    if len(text) <= TEXT_LIMIT:
        return text
    return text[: TEXT_LIMIT // 2] + " \n " + text[-TEXT_LIMIT // 2 :]


def read_document(document: Doc, evidence: str = "") -> Found:
    """Read a question that spaCy has read; noun phrases become keywords when it was parsed."""
    question = document.text
    bound = tuple(_bound(evidence))
    names = [span.text for span in document.ents if not (len(span) == 1 and _is_edge(span.text))]
    quoted = [value for _, value in bound] + _quoted(question) + _quoted(evidence)
    others = names + _without_first(document.ents) + _meant(evidence)
    others += DATES.findall(question) + DATES.findall(evidence)
    others += _CODE.findall(question) + numbers(question) + numbers(evidence) + _UNSPACED.findall(question)
    # Who quotes a value gives all of it: 'Hershey Co.' keeps its full stop.
    literals = dict.fromkeys(_distinct(quoted, LITERAL_LIMIT, " ") + _distinct(others, LITERAL_LIMIT))
    phrases = [*_phrases(document), *_evidence_phrases(evidence), *_character_grams(question)]
    return Found(
        tuple(literals)[:LITERAL_LIMIT],
        tuple(_distinct(phrases, PHRASE_LIMIT)),
        bound,
        tuple(_distinct(_keywords(document), LITERAL_LIMIT)),
    )


def numbers(text: str) -> list[str]:
    """The numbers of a text without thousands separators, in order."""
    return [n.rstrip(",").replace(",", "") for n in _NUMBER.findall(text)]


def _quoted(text: str) -> list[str]:
    return [next(filter(None, groups)) for groups in _QUOTED.findall(text)]


def _bound(evidence: str) -> Iterator[tuple[str, str]]:
    for match in _BOUND.finditer(evidence):
        name, value = match[1].strip('`"'), match[2]
        quoted = _QUOTED.match(evidence, match.start(2))
        yield name, next(filter(None, quoted.groups())) if quoted else _cut(value)


def _cut(value: str) -> str:
    """An unquoted right-hand side ends where the next condition begins."""
    return re.split(r"\s+(?:and|or|where|in|as|limit|then|means)\s+", value, maxsplit=1, flags=re.I)[0].strip(_EDGES)


def _meant(evidence: str) -> list[str]:
    return [_cut(match[1]) for match in _MEANS.finditer(evidence)]


def _without_first(spans: Iterable[Span]) -> list[str]:
    """Names less their first word, which may be capitalised only because it begins the sentence."""
    return [span[1:].text for span in spans if len(span) > 1 and span.start == 0]


def _phrases(document: Doc) -> Iterator[str]:
    tokens, text = [t for t in document if not t.is_space], document.text
    for size in range(PHRASE_WORDS, 0, -1):
        for start in range(len(tokens) - size + 1):
            first, last = tokens[start], tokens[start + size - 1]
            if _is_edge(first.text) or _is_edge(last.text):
                continue
            yield text[first.idx : last.idx + len(last)]


def _is_edge(word: str) -> bool:
    """Whether a word cannot begin or end a value: function words, punctuation, what follows an apostrophe."""
    plain = word.casefold().lstrip("'’")
    return plain in STOP_WORDS or not any(c.isalnum() for c in plain) or (plain != word.casefold() and len(plain) < 3)


def _evidence_phrases(evidence: str) -> Iterator[str]:
    """Runs of words inside one clause of the evidence, which has no sentences worth a parse."""
    runs = [run.split() for run in re.split(r"[;,()=<>]|\brefers? to\b", evidence)]
    for size in range(PHRASE_WORDS, 0, -1):
        for run in runs:
            for start in range(len(run) - size + 1):
                words = run[start : start + size]
                if not _is_edge(words[0]) and not _is_edge(words[-1]):
                    yield " ".join(words).strip(_EDGES)


def _character_grams(text: str) -> Iterator[str]:
    for run in _UNSPACED.findall(text):
        for size in reversed(CHARACTER_GRAMS):
            for start in range(len(run) - size + 1):
                yield run[start : start + size]


def _keywords(document: Doc) -> Iterator[str]:
    """Noun phrases with a model; without one runs of words between stop words."""
    if document.has_annotation("DEP"):
        for chunk in document.noun_chunks:
            words = [t.text for t in chunk if not _is_edge(t.text)]
            if words:
                yield " ".join(words)
        return
    run: list[str] = []
    for token in document:
        if _is_edge(token.text):
            if run:
                yield " ".join(run)
            run = []
        else:
            run.append(token.text)
    if run:
        yield " ".join(run)


def _distinct(texts: Iterable[str], limit: int, edges: str = _EDGES) -> list[str]:
    kept: dict[str, None] = {}
    for text in texts:
        if len(kept) == limit:
            break
        if cleaned := text.strip(edges):
            kept[cleaned] = None
    return list(kept)
