"""Training questions that give dev questions away: the same database, the same words, the same SQL, a paraphrase.

Thresholds were measured with all-MiniLM-L6-v2 on published questions (docs/training-data.md has the table). Two
wordings of one question are at least 0.75 apart for 84 to 89 % of pairs; of BIRD's 6,601 training questions, none of
which asks a database of dev, 1 comes so near to one of BIRD's dev and 17 to one of Spider's.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from nl2sql.indexes.embedding import Embed, embed
from nl2sql.rows import Question
from nl2sql.skeletons import mask_question, sql_names, sql_skeleton
from nl2sql.training.rows import Leak

PARAPHRASE = 0.75  # cosine from which two questions are taken for one
TEMPLATE = 0.5  # the same when the skeletons of question and SQL are equal, too
ROWS_AT_ONCE = 2048
WORD = re.compile(r"\w+")


def check_leakage(train: Sequence[Question], dev: Sequence[Question], embed: Embed = embed) -> list[Leak]:
    """The training questions that may not be learnt from, in their order, each with the surest reason.

    Without dev questions there is nothing to give away. Not covered: a dev question in another language, or one whose
    words share nothing with its paraphrase.
    """
    if not train or not dev:
        return []
    vectors = embed([q.question for q in train]), embed([q.question for q in dev])
    nearest, similarities = _nearest(*vectors)
    found = _by_database(train, dev)
    for place, other in _same_words(train, dev):
        found.setdefault(place, ("question", other))
    for place, other in _same_query(train, dev):
        found.setdefault(place, ("query", other))
    for place in np.flatnonzero(similarities >= PARAPHRASE):
        found.setdefault(int(place), ("paraphrase", int(nearest[place])))
    for place, other in _same_template(train, dev):
        if vectors[0][place] @ vectors[1][other] >= TEMPLATE:
            found.setdefault(place, ("template", other))
    near = {p: float(vectors[0][p] @ vectors[1][j]) if j >= 0 else 0.0 for p, (_, j) in found.items()}
    return [_leak(train[p], kind, dev[j] if j >= 0 else None, near[p]) for p, (kind, j) in sorted(found.items())]


def words_of(question: str) -> tuple[str, ...]:
    """The words of a question, whatever their case and the signs between them."""
    return tuple(WORD.findall(question.casefold()))


def _by_database(train: Sequence[Question], dev: Sequence[Question]) -> dict[int, tuple[str, int]]:
    asked = {q.db_id.casefold() for q in dev}
    return {i: ("database", -1) for i, q in enumerate(train) if q.db_id.casefold() in asked}


def _same_words(train: Sequence[Question], dev: Sequence[Question]) -> Iterable[tuple[int, int]]:
    places = {words_of(q.question): i for i, q in enumerate(dev) if words_of(q.question)}
    return [(i, places[w]) for i, q in enumerate(train) if (w := words_of(q.question)) in places]


def _same_query(train: Sequence[Question], dev: Sequence[Question]) -> Iterable[tuple[int, int]]:
    """Equal SQL that names a value: COUNT(*) FROM customers is anybody's."""
    places = {words_of(q.gold_sql): i for i, q in enumerate(dev) if sql_names(q.gold_sql).literals}
    return [(i, places[w]) for i, q in enumerate(train) if (w := words_of(q.gold_sql)) in places and w]


def _same_template(train: Sequence[Question], dev: Sequence[Question]) -> list[tuple[int, int]]:
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, question in enumerate(dev):
        places[_skeletons(question)].append(i)
    return [(i, j) for i, q in enumerate(train) if q.gold_sql for j in places.get(_skeletons(q), ())]


def _skeletons(question: Question) -> tuple[str, str]:
    names = sql_names(question.gold_sql)
    masked = mask_question(question.question, names.literals, names.columns)
    return masked.casefold(), sql_skeleton(question.gold_sql)


def _nearest(train: np.ndarray, dev: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each training question the nearest of dev, and their cosine."""
    places, best = np.zeros(len(train), np.int64), np.zeros(len(train), np.float32)
    for start in range(0, len(train), ROWS_AT_ONCE):
        cosines = train[start : start + ROWS_AT_ONCE] @ dev.T
        places[start : start + ROWS_AT_ONCE] = cosines.argmax(axis=1)
        best[start : start + ROWS_AT_ONCE] = cosines.max(axis=1)
    return places, best


def _leak(question: Question, kind: str, given: Question | None, similarity: float) -> Leak:
    return Leak(
        question_id=question.question_id,
        db_id=question.db_id,
        question=question.question,
        kind=kind,
        dev_question_id=given.question_id if given else "",
        dev_db_id=given.db_id if given else question.db_id,
        dev_question=given.question if given else "",
        similarity=round(similarity, 4),
    )
