"""Score every column of a database for a question: names, evidence, cells, embeddings, cue words, examples."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nl2sql.online.context import DatabaseContext
from nl2sql.online.cue_words import cued_words
from nl2sql.online.find_literals import shorten
from nl2sql.online.words import Vocabulary, compact, identifier_words, text_words
from nl2sql.rows import CellMatch, Grounding, Question
from nl2sql.skeletons import sql_names

# Weights of the sum, from what each signal says when it is there: the evidence names columns outright, a cell that
# stands in one column nearly so; a name may be an everyday word; cosines and cues only rank what nothing else tells.
WEIGHTS = {
    "evidence": 1.0,
    "cell": 0.9,
    "name": 0.8,
    "table": 0.5,
    "embedding": 0.4,
    "cue": 0.3,
    "label": 0.25,
    "example": 0.15,
}
COSINE_FLOOR, COSINE_SPAN = 0.15, 0.5  # cosines of MiniLM between a question and a short summary lie mostly between
TABLE_WORD = 0.5  # weight of a name's word that only repeats its table: 'event' in event.event_name
ID_WORD = 0.5  # weight of 'id' and the like, which questions seldom mean
PROSE_MENTION = 0.5  # a column named in the prose of the evidence, not in a formula: may be an everyday word
OTHER_TABLE = 0.4  # factor for a column when the evidence names another table's one of the same name
METHOD_TRUST = {"exact": 1.0, "casefold": 0.95, "evidence": 1.0, "date": 0.7, "shape": 0.7, "number": 0.5}
FUZZY_TRUST = 0.7
SHORT_LITERAL = 3  # characters; shorter literals stand in cells by chance
LABEL_WORDS = frozenset({"name", "title", "label", "fullname"})
ID_WORDS = frozenset({"id", "key", "code", "uuid"})
MENTION_WORDS = 4  # words of the longest column name looked for in evidence as written

_TOKEN = re.compile(r"[^\W_]+|_")
_IDENTIFIER = re.compile(r"[^\W]+(?:\.[^\W]+)?")
_FORMULA = re.compile(r"\brefers?(?:\s+to)?\b|\bmeans?\b|=|\bis\b|\bstands?\s+for\b", re.I)
_OPERATOR = re.compile(r"[=<>(]|\bLIKE\b|\bBETWEEN\b|\bIN\b|\bIS\b")


@dataclass(frozen=True)
class Scores:
    """One row of signals per column in schema order, each 0..1; `tables` is each table's standing, 0..1."""

    signals: dict[str, np.ndarray]
    tables: np.ndarray

    @cached_property
    def total(self) -> np.ndarray:
        """The weighted sum."""
        return np.sum([WEIGHTS[name] * values for name, values in self.signals.items()], axis=0)


