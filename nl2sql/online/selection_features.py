"""What speaks for each result of a question: the named features that a selection policy weighs."""

import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nl2sql.online.candidate_weights import ACCURACY, RAN, accuracy_of, system_of, weigh_candidates
from nl2sql.online.sql_facts import SqlFacts, read_facts
from nl2sql.rows import Grounding, Linking, Question, Repair

FAINTEST_SHARE = 0.01  # below which a share of the votes says nothing more
SURE_CELL = 0.8  # score from which a matched cell counts as meant
LONGEST_PREVIEW = 20_000  # characters; longer previews are not compared


@dataclass(frozen=True)
class Pool:
    """One question's candidates that ran, by result, with what the features need of them."""

    question: Question
    grounding: Grounding | None
    linking: Linking | None
    accuracies: Mapping[str, float]
    candidates: tuple[Repair, ...]  # those that ran
    facts: tuple[SqlFacts, ...]  # one per candidate
    voices: np.ndarray  # (candidates,), one voice per system whatever its accuracy; sum to 1
    digests: tuple[str, ...]  # one per result, in order of appearance
    members: tuple[np.ndarray, ...]  # indices of its candidates, per result

    def share(self, key: Callable[[Repair], object]) -> np.ndarray:
        """Per result the weight of all candidates that have the same `key` as its first member."""
        keys = [key(c) for c in self.candidates]
        held: dict[object, float] = defaultdict(float)
        for k, weight in zip(keys, self.voices, strict=True):
            held[k] += float(weight)
        return np.array([held[keys[m[0]]] for m in self.members])

    def mean(self, values: Sequence[float] | np.ndarray) -> np.ndarray:
        """Per result the mean of one value per candidate."""
        values = np.asarray(values, dtype=np.float64)
        return np.array([values[m].mean() for m in self.members])

    @property
    def first(self) -> list[Repair]:
        """Per result its first candidate."""
        return [self.candidates[m[0]] for m in self.members]


def gather_pool(
    question: Question,
    candidates: Sequence[Repair],
    accuracies: Mapping[str, float],
    grounding: Grounding | None = None,
    linking: Linking | None = None,
) -> Pool:
    """Group one question's candidates by result. Without a grounding or a linking their features are 0."""
    voices = weigh_candidates(candidates, dict.fromkeys((system_of(c.generator) for c in candidates), ACCURACY))
    ran = tuple(c for c in candidates if c.outcome in RAN)
    members: dict[str, list[int]] = defaultdict(list)
    for place, candidate in enumerate(ran):
        members[candidate.result_digest].append(place)
    held = np.array([voices[c.candidate_id] for c in ran])
    return Pool(
        question,
        grounding,
        linking,
        accuracies,
        ran,
        tuple(read_facts(c.sql) for c in ran),
        held / held.sum() if len(held) else held,
        tuple(members),
        tuple(np.array(m) for m in members.values()),
    )


def measure(pool: Pool, features: Mapping[str, Callable[[Pool], np.ndarray]]) -> np.ndarray:
    """The features of each result of a pool: (results, features), float64. They are compared within one question
    only, so that what is the same for all its results does not matter.
    """
    if not pool.digests or not features:
        return np.zeros((len(pool.digests), len(features)))
    return np.stack([feature(pool) for feature in features.values()], axis=1)


def _log(shares: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(shares, FAINTEST_SHARE))


def votes(pool: Pool) -> np.ndarray:
    """Log of the result's share of the candidates that ran."""
    return _log(np.array([len(m) for m in pool.members]) / len(pool.candidates))


def weight(pool: Pool) -> np.ndarray:
    """Log of its share of the weight: one voice per system, as loud as the system is accurate."""
    odds = [_odds(accuracy_of(c.generator, pool.accuracies)) for c in pool.candidates]
    voices = pool.voices * np.array(odds)
    held = np.array([max(0.0, float(voices[m].sum())) for m in pool.members])
    return _log(held / max(held.sum(), 1e-9))


def best_generator(pool: Pool) -> np.ndarray:
    """Log-odds of the accuracy of the best generator that gave it."""
    odds = np.array([_odds(accuracy_of(c.generator, pool.accuracies)) for c in pool.candidates])
    return np.array([odds[m].max() for m in pool.members])


def _odds(accuracy: float) -> float:
    accuracy = min(max(accuracy, 0.05), 0.95)
    return math.log(accuracy / (1 - accuracy))


def systems(pool: Pool) -> np.ndarray:
    """Share of the systems that gave it."""
    names = [system_of(c.generator) for c in pool.candidates]
    total = len(set(names))
    return np.array([len({names[i] for i in m}) / total for m in pool.members])


