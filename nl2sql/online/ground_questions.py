"""Op 5: what of a question is found in the database, by rules alone or with what a model read in it besides."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeVar

from nl2sql.online.context import DatabaseContext
from nl2sql.online.find_literals import Found, find_all_literals, shorten
from nl2sql.online.match_cells import match_cells
from nl2sql.online.turns import Turns
from nl2sql.rows import CellMatch, ColumnHit, ExampleHit, Grounding, Question
from nl2sql.skeletons import mask_question

Hit = TypeVar("Hit", CellMatch, ColumnHit)
CELL_LIMIT = 60  # matches kept per question
EXAMPLE_LIMIT = 8
COLUMN_LIMIT = 40  # column hits kept per question
HITS_PER_TEXT = 20  # column hits asked for per text
SPARE_EXAMPLES = 4  # asked for on top, since a question's own wording is taken out of them
KEYWORDS_SEARCHED = 8  # keywords whose meaning is looked up per question
SAME_TEXT = frozenset({"exact", "casefold", "folded", "evidence"})  # methods whose literal stands in a cell as it is
KEYWORD_WEIGHT = 0.9  # a hit of one keyword against one of the whole question: shorter texts reach higher cosines


@dataclass(frozen=True)
class Reading:
    """What a model read in a question. `guesses` are values that the text does not hold but may mean: 'F' for female.

    `skeleton` is the question with names and values masked as mask_question does it, '' when the model's is no such.
    """

    keywords: tuple[str, ...]
    literals: tuple[str, ...]  # as they stand in the question or its evidence
    guesses: tuple[str, ...]
    skeleton: str


# What was read in each question of a batch, None for one that could not be read; may wait until that is there.
Readings = Callable[[], Sequence[Reading | None]]
NOTHING_READ = Reading((), (), (), "")
TURNS = Turns()


def ground_questions(
    questions: Sequence[Question],
    context: DatabaseContext,
    *,
    cell_limit: int = CELL_LIMIT,
    example_limit: int = EXAMPLE_LIMIT,
    column_limit: int = COLUMN_LIMIT,
    same_database_examples: bool = False,
    readings: Readings | None = None,
) -> list[Grounding]:
    """Ground a batch of questions of one database, in their order.

    Literals come from the question and its evidence (quoted, capitalised, numbers, dates, codes, n-grams,
    right-hand sides) and are looked up as cells; each index is asked once per batch. A question is never its own
    example, and the examples of its own database are left out unless `same_database_examples`. Nothing here needs
    a model other than the embeddings behind the context; an installed en_core_web_sm adds noun phrases and
    entities. Of texts over 8,000 characters only the two ends are read.

    What a model read, which is asked for when the rules are done, joins what they found and takes nothing away: its
    keywords, its literals, the cells and columns that these lead to, up to the same limits again. Its guesses count
    only where a cell equals them. Its skeleton is the one that examples are searched with.
    """
    number = TURNS.draw()
    with TURNS.take(number):
        pieces = _by_rules(questions, context, cell_limit, column_limit)
    read = readings() if readings else None
    excluded = () if same_database_examples else (context.database.db_id,)
    with TURNS.take(number):
        if read is not None:
            pieces = _with_readings(pieces, read, context, cell_limit, column_limit)
        hits = context.examples.search(pieces.skeletons, example_limit + SPARE_EXAMPLES, exclude_databases=excluded)
    return [
        Grounding(
            question_id=question.question_id,
            db_id=question.db_id,
            keywords=found.keywords,
            literals=found.literals,
            skeleton=skeleton,
            cells=matches,
            columns=near,
            examples=_others(question, examples, example_limit),
        )
        for question, found, skeleton, matches, near, examples in zip(
            questions, pieces.found, pieces.skeletons, pieces.cells, pieces.columns, hits, strict=True
        )
    ]


@dataclass(frozen=True)
class Pieces:
    """What was found of a batch so far, by question."""

    found: Sequence[Found]
    cells: Sequence[tuple[CellMatch, ...]]
    columns: Sequence[tuple[ColumnHit, ...]]
    skeletons: Sequence[str]


def _by_rules(questions: Sequence[Question], context: DatabaseContext, cell_limit: int, column_limit: int) -> Pieces:
    found = find_all_literals((q.question, q.evidence) for q in questions)
    cells = match_cells(found, context, cell_limit)
    columns = _search_columns(list(map(_searched, questions, found)), context, column_limit)
    names = sorted({c.column for c in context.schema.column_names})
    skeletons = [_skeleton(question, matches, names) for question, matches in zip(questions, cells, strict=True)]
    return Pieces(found, cells, columns, skeletons)


def _with_readings(
    known: Pieces, read: Sequence[Reading | None], context: DatabaseContext, cell_limit: int, column_limit: int
) -> Pieces:
    readings = [reading or NOTHING_READ for reading in read]
    more = [_not_found(reading, found) for reading, found in zip(readings, known.found, strict=True)]
    return Pieces(
        [_united(found, reading) for found, reading in zip(known.found, readings, strict=True)],
        _joined(known.cells, match_cells(more, context, cell_limit)),
        _joined(known.columns, _search_keywords(more, context, column_limit)),
        [reading.skeleton or own for reading, own in zip(readings, known.skeletons, strict=True)],
    )


def _skeleton(question: Question, cells: Sequence[CellMatch], names: Sequence[str]) -> str:
    # All columns are masked where they are named: the examples were masked with those of their gold SQL, and what a
    # question names it mostly uses.
    values = {c.literal for c in cells if c.method in SAME_TEXT}
    return mask_question(shorten(question.question), sorted(values), names)


def _others(question: Question, hits: Sequence[ExampleHit], limit: int) -> tuple[ExampleHit, ...]:
    """Those hits that are not the question itself, whatever its id is there."""
    own = question.question.strip().casefold()
    same = [
        h.question.strip().casefold() == own or (h.question_id, h.db_id) == (question.question_id, question.db_id)
        for h in hits
    ]
    return tuple(h for h, is_same in zip(hits, same, strict=True) if not is_same)[:limit]


def _not_found(reading: Reading, known: Found) -> Found:
    """What to look up of a reading: literals that the rules have not, and guesses, of which only equal cells count."""
    fresh = [text for text in reading.literals if text not in known.literals]
    return Found(tuple(fresh), reading.guesses, (), tuple(k for k in reading.keywords if k not in known.keywords))


def _united(known: Found, reading: Reading) -> Found:
    literals = dict.fromkeys((*known.literals, *reading.literals))
    return replace(known, literals=tuple(literals), keywords=tuple(dict.fromkeys((*known.keywords, *reading.keywords))))


def _joined(known: Sequence[tuple[Hit, ...]], more: Sequence[tuple[Hit, ...]]) -> list[tuple[Hit, ...]]:
    """All hits of both, best first; a cell or column that both have keeps its better one."""
    joined = []
    for hits in map(chain, known, more):
        best: dict[tuple[str, ...], Hit] = {}
        for hit in sorted(hits, key=_best_first):
            best.setdefault(_place(hit), hit)
        joined.append(tuple(best.values()))
    return joined


def _best_first(hit: CellMatch | ColumnHit) -> tuple[float, int, tuple[str, ...]]:
    return -hit.score, -len(hit.literal) if isinstance(hit, CellMatch) else 0, _place(hit)


def _place(hit: CellMatch | ColumnHit) -> tuple[str, ...]:
    return (hit.table, hit.column, hit.value) if isinstance(hit, CellMatch) else (hit.table, hit.column)


def _search_keywords(found: Sequence[Found], context: DatabaseContext, limit: int) -> list[tuple[ColumnHit, ...]]:
    """The columns near the first keywords."""
    return _search_columns([_weighted(f.keywords[:KEYWORDS_SEARCHED]) for f in found], context, limit)


def _search_columns(
    texts: Sequence[Sequence[tuple[str, float]]], context: DatabaseContext, limit: int
) -> list[tuple[ColumnHit, ...]]:
    """The columns near each question's weighted texts; all texts of the batch go at once."""
    distinct = list(dict.fromkeys(text for some in texts for text, _ in some))
    hits = dict(zip(distinct, context.columns.search(distinct, HITS_PER_TEXT), strict=True)) if distinct else {}
    return [_merged(some, hits, limit) for some in texts]


def _searched(question: Question, found: Found) -> list[tuple[str, float]]:
    """The texts to search columns with: the question, its evidence and its first keywords."""
    texts = [(shorten(question.question), 1.0), (shorten(question.evidence), 1.0)]
    return [(text, weight) for text, weight in texts if text.strip()] + _weighted(found.keywords[:KEYWORDS_SEARCHED])


def _weighted(keywords: Iterable[str]) -> list[tuple[str, float]]:
    return [(keyword, KEYWORD_WEIGHT) for keyword in keywords if keyword.strip()]


def _merged(texts: Sequence[tuple[str, float]], hits: dict[str, list[ColumnHit]], limit: int) -> tuple[ColumnHit, ...]:
    best: dict[tuple[str, str], float] = {}
    for text, weight in texts:
        for hit in hits[text]:
            key = (hit.table, hit.column)
            best[key] = max(best.get(key, -1.0), weight * hit.score)
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ColumnHit(table, column, score) for (table, column), score in ranked[:limit])
