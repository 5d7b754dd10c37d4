"""Read a question into spans: what each run of words names, asks or compares."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rapidfuzz import fuzz, process

from nl2sql.models.rules import cues, vocabulary
from nl2sql.models.rules.lexicon import Lexicon, Sense
from nl2sql.models.rules.words import Token, tokenise
from nl2sql.rows import CellMatch, ColumnName

MAX_TOKENS = 300
MAX_PHRASE = 6  # words of a table's or column's name in a question
QUOTED = re.compile(
    r"\"([^\"]{1,200})\"|“([^”]{1,200})”|``\s*(.{1,200}?)\s*''|(?<!\w)'((?:[^']|'(?=\w)){1,200}?)'(?!\w)|(?<!\w)[‘’](.{1,200}?)[’‘](?!\w)"
)
VERB_STEM = 5  # letters that "attended" must share with "attendance"
MANY_NAMES = 6_000  # names among which misspelled words are still looked for
TYPO_RATIO = 88  # likeness in percent from which a word is a misspelled name
NOUN_LEADS = frozenset({"the", "what", "which", "its", "their"})  # after these "make" is a noun
SURE_METHODS = frozenset({"exact", "casefold", "variant"})
MANY_VALUES = 60  # distinct values above which a column is no list of codes or kinds
FUZZY_SCORE = 0.84  # below it, a cell found by sketches is too far from the words to be meant


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens start..end (exclusive) and what they are.

    kind: schema (senses), value (cells, text), number (text), date (text), or a cue: count, aggregate, superlative,
    frequency, compare, each, order, distinct, negation (`cue` holds the phrase).
    """

    start: int
    end: int
    kind: str
    cue: str = ""
    text: str = ""
    senses: tuple[Sense, ...] = ()
    cells: tuple[CellMatch, ...] = ()
    words: tuple[str, ...] = ()  # the stems of a schema span


@dataclass(frozen=True)
class Reading:
    """A question taken apart. `regions` has one letter per token: h(ead), f(ilter), g(roup) or - (mark)."""

    question: str
    tokens: tuple[Token, ...]
    spans: tuple[Span, ...]
    regions: str

    def between(self, start: int, end: int) -> str:
        """The lower-case words from one token to another, with single spaces."""
        return " ".join(t.lower for t in self.tokens[max(start, 0) : max(end, 0)])

    def region(self, span: Span) -> str:
        """Where a span stands."""
        return self.regions[span.start] if span.start < len(self.regions) else "f"


def cue_table() -> dict[str, str]:
    """Every cue phrase with its kind; a phrase of two kinds takes the last."""
    kinds: tuple[tuple[str, Iterable[str]], ...] = (
        ("compare", cues.COMPARISONS),
        ("superlative", cues.SUPERLATIVES),
        ("aggregate", cues.AGGREGATES),
        ("frequency", cues.FREQUENCY | cues.RARITY),
        ("count", cues.COUNTING),
        ("each", cues.EACH),
        ("order", cues.ORDERING),
        ("distinct", cues.DISTINCT),
        ("negation", cues.NEGATIONS),
    )
    return {phrase: kind for kind, phrases in kinds for phrase in phrases}


CUES: Mapping[str, str] = cue_table()


def is_sure(cell: CellMatch) -> bool:
    """Whether a cell is what the literal says, letter for letter or in another form that is as good."""
    return (cell.method in SURE_METHODS and cell.score >= 0.8) or cell.value.casefold() == cell.literal.casefold()


def read_cells(question: str, cells: Sequence[CellMatch]) -> tuple[CellMatch, ...]:
    """The matches, and those cells whose whole text stands in the question although only a part of it was looked up."""
    asked = question.casefold()
    whole = [
        replace(c, literal=question[at : at + len(c.value)], score=1.0, method="exact")
        for c in cells
        if len(c.value) > len(c.literal)
        and len(c.value) > 3
        and (at := asked.find(c.value.casefold())) >= 0
        and _stands_alone(asked, at, len(c.value))
    ]
    return (*whole, *cells)


def _stands_alone(text: str, at: int, size: int) -> bool:
    before, after = text[at - 1 : at] if at else "", text[at + size : at + size + 1]
    return not before.isalnum() and not after.isalnum()


