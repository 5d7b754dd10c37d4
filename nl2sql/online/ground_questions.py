"""Op 5: what of a question is found in the database, by rules alone."""

from collections.abc import Sequence

from nl2sql.online.context import DatabaseContext
from nl2sql.online.find_literals import Found, find_all_literals, shorten
from nl2sql.online.match_cells import match_cells
from nl2sql.rows import CellMatch, ColumnHit, ExampleHit, Grounding, Question
from nl2sql.skeletons import mask_question

CELL_LIMIT = 60  # matches kept per question
EXAMPLE_LIMIT = 8
COLUMN_LIMIT = 40  # column hits kept per question
HITS_PER_TEXT = 20  # column hits asked for per text
SPARE_EXAMPLES = 4  # asked for on top, since a question's own wording is taken out of them
KEYWORDS_SEARCHED = 8  # keywords whose meaning is looked up per question
SAME_TEXT = frozenset({"exact", "casefold", "folded", "evidence"})  # methods whose literal stands in a cell as it is
KEYWORD_WEIGHT = 0.9  # a hit of one keyword against one of the whole question: shorter texts reach higher cosines


def ground_questions(
    questions: Sequence[Question],
    context: DatabaseContext,
    *,
    cell_limit: int = CELL_LIMIT,
    example_limit: int = EXAMPLE_LIMIT,
    column_limit: int = COLUMN_LIMIT,
    same_database_examples: bool = False,
) -> list[Grounding]:
    """Ground a batch of questions of one database, in their order.

    Literals come from the question and its evidence (quoted, capitalised, numbers, dates, codes, n-grams,
    right-hand sides) and are looked up as cells; each index is asked once per batch. A question is never its own
    example, and the examples of its own database are left out unless `same_database_examples`. Nothing here needs
    a model other than the embeddings behind the context; an installed en_core_web_sm adds noun phrases and
    entities. Of texts over 8,000 characters only the two ends are read.
    """
    found = find_all_literals((q.question, q.evidence) for q in questions)
    cells = match_cells(found, context, cell_limit)
    columns = _search_columns(questions, found, context, column_limit)
    names = sorted({c.column for c in context.schema.column_names})
    skeletons = [_skeleton(question, matches, names) for question, matches in zip(questions, cells, strict=True)]
    excluded = () if same_database_examples else (context.database.db_id,)
    hits = context.examples.search(skeletons, example_limit + SPARE_EXAMPLES, exclude_databases=excluded)
    return [
        Grounding(
            question_id=question.question_id,
            db_id=question.db_id,
            keywords=pieces.keywords,
            literals=pieces.literals,
            skeleton=skeleton,
            cells=matches,
            columns=near,
            examples=_others(question, examples, example_limit),
        )
        for question, pieces, skeleton, matches, near, examples in zip(
            questions, found, skeletons, cells, columns, hits, strict=True
        )
    ]


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


def _search_columns(
    questions: Sequence[Question], found: Sequence[Found], context: DatabaseContext, limit: int
) -> list[tuple[ColumnHit, ...]]:
    """The columns near the question, its evidence and its keywords; all texts of the batch go at once."""
    texts = [_searched(q, f) for q, f in zip(questions, found, strict=True)]
    distinct = list(dict.fromkeys(text for some in texts for text, _ in some))
    hits = dict(zip(distinct, context.columns.search(distinct, HITS_PER_TEXT), strict=True)) if distinct else {}
    return [_merged(some, hits, limit) for some in texts]


def _searched(question: Question, found: Found) -> list[tuple[str, float]]:
    texts = [(shorten(question.question), 1.0), (shorten(question.evidence), 1.0)]
    texts += [(keyword, KEYWORD_WEIGHT) for keyword in found.keywords[:KEYWORDS_SEARCHED]]
    return [(text, weight) for text, weight in texts if text.strip()]


def _merged(texts: Sequence[tuple[str, float]], hits: dict[str, list[ColumnHit]], limit: int) -> tuple[ColumnHit, ...]:
    best: dict[tuple[str, str], float] = {}
    for text, weight in texts:
        for hit in hits[text]:
            key = (hit.table, hit.column)
            best[key] = max(best.get(key, -1.0), weight * hit.score)
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ColumnHit(table, column, score) for (table, column), score in ranked[:limit])