def empty(pool: Pool) -> np.ndarray:
    """1 for no rows."""
    return np.array([float(c.outcome == "empty") for c in pool.first])


def all_null(pool: Pool) -> np.ndarray:
    """1 for nothing but NULL."""
    return np.array([float(c.outcome == "all_null") for c in pool.first])


def zero(pool: Pool) -> np.ndarray:
    """1 for a single 0."""
    return np.array([float(_cells(c.preview) in (frozenset({"0"}), frozenset({"0.0"}))) for c in pool.first])


def repaired(pool: Pool) -> np.ndarray:
    """Share of its candidates whose statement was repaired."""
    return pool.mean([float(c.sql != c.sql_before) for c in pool.candidates])


def same_width(pool: Pool) -> np.ndarray:
    """Log of the weight of all candidates with as many columns."""
    return _log(pool.share(lambda c: c.column_count))


def same_height(pool: Pool) -> np.ndarray:
    """Log of the weight of all candidates with as many rows."""
    return _log(pool.share(lambda c: c.row_count))


def overlap(pool: Pool) -> np.ndarray:
    """How much of its first rows' values the other candidates' results hold: weighted mean Jaccard index."""
    return _alikeness([_cells(c.preview) for c in pool.first], pool)


def _alikeness(cells: Sequence[frozenset[str]], pool: Pool) -> np.ndarray:
    held = np.array([pool.voices[m].sum() for m in pool.members])
    return _jaccard(cells) @ held


def _jaccard(sets: Sequence[frozenset[str]]) -> np.ndarray:
    """Jaccard index of every pair, (n, n); two empty sets are alike."""
    words = {w: i for i, w in enumerate(dict.fromkeys(w for s in sets for w in s))}
    hot = np.zeros((len(sets), max(1, len(words))), dtype=np.float32)
    for row, found in zip(hot, sets, strict=True):
        row[[words[w] for w in found]] = 1
    both, sizes = hot @ hot.T, hot.sum(axis=1)
    union = sizes[:, None] + sizes[None, :] - both
    return np.where(union > 0, both / np.maximum(union, 1), 1.0)


@lru_cache(maxsize=50_000)
def _cells(preview: str) -> frozenset[str]:
    if len(preview) > LONGEST_PREVIEW:
        return frozenset()
    try:
        return frozenset(str(v) for row in json.loads(preview or "{}").get("rows", ()) for v in row)
    except ValueError:
        return frozenset()


def wording(pool: Pool) -> np.ndarray:
    """How alike its statements are to all candidates': weighted mean Jaccard index of names, values and clauses."""
    return pool.mean(_jaccard([f.pieces for f in pool.facts]) @ pool.voices)


def cells(pool: Pool) -> np.ndarray:
    """Share of the literals matched in the database whose value its statements hold."""
    meant: dict[str, set[str]] = defaultdict(set)
    for cell in pool.grounding.cells if pool.grounding else ():
        if cell.score >= SURE_CELL:
            meant[cell.literal.casefold()].add(cell.value.casefold())
    return pool.mean([_share([not f.strings.isdisjoint(v) for v in meant.values()]) for f in pool.facts])


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else 0.0


def foreign_strings(pool: Pool) -> np.ndarray:
    """Share of its strings that neither the question, nor the evidence, nor a matched cell holds."""
    text = f"{pool.question.question} {pool.question.evidence}".casefold()
    known = {c.value.casefold() for c in (pool.grounding.cells if pool.grounding else ())}
    return pool.mean([_share([s.strip("%") not in text and s not in known for s in f.strings]) for f in pool.facts])


def linked(pool: Pool) -> np.ndarray:
    """Share of the columns of the precise view that its statements name."""
    names = {link.column.casefold() for link in (pool.linking.links if pool.linking else ()) if link.view == 1}
    return pool.mean([_share([n in f.pieces or n in f.words for n in names]) for f in pool.facts])


def unlinked(pool: Pool) -> np.ndarray:
    """Share of the linked columns that its statements name which only the view for recall holds."""
    views: dict[str, int] = {}
    for link in pool.linking.links if pool.linking else ():
        name = link.column.casefold()
        views[name] = min(link.view, views.get(name, 2))
    return pool.mean([_share([v == 2 for n, v in views.items() if n in f.words]) for f in pool.facts])


_QUOTED = re.compile(r"""(?<!\w)['"`“‘]([^'"`”’]+)['"`”’](?!\w)""")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w])")
_NAME = re.compile(r"\b(\w+)\s*(?:=|>|<|!=|LIKE|BETWEEN|IS|IN\b)", re.IGNORECASE)
_FUNCTION = re.compile(r"\b(SUM|COUNT|AVG|MIN|MAX|DIVIDE|SUBTRACT|MULTIPLY|PERCENTAGE)\s*\(", re.IGNORECASE)
_WRITTEN = {"divide": ("/",), "subtract": ("-",), "multiply": ("*",), "percentage": ("/", "100")}