def read_spans(
    question: str, cells: Sequence[CellMatch], lexicon: Lexicon
) -> tuple[tuple[Token, ...], tuple[Span, ...]]:
    """The tokens of a question and the spans over them, in order and without overlaps: longer ones win."""
    tokens = tokenise(question)[:MAX_TOKENS]
    found = [
        *((s, 9.0) for s in _quoted(question, tokens, cells)),
        *((s, 5.0) for s in _values(tokens, cells, lexicon)),
        *((s, 4.0) for s in _numbers(tokens)),
        *((s, 3.0) for s in _cues(tokens)),
        *((s, _schema_priority(s)) for s in _schema(tokens, lexicon)),
    ]
    taken_places = {p for s, _ in found for p in range(s.start, s.end)}
    found.extend((s, 1.0) for s in _misspelled(tokens, taken_places, lexicon))
    found.sort(key=lambda f: (-_weight(f[0], f[1]), f[0].start))
    taken: set[int] = set()
    kept = []
    for span, _ in found:
        places = range(span.start, span.end)
        if not any(p in taken for p in places):
            kept.append(span)
            taken.update(places)
    return tokens, tuple(sorted(kept, key=lambda s: s.start))


def _schema_priority(span: Span) -> float:
    """ "phone number" is a column although "number of" asks for a count; a single word is a cue first."""
    whole = (
        (span.end - span.start > 1 or span.cue == "ellipsis")
        and span.senses[0].quality >= 0.9
        and not span.senses[0].compound
    )
    return 3.5 if whole else 2.0 + span.senses[0].quality


def _weight(span: Span, priority: float) -> float:
    """Quotes first, then length; a single lower-case word is rather the schema's than a cell's."""
    length = span.end - span.start
    if span.kind == "value" and priority < 9 and length == 1 and not span.cells[0].literal[:1].isupper():
        priority = 2.6
    if span.kind == "schema" and span.senses[0].quality < 0.6:
        length = 1
    return (1000 if priority == 9 else 0) + 10 * length + priority


def _quoted(question: str, tokens: Sequence[Token], cells: Sequence[CellMatch]) -> Iterable[Span]:
    for match in QUOTED.finditer(question[: tokens[-1].end if tokens else 0]):
        inside = [i for i, t in enumerate(tokens) if match.start() <= t.start and t.end <= match.end()]
        literal = next(g for g in match.groups() if g is not None).strip()
        if inside and literal:
            same = (c for c in cells if c.literal.casefold().strip(" .,") == literal.casefold().strip(" .,"))
            found = tuple(c for c in same if is_sure(c) or c.score >= FUZZY_SCORE)
            if not found and _held_in_parts(literal, cells):
                continue
            yield Span(inside[0], inside[-1] + 1, "value", "quoted", literal.rstrip(",.?!"), cells=found)


def _held_in_parts(literal: str, cells: Sequence[CellMatch]) -> bool:
    """Whether "Sacha Harrison" is no cell, but "Sacha" is one column's and "Harrison" another's."""
    words = literal.split()
    if not 2 <= len(words) <= 4:
        return False
    held = {c.literal.casefold() for c in cells if is_sure(c)}
    return all(w.casefold() in held for w in words)


def _opens(tokens: Sequence[Token], place: int) -> bool:
    return place == 0 or tokens[place - 1].text in ".?!;"


def _is_doubtful(token: Token, cell: CellMatch, lexicon: Lexicon) -> bool:
    """A plain word that happens to be a proper name in a column of many values: "hometown" is no city."""
    profile = lexicon.profiles.get(ColumnName(cell.table, cell.column))
    plain = token.text.islower() and cell.value[:1].isupper()
    return plain and profile is not None and profile.distinct > MANY_VALUES