class ColumnScorer:
    """What of a schema is the same for every question, computed once."""

    def __init__(self, context: DatabaseContext) -> None:
        """Read names, spelled-out names and roles of all columns; linear in their number."""
        self.columns = context.schema.column_names
        self.tables = [t.name for t in context.schema.tables]
        place = {name: i for i, name in enumerate(self.tables)}
        self.table_of = np.array([place[c.table] for c in self.columns], dtype=np.int64)
        self._place = {(c.table, c.column): i for i, c in enumerate(self.columns)}
        expanded = {(p.table, p.column): p.expanded_name for p in context.profiles}
        self._table_words = [identifier_words(name) for name in self.tables]
        self._names = [
            [identifier_words(n) for n in {c.column, expanded.get((c.table, c.column), "")} if n.strip()]
            for c in self.columns
        ]
        self._compact: dict[str, list[int]] = defaultdict(list)
        for i, c in enumerate(self.columns):
            for name in {compact(c.column), compact(expanded.get((c.table, c.column), ""))} - {""}:
                self._compact[name].append(i)
        self._table_compact = {compact(name): i for name, i in place.items()}
        self._index_words()
        self.keys = _key_places(context, self._place)
        self.labels = np.array([bool(LABEL_WORDS & {w for n in names for w in n}) for names in self._names])

    def place(self, table: str, column: str) -> int | None:
        """Where a column stands in the arrays, None for one that the schema has not."""
        return self._place.get((table, column))

    def _index_words(self) -> None:
        counts = Counter(w for names in self._names for w in {w for n in names for w in n})
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
            "cell": self._celled(grounding.cells),
            "embedding": self._near(grounding),
            "cue": self._cued(text),
            "example": self._exemplified(grounding),
        }
        tables = self._table_standing(alike, signals)
        signals["table"] = tables[self.table_of] if len(tables) else np.zeros(0)
        signals["label"] = signals["table"] * self.labels
        return Scores(signals, tables)

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
        tokens = [t for t in re.findall(r"[^\W_]+(?:_+[^\W_]+)*(?:\.\w+)?", text)]
        for start in range(len(tokens)):
            for size in range(1, MENTION_WORDS + 1):
                run = tokens[start : start + size]
                if len(run) < size:
                    break
                table, _, column = run[0].rpartition(".") if size == 1 else ("", "", "".join(run))
                for i in self._compact.get(compact(column), ()):
                    other = table and compact(table) != compact(self.columns[i].table)
                    mentioned[i] = max(mentioned[i], value * (OTHER_TABLE if other else 1.0))

    def _celled(self, cells: Sequence[CellMatch]) -> np.ndarray:
        """Columns that hold a literal, less sure the more columns hold it."""
        celled = np.zeros(len(self.columns))
        holders: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for cell in cells:
            holders[cell.literal.casefold()].add((cell.table, cell.column))
        for cell in cells:
            place = self.place(cell.table, cell.column)
            if place is not None:
                trust = METHOD_TRUST.get(cell.method, FUZZY_TRUST) * (0.5 if len(cell.literal) < SHORT_LITERAL else 1)
                strength = cell.score * trust / math.sqrt(len(holders[cell.literal.casefold()]))
                celled[place] = max(celled[place], strength)
        return celled

    def _near(self, grounding: Grounding) -> np.ndarray:
        near = np.zeros(len(self.columns))
        for hit in grounding.columns:
            place = self.place(hit.table, hit.column)
            if place is not None:
                near[place] = min(1.0, max(0.0, (hit.score - COSINE_FLOOR) / COSINE_SPAN))
        return near

    def _cued(self, text: str) -> np.ndarray:
        words = [w.casefold() for w in _TOKEN.findall(text) if w != "_"]
        pairs = {f"{a}_{b}" for a, b in zip(words, words[1:], strict=False)}
        targets = cued_words(set(words) | set(text_words(text)) | pairs)
        return np.array([float(any(targets & set(n) for n in names)) for names in self._names])

    def _exemplified(self, grounding: Grounding) -> np.ndarray:
        """How often similar questions' queries use a column of that name."""
        found = np.zeros(len(self.columns))
        for example in grounding.examples:
            for name in sql_names(example.sql).columns:
                for i in self._compact.get(compact(name), ()):
                    found[i] += 1.0
        return np.minimum(found / max(1, len(grounding.examples)) * 2, 1.0)

    def _table_standing(self, alike: np.ndarray, signals: dict[str, np.ndarray]) -> np.ndarray:
        """A table stands as high as the question's mention of its name or its best column's sure signals."""
        standing = np.zeros(len(self.tables))
        for i, words in enumerate(self._table_words):
            if words:
                standing[i] = np.mean([alike[self._word_place[w]] for w in words])
        sure = np.maximum(signals["evidence"] * 0.8, signals["cell"])
        sure = np.maximum(sure, 0.7 * signals["name"] ** 2)
        np.maximum.at(standing, self.table_of, sure)
        return standing


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
    parts = {n: WEIGHTS[n] * v[place] for n, v in scores.signals.items() if v[place] >= least}
    return sorted(parts, key=lambda n: -parts[n])
