"""Score every column of a database for a question: names, evidence, cells, embeddings, cue words, examples."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from nl2sql.online.context import DatabaseContext
from nl2sql.online.cue_words import cued_words
from nl2sql.online.find_literals import shorten
from nl2sql.online.words import Vocabulary, compact, identifier_words, lemma, text_words
from nl2sql.rows import CellMatch, Grounding, Question

# Weights of the sum, from what each signal says when it is there: the evidence names columns outright, a cell that
# stands in one column nearly so; a name may be an everyday word; cosines and cues only rank what nothing else tells.
# Not delicate: 40 % more or less of any one moved S2's strict recall by three points at most where they were chosen.
WEIGHTS = {
    "evidence": 1.0,
    "cell": 0.9,
    "name": 0.8,
    "table": 0.5,
    "embedding": 0.5,
    "cue": 0.3,
    "label": 0.25,
    "example": 0.15,
}
# Three ways of naming a column: evidence mostly repeats what a name or cell says already. Added up, one column that is
# named thrice would push the others under a threshold that is relative to the best.
NAMING = ("evidence", "cell", "name")
COSINE_FLOOR, COSINE_SPAN = 0.15, 0.5  # cosines of MiniLM between a question and a short summary lie mostly between
TABLE_WORD = 0.5  # weight of a name's word that only repeats its table: 'event' in event.event_name
ID_WORD = 0.5  # weight of 'id' and the like, which questions seldom mean
PROSE_MENTION = 0.5  # a column named in the prose of the evidence, not in a formula: may be an everyday word
OTHER_TABLE = 0.4  # factor for a column when the evidence names another table's one of the same name
TABLE_TIE = 0.1  # tables whose standing differs by less are equally likely meant
METHOD_TRUST = {
    "exact": 1.0,
    "casefold": 0.95,
    "folded": 0.9,
    "evidence": 1.0,
    "date": 0.7,
    "shape": 0.7,
    "number": 0.5,
}
FUZZY_TRUST = 0.7
DOUBTFUL = 0.5  # factor for literals that are very short, or the name of a table as well ("members", 'Member')
SPLIT_NAME = 0.4  # factor for a part of a name where another table holds more of its parts
SHORT_LITERAL = 3  # characters; shorter literals stand in cells by chance
LABEL_WORDS = frozenset({"name", "title", "label", "fullname"})
NAMING_WORDS = LABEL_WORDS | {"surname", "forename", "firstname", "lastname", "first", "last"}
ID_WORDS = frozenset({"id", "key", "code", "uuid"})
MENTION_WORDS = 4  # words of the longest column name looked for in evidence as written

_TOKEN = re.compile(r"[^\W_]+|_")
_SQL_NAME = re.compile(r"`[^`]+`|\"[^\"]+\"|\w+")
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_QUALIFIED = re.compile(r"[^\W_]+(?:_+[^\W_]+)*(?:\.\w+)?")
_FORMULA = re.compile(r"\brefers?(?:\s+to)?\b|\bmeans?\b|=|\bis\b|\bstands?\s+for\b", re.I)
_OPERATOR = re.compile(r"[=<>(]|\bLIKE\b|\bBETWEEN\b|\bIN\b|\bIS\b")


@dataclass(frozen=True)
class Scores:
    """One row of signals per column in schema order, each 0..1; `tables` is each table's standing
    and `mentions` how much of its name the question says, 0..1."""

    signals: dict[str, np.ndarray]
    tables: np.ndarray
    mentions: np.ndarray
    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)

    @cached_property
    def total(self) -> np.ndarray:
        """The weighted sum, in which of the signals that say that a column is named only the strongest counts."""
        parts = {name: self.weights[name] * values for name, values in self.signals.items()}
        named = np.maximum.reduce([parts[name] for name in NAMING])
        return named + np.sum([values for name, values in parts.items() if name not in NAMING], axis=0)


class ColumnScorer:
    """What of a schema is the same for every question, computed once."""

    def __init__(self, context: DatabaseContext, weights: Mapping[str, float] = WEIGHTS) -> None:
        """Read names, spelled-out names and roles of all columns; linear in their number."""
        self.weights = weights
        self.columns = context.schema.column_names
        self.tables = [t.name for t in context.schema.tables]
        place = {name: i for i, name in enumerate(self.tables)}
        self.table_of = np.array([place[c.table] for c in self.columns], dtype=np.int64)
        self._place = {(c.table, c.column): i for i, c in enumerate(self.columns)}
        expanded = {(p.table, p.column): p.expanded_name for p in context.profiles}
        self._table_words = [identifier_words(name) for name in self.tables]
        self._table_lemmas = {lemma(compact(name)) for name in self.tables}
        self._names = [
            [identifier_words(n) for n in (c.column, expanded.get((c.table, c.column), "")) if n.strip()]
            for c in self.columns
        ]
        self._name_words = [{w for name in names for w in name} for names in self._names]
        self._compact: dict[str, list[int]] = defaultdict(list)
        for i, c in enumerate(self.columns):
            for name in {compact(c.column), compact(expanded.get((c.table, c.column), ""))} - {""}:
                self._compact[name].append(i)
        names = {name: i for i, name in enumerate(dict.fromkeys(compact(c.column) or c.column for c in self.columns))}
        self._groups = np.array([names[compact(c.column) or c.column] for c in self.columns], dtype=np.int64)
        self._namesakes = np.sqrt(np.bincount(self._groups))[self._groups] if len(names) else np.ones(0)
        self._index_words()
        self.keys = _key_places(context, self._place)
        self.labels = np.array([bool(LABEL_WORDS & words) for words in self._name_words])
        self.naming = np.array([bool(NAMING_WORDS & words) for words in self._name_words], dtype=bool)

    def place(self, table: str, column: str) -> int | None:
        """Where a column stands in the arrays, None for one that the schema has not."""
        return self._place.get((table, column))

    def _index_words(self) -> None:
        counts = Counter(w for words in self._name_words for w in words)
        words = sorted(counts | Counter(w for t in self._table_words for w in t))
        self._word_place = {w: i for i, w in enumerate(words)}
        self._vocabulary = Vocabulary(words)
        rows = []  # (alternative name, word, weight)
        owners = []
        for column, names in enumerate(self._names):
            own = set(self._table_words[self.table_of[column]])
            for name in names:
                if not name:
                    continue
                for word in name:
                    weight = 1.0 / (1.0 + math.log(counts[word]))
                    weight *= TABLE_WORD if word in own and len(set(name) - own) else 1.0
                    rows.append((len(owners), self._word_place[word], weight * (ID_WORD if word in ID_WORDS else 1.0)))
                owners.append(column)
        self._alternatives = np.array(owners, dtype=np.int64)
        table = np.array(rows, dtype=np.float64).reshape(-1, 3)
        self._rows, self._row_words, self._row_weights = table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2]
        self._row_totals = np.bincount(self._rows, self._row_weights, len(owners))

    def score(self, question: Question, grounding: Grounding) -> Scores:
        """Score all columns for one question."""
        text, evidence = shorten(question.question), shorten(question.evidence)
        words = text_words(text) + text_words(evidence)
        alike = self._similarities(words)
        signals = {
            "name": self._named(alike),
            "evidence": self._mentioned(evidence),
            "cell": self._celled(grounding),
            "embedding": self._near(grounding),
            "cue": self._cued(text),
            "example": self._exemplified(grounding),
        }
        mentions = self._table_mentions(alike)
        tables = self._table_standing(mentions, signals)
        for name in ("name", "evidence"):
            signals[name] = self._in_meant_table(signals[name], tables)
        signals["table"] = tables[self.table_of] if len(tables) else np.zeros(0)
        signals["label"] = signals["table"] * self.labels
        return Scores(signals, tables, mentions, self.weights)

    def _similarities(self, words: Sequence[str]) -> np.ndarray:
        alike = np.zeros(len(self._word_place))
        for word, score in self._vocabulary.matches(words).items():
            alike[self._word_place[word]] = score
        return alike

    def _named(self, alike: np.ndarray) -> np.ndarray:
        """The share of a name's words, by weight, that the question has; of several spellings the best."""
        covered = np.bincount(self._rows, self._row_weights * alike[self._row_words], len(self._alternatives))
        named = np.zeros(len(self.columns))
        if len(covered):
            np.maximum.at(named, self._alternatives, covered / self._row_totals)
        return named

    def _mentioned(self, evidence: str) -> np.ndarray:
        """Columns that stand in the evidence as they are written, in formulas above all."""
        mentioned = np.zeros(len(self.columns))
        for clause in re.split(r"[;\n]", evidence):
            split = _FORMULA.search(clause)
            formula = clause[split.start() :] if split else clause if _OPERATOR.search(clause) else ""
            if _OPERATOR.search(clause):
                formula = clause if "refer" not in clause else formula
            self._mark(mentioned, clause, PROSE_MENTION)
            self._mark(mentioned, formula, 1.0)
        return mentioned

    def _mark(self, mentioned: np.ndarray, text: str, value: float) -> None:
        tokens = _QUALIFIED.findall(text)
        for start in range(len(tokens)):
            for size in range(1, MENTION_WORDS + 1):
                run = tokens[start : start + size]
                if len(run) < size:
                    break
                table, _, column = run[0].rpartition(".") if size == 1 else ("", "", "".join(run))
                for i in self._compact.get(compact(column), ()):
                    other = table and compact(table) != compact(self.columns[i].table)
                    mentioned[i] = max(mentioned[i], value * (OTHER_TABLE if other else 1.0))

    def _celled(self, grounding: Grounding) -> np.ndarray:
        """Columns that hold a literal, less sure the more columns hold it."""
        celled = np.zeros(len(self.columns))
        holders: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for cell in grounding.cells:
            holders[cell.literal.casefold()].add((cell.table, cell.column))
        split = _split_names(grounding)
        for cell in grounding.cells:
            place = self.place(cell.table, cell.column)
            if place is not None:
                strength = cell.score * self._trust(cell) / math.sqrt(len(holders[cell.literal.casefold()]))
                strength *= SPLIT_NAME if (cell.literal, cell.table) in split else 1.0
                celled[place] = max(celled[place], strength)
        return celled

    def _trust(self, cell: CellMatch) -> float:
        trust = METHOD_TRUST.get(cell.method, FUZZY_TRUST)
        is_short, is_name = len(cell.literal) < SHORT_LITERAL, lemma(cell.literal) in self._table_lemmas
        return trust * (DOUBTFUL if is_short or (is_name and cell.method not in ("exact", "evidence")) else 1.0)

    def _near(self, grounding: Grounding) -> np.ndarray:
        near = np.zeros(len(self.columns))
        for hit in grounding.columns:
            place = self.place(hit.table, hit.column)
            if place is not None:
                near[place] = min(1.0, max(0.0, (hit.score - COSINE_FLOOR) / COSINE_SPAN))
        return near

    def _cued(self, text: str) -> np.ndarray:
        words = [w.casefold() for w in _TOKEN.findall(text) if w != "_"]
        pairs = {f"{a}_{b}" for a, b in pairwise(words)}
        pairs |= {"year"} if _YEAR.search(text) else set()
        targets = cued_words(set(words) | set(text_words(text)) | pairs)
        return np.array([float(bool(targets & words)) for words in self._name_words])

    def _exemplified(self, grounding: Grounding) -> np.ndarray:
        """How often similar questions' queries use a column of that name."""
        found = np.zeros(len(self.columns))
        for example in grounding.examples:
            # A parse would cost more than all other signals together and find the same names.
            for name in {compact(word) for word in _SQL_NAME.findall(example.sql)}:
                found[self._compact.get(name, [])] += 1.0
        return np.minimum(found / max(1, len(grounding.examples)) * 2, 1.0)

    def _table_mentions(self, alike: np.ndarray) -> np.ndarray:
        words = ([alike[self._word_place[w]] for w in words] for words in self._table_words)
        return np.array([np.mean(w) if w else 0.0 for w in words])

    def _table_standing(self, mentions: np.ndarray, signals: dict[str, np.ndarray]) -> np.ndarray:
        """A table stands as high as the question's mention of its name or its best column's sure signals."""
        standing = mentions.copy()
        sure = np.maximum(0.8 * signals["evidence"] / self._namesakes, signals["cell"])
        sure = np.maximum(sure, 0.7 * signals["name"] ** 2 / self._namesakes)
        np.maximum.at(standing, self.table_of, sure)
        return standing

    def _in_meant_table(self, signal: np.ndarray, tables: np.ndarray) -> np.ndarray:
        """Lower a signal for columns whose namesake stands in a table that is likelier meant."""
        if not len(signal):
            return signal
        standing = tables[self.table_of]
        best = np.zeros(self._groups.max() + 1)
        np.maximum.at(best, self._groups, standing)
        return np.where(standing < best[self._groups] - TABLE_TIE, OTHER_TABLE, 1.0) * signal