def _values(tokens: Sequence[Token], cells: Sequence[CellMatch], lexicon: Lexicon) -> Iterable[Span]:
    by_literal: dict[str, list[CellMatch]] = {}
    for cell in cells:
        if is_sure(cell) or (cell.score >= FUZZY_SCORE and " " in cell.literal and cell.literal[:1].isupper()):
            by_literal.setdefault(cell.literal, []).append(cell)
    for literal, found in by_literal.items():
        words = [t.lower for t in tokenise(literal)]
        if not words or (len(words) == 1 and _is_common(words[0], literal)):
            continue
        for start in range(len(tokens) - len(words) + 1):
            if len(words) == 1 and _opens(tokens, start) and words[0] in vocabulary.OPENERS:
                continue
            if len(words) == 1 and _is_doubtful(tokens[start], found[0], lexicon):
                continue
            if all(tokens[start + i].lower == w for i, w in enumerate(words)):
                ranked = sorted(found, key=lambda c: -c.score)
                yield Span(start, start + len(words), "value", "", literal, cells=tuple(ranked))


def _is_common(word: str, literal: str) -> bool:
    return (
        (word in vocabulary.STOPWORDS and not literal[:1].isupper()) or word.replace(".", "").isdigit() or len(word) < 2
    )


def _numbers(tokens: Sequence[Token]) -> Iterable[Span]:
    for i, token in enumerate(tokens):
        if re.fullmatch(r"\d{1,4}[-/]\d{1,2}[-/]\d{1,4}.*", token.text):
            yield Span(i, i + 1, "date", "", token.text)
        elif re.fullmatch(r"\d[\d,]*(\.\d+)?", token.text):
            yield from _dated_or_number(tokens, i)
        elif token.lower in vocabulary.NUMBER_WORDS and token.lower not in ("one", "once"):
            yield Span(i, i + 1, "number", "", str(vocabulary.NUMBER_WORDS[token.lower]))
        elif token.lower == "one" and i and tokens[i - 1].lower in ("than", "least", "exactly", "only"):
            yield Span(i, i + 1, "number", "", "1")
        elif token.lower[:3] in {m[:3] for m in vocabulary.MONTHS} and token.text[0].isupper():
            yield from _worded_date(tokens, i)


def _dated_or_number(tokens: Sequence[Token], i: int) -> Iterable[Span]:
    yield Span(i, i + 1, "number", "", tokens[i].text.replace(",", ""))


def _worded_date(tokens: Sequence[Token], i: int) -> Iterable[Span]:
    text = " ".join(t.text for t in tokens[i : i + 4])
    if match := re.match(r"[A-Za-z]+\.? \d{1,2}(?:st|nd|rd|th)? ?,? \d{4}", text):
        size = len(match.group().split())
        yield Span(i, i + size, "date", "", match.group().replace(" ,", ","))


def _cues(tokens: Sequence[Token]) -> Iterable[Span]:
    for start in range(len(tokens)):
        for size in range(min(6, len(tokens) - start), 0, -1):
            phrase = " ".join(t.lower for t in tokens[start : start + size])
            if phrase in ("the number", "the count") and (
                start + size == len(tokens) or tokens[start + size].text in ".?!"
            ):
                yield Span(start, start + size, "count", phrase)
                break
            if (
                phrase == "no"
                and start + 1 < len(tokens)
                and (tokens[start].text == "No" or tokens[start + 1].text == ".")
            ):
                break  # "order No. 5"
            if phrase in CUES:
                yield Span(start, start + size, CUES[phrase], phrase)
                break


def _schema(tokens: Sequence[Token], lexicon: Lexicon) -> Iterable[Span]:
    for start in range(len(tokens)):
        if verb := lexicon.verbs.get(tokens[start].lower[:VERB_STEM], ()) if _may_be_verb(tokens[start]) else ():
            yield Span(start, start + 1, "schema", "verb", senses=verb)
        if _opens(tokens, start) and tokens[start].lower in vocabulary.OPENERS:
            continue
        for size in range(min(MAX_PHRASE, len(tokens) - start), 0, -1):
            words = tokens[start : start + size]
            if not all(w.lower[0].isalnum() for w in words) and size > 1:
                continue
            if size == 1 and (senses := _ellipsis(tokens, start, lexicon)):
                yield Span(start, start + 1, "schema", "ellipsis", senses=senses, words=(words[0].stem,))
            elif senses := _senses(words, lexicon, start > 0 and tokens[start - 1].lower in NOUN_LEADS):
                yield Span(start, start + size, "schema", senses=senses, words=tuple(w.stem for w in words))
            if swapped := _of_phrase(words, lexicon):
                senses = lexicon.lookup([w.stem for w in swapped])
                if senses and senses[0].quality >= 0.9 and senses[0].column:
                    yield Span(
                        start,
                        start + size,
                        "schema",
                        "of",
                        senses=senses,
                        words=tuple(w.stem for w in swapped),
                    )