def evidence(pool: Pool) -> np.ndarray:
    """Share of what the evidence spells out (values, numbers, columns, functions) that its statements hold."""
    asked = _asked(pool.question.evidence)
    return pool.mean(
        [
            _share([not f.pieces.isdisjoint(ways) or not f.strings.isdisjoint(ways) for ways in asked])
            for f in pool.facts
        ]
    )


@lru_cache(maxsize=10_000)
def _asked(text: str) -> tuple[frozenset[str], ...]:
    asked = [{m.group(1).casefold()} for m in _QUOTED.finditer(text)]
    asked += [{m.group()} for m in _NUMBER.finditer(text)]
    asked += [{m.group(1).casefold()} for m in _NAME.finditer(text)]
    asked += [{*_WRITTEN.get(m.group(1).casefold(), ()), m.group(1).casefold()} for m in _FUNCTION.finditer(text)]
    return tuple(dict.fromkeys(frozenset(a) for a in asked))


def numbers(pool: Pool) -> np.ndarray:
    """Share of the question's numbers that its statements hold."""
    asked = [m.group() for m in _NUMBER.finditer(pool.question.question)]
    return pool.mean([_share([any(n in s for s in (f.numbers | f.strings)) for n in asked]) for f in pool.facts])


# A cue of the question, and the words of which a statement that follows it has one.
_CUES = (
    (re.compile(r"\bhow many\b|\bnumber of\b|\bcount\b", re.IGNORECASE), ("count", "sum")),
    (re.compile(r"\baverage\b|\bmean\b", re.IGNORECASE), ("avg", "sum")),
    (re.compile(r"\bpercentage\b|\bpercent\b|\bratio\b", re.IGNORECASE), ("count", "sum", "avg")),
    (re.compile(r"\btotal\b|\bin all\b", re.IGNORECASE), ("sum", "count", "total")),
    (re.compile(r"\b(?!(?:at|interest|request|forest)\b)\w+est\b|\bmost\b", re.IGNORECASE), ("limit", "max", "min")),
    (re.compile(r"\bor\b|\beither\b", re.IGNORECASE), ("or", "in", "union")),
    (re.compile(r"\b(?:not|without|never|no)\b|n't\b", re.IGNORECASE), ("not", "except", "<>", "null", "exists")),
    (re.compile(r"\b(?:each|every|per)\b", re.IGNORECASE), ("group",)),
)


def cues(pool: Pool) -> np.ndarray:
    """Share of the question's cues (how many, average, most, each, not ...) that its statements follow."""
    asked = [words for cue, words in _CUES if cue.search(pool.question.question)]
    return pool.mean([_share([f.has(*words) for words in asked]) for f in pool.facts])


def uncued(pool: Pool) -> np.ndarray:
    """Clauses that nothing in the question or the evidence asks for: LIMIT, DISTINCT, GROUP BY, aggregates; a count."""
    text = f"{pool.question.question} {pool.question.evidence}"
    unasked = [words for cue, words in _UNASKED if not cue.search(text)]
    return pool.mean([sum(f.has(*words) for words in unasked) for f in pool.facts])


_UNASKED = (
    (re.compile(r"est\b|\bmost\b|\bleast\b|\btop\b|\bfirst\b|\blast\b|\bm(?:ax|in)|\d", re.IGNORECASE), ("limit",)),
    (re.compile(r"average|mean|avg|percent|ratio", re.IGNORECASE), ("avg",)),
    (
        re.compile(r"many|number|count|total|sum|percent|ratio|most|least|average|each|than", re.IGNORECASE),
        ("count", "sum"),
    ),
)


def brevity(pool: Pool) -> np.ndarray:
    """How much shorter its shortest statement is than the middle one: difference of logs."""
    lengths = np.log([max(1, f.length) for f in pool.facts])
    return np.median(lengths) - np.array([lengths[m].min() for m in pool.members])


FEATURES: dict[str, Callable[[Pool], np.ndarray]] = {
    f.__name__: f
    for f in (
        votes, systems, empty, all_null, zero, repaired, same_width, same_height, overlap, wording, cells,
        foreign_strings, linked, unlinked, evidence, numbers, cues, uncued, brevity,
    )
}  # fmt: skip
# These depend on what is known of the generators, the others on the pool alone.
ACCURACY_FEATURES: dict[str, Callable[[Pool], np.ndarray]] = {f.__name__: f for f in (weight, best_generator)}