def _split_names(grounding: Grounding) -> set[tuple[str, str]]:
    """Literals with tables that hold less of a name than another: of 'Elijah Allen' a city Allen."""
    tables: dict[str, set[str]] = defaultdict(set)
    for cell in grounding.cells:
        tables[cell.literal].add(cell.table)
    found = set()
    for name in grounding.literals:
        parts = [p for p in name.split() if p in tables] if " " in name else []
        counts = Counter(t for part in parts for t in tables[part])
        most = max(counts.values(), default=0)
        found |= {(p, t) for p in parts for t in tables[p] if counts[t] < most}
    return found


def _key_places(context: DatabaseContext, place: dict[tuple[str, str], int]) -> np.ndarray:
    """Which columns are keys: primary, or either end of a declared foreign key."""
    keys = np.zeros(len(place), dtype=bool)
    for table in context.schema.tables:
        for column in table.primary_key:
            keys[place[table.name, column]] = True
    for key in context.schema.foreign_keys:
        if key.declared:
            keys[place[key.table, key.column]] = keys[place[key.to_table, key.to_column]] = True
    return keys


def reasons(scores: Scores, place: int, least: float = 0.3) -> Iterable[str]:
    """The signals that speak for a column, strongest first."""
    parts = {n: scores.weights[n] * v[place] for n, v in scores.signals.items() if v[place] >= least}
    return sorted(parts, key=lambda n: -parts[n])