def _misspelled(tokens: Sequence[Token], taken: set[int], lexicon: Lexicon) -> Iterable[Span]:
    """Long words that name nothing but are a letter away from a name: "descripition"."""
    if len(lexicon.senses) > MANY_NAMES:
        return
    for i, token in enumerate(tokens):
        if i in taken or len(token.stem) < 7 or not token.stem.isalpha():
            continue
        best = process.extractOne(token.stem, lexicon.senses.keys(), scorer=fuzz.ratio, score_cutoff=TYPO_RATIO)
        if best is not None and lexicon.senses[best[0]][0].quality >= 0.9:
            yield Span(i, i + 1, "schema", "typo", senses=lexicon.senses[best[0]], words=(token.stem,))


def _ellipsis(tokens: Sequence[Token], place: int, lexicon: Lexicon) -> tuple[Sense, ...]:
    """ "first and last names": the first word stands for "first name"."""
    rest = [t.stem for t in tokens[place + 1 : place + 4]]
    if len(rest) < 3 or rest[0] not in ("and", "or"):
        return ()
    both = lexicon.lookup([tokens[place].stem, rest[2]]), lexicon.lookup(rest[1:])
    return both[0] if all(s and s[0].quality >= 0.95 for s in both) else ()


def _may_be_verb(token: Token) -> bool:
    return len(token.lower) > VERB_STEM and token.lower.endswith(("ed", "ing", "s", "d"))


def _senses(words: Sequence[Token], lexicon: Lexicon, noun: bool) -> tuple[Sense, ...]:
    if len(words) == 1 and len(words[0].lower) < 2:
        return ()
    if len(words) == 1 and words[0].lower in vocabulary.FUNCTION_WORDS:
        whole = lexicon.lookup([words[0].stem]) if noun and words[0].lower in ("make", "use", "part") else ()
        return tuple(s for s in whole if s.quality >= 0.97)
    if any(w.lower in ("the", "a", "an", "of", "and", "or", ",", "for") for w in (words[0], words[-1])):
        return ()
    found = lexicon.lookup([w.stem for w in words])
    if not found and len(words) >= 3:
        found = _acronym(words, lexicon)
    if len(words) == 1 or not found or any(not s.compound and s.quality >= 0.9 for s in found):
        return found
    # "car models": the column Model of the table of cars, or the table of models: both are kept.
    rest = lexicon.lookup([w.stem for w in words[1:]])
    tables = {s.table for s in rest if not s.column and s.quality >= 0.75}
    known = {(s.table, s.column) for s in found}
    added = (
        replace(s, quality=s.quality - 0.04) for s in rest if s.table in tables and (s.table, s.column) not in known
    )
    return (*found, *added)


def _acronym(words: Sequence[Token], lexicon: Lexicon) -> tuple[Sense, ...]:
    """ "miles per gallon" for a column MPG."""
    if any(w.lower in vocabulary.FUNCTION_WORDS and w.lower != "per" for w in words):
        return ()
    initials = "".join(w.lower[0] for w in words)
    return tuple(s for s in lexicon.lookup([initials]) if s.quality >= 0.95 and s.column.casefold() == initials)


def _of_phrase(words: Sequence[Token], lexicon: Lexicon) -> list[Token]:
    """ "date of birth" read as "birth date"; [] for other phrases and where the end names a table of its own."""
    places = [i for i, w in enumerate(words) if w.lower == "of"]
    if len(places) != 1 or not 0 < places[0] < len(words) - 1:
        return []
    tail = [w for w in words[places[0] + 1 :] if w.lower not in ("the", "a", "an")]
    if len(tail) not in (1, 2) or any(w.lower in vocabulary.STOPWORDS for w in tail):
        return []
    if any(not s.column and s.quality >= 0.7 for s in lexicon.lookup([w.stem for w in tail])):
        return []
    return [*tail, *words[: places[0]]]
